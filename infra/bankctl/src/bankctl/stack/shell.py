"""The shell that `bank` was called from: what of it reaches a component, and what `bank` itself goes by.

Programs read more variables than they are told: the S3 client AWS_…, libpq PG…, dbt DBT_…, a JVM JAVA_TOOL_OPTIONS,
every HTTP client http_proxy. So components get a closed list, beside what their settings say.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from dotenv import dotenv_values

from bank_common.runtime.errors import PipelineError

ENV_FILE: Final = "BANK_ENV_FILE"
"""Names another file than `.env` of the current folder; empty: none, as tests and benchmarks have it."""
_OWN: Final = ("BANK_", "BANKCTL_", "SNOWFLAKE_")
_PROGRAMS: Final = ("GENERATOR_", "CDC_CONSUMER_", "EVENT_RECEIVER_", "BANK_DAGS_")

INHERITED: Final = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TERM",
        "LANG",
        "LANGUAGE",
        "TMPDIR",
        "LD_LIBRARY_PATH",
        "XDG_CACHE_HOME",
        "BANK_CACHE_DIR",
        # A real account behind a proxy that has an authority of its own; for this machine nothing speaks TLS.
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
    }
)
"""What a component may have of the shell's variables, beside LC_…."""

_CLIENTS: Final = ("PG", "AWS_", "DBT_", "AIRFLOW_", "KAFKA_")
_JVM: Final = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH")
_NO_PROXY: Final = ("127.0.0.1", "localhost")


class EnvFile(NamedTuple):
    """The variables of a `.env` file: `bank`'s own, and those of the stack's programs."""

    own: Mapping[str, str]
    programs: Mapping[str, str]


def read_env_file() -> EnvFile:
    """Read `.env` of the current folder, where there is one; it changes nothing.

    Raises:
        PipelineError: a variable of nobody's, which would have no effect in silence; or the named file is missing.
    """
    path = Path(os.environ.get(ENV_FILE, ".env") or os.devnull)
    if not path.exists():
        if ENV_FILE in os.environ:
            raise PipelineError(f"{ENV_FILE} names {path}, which is not there.", advice=f"Correct or unset {ENV_FILE}.")
        return EnvFile({}, {})
    values = {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}
    strange = sorted(name for name in values if not name.startswith((*_OWN, *_PROGRAMS)) or name == ENV_FILE)
    if strange:
        raise PipelineError(
            f"{path} sets {', '.join(strange)}, which no program of the stack reads.",
            advice="`.env.example` lists every variable: correct the name, or remove the line.",
        )
    programs = {name: value for name, value in values.items() if name.startswith(_PROGRAMS)}
    return EnvFile({name: value for name, value in values.items() if name not in programs}, programs)


def obey_env_file() -> None:
    """Let `.env` speak to this process, below the shell. What it says to a program is the `Stack`'s to hand on.

    Raises:
        PipelineError: see `read_env_file`.
    """
    for name, value in read_env_file().own.items():
        os.environ.setdefault(name, value)


def inherited_environment() -> dict[str, str]:
    """The part of this process's environment that a component gets."""
    return {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}


def forget() -> None:
    """Remove from this process what its own clients would read beside our settings.

    Proxies stay, for the steps that fetch need them; this machine is never reached through one.
    """
    for name in list(os.environ):
        if name.startswith(_CLIENTS) or name in _JVM:
            del os.environ[name]
    for name in ("no_proxy", "NO_PROXY"):
        known = os.environ.get(name, "").split(",")
        os.environ[name] = ",".join(dict.fromkeys([*filter(None, known), *_NO_PROXY]))
