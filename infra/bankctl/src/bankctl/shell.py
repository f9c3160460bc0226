"""The shell that `bank` was called from: what of it reaches a component, and what `bank` itself goes by.

Programs read more variables than they are told: the S3 client AWS_…, libpq PG…, dbt DBT_…, a JVM JAVA_TOOL_OPTIONS,
every HTTP client http_proxy. So components get a closed list, beside what their settings say.
"""

import os
from typing import Final

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
