"""Each program's environment, rendered into `env/<program>.env`: what `bank up` gives it, and what a person sources."""

from collections.abc import Callable
from typing import Final

from bank_common import names
from bankctl.stack import certificates, container_secrets, programs
from bankctl.stack.secret_store import write_private
from bankctl.stack.stack import LOOPBACK, Stack


def generator(stack: Stack) -> dict[str, str]:
    """See `programs.generator`."""
    return _natively(stack, "generator") | stack.told_to("GENERATOR_")


def cdc_consumer(stack: Stack) -> dict[str, str]:
    """See `programs.cdc_consumer`."""
    return _natively(stack, "cdc-consumer") | stack.told_to("CDC_CONSUMER_")


def event_receiver(stack: Stack) -> dict[str, str]:
    """See `programs.event_receiver`."""
    return _natively(stack, "event-receiver") | stack.told_to("EVENT_RECEIVER_")


def connect(stack: Stack) -> dict[str, str]:
    """See `programs.connect`."""
    return _natively(stack, "connect")


def minio(stack: Stack) -> dict[str, str]:
    """See `programs.minio`; its secrets are variables natively."""
    return (
        _natively(stack, "minio")
        | container_secrets.object_store(stack)
        | {"MINIO_UPDATE": "off", "MINIO_CALLHOME_ENABLE": "off"}
    )


def snowflake(stack: Stack, user: str) -> dict[str, str]:
    """The one set of SNOWFLAKE_* for a warehouse user."""
    return {f"SNOWFLAKE_{name}": value for name, value in stack.warehouse_login(user).items()}


def dbt(stack: Stack) -> dict[str, str]:
    """dbt reads RAW and builds the marts."""
    folder = stack.data_dir("dbt")
    return snowflake(stack, names.TRANSFORMER_USER) | {
        "DBT_PROFILES_DIR": str(stack.root / "analytics" / "banking_dbt"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "log"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "SNOWFLAKE_DISABLE_PLATFORM_DETECTION": "true",
    }


def airflow(stack: Stack) -> dict[str, str]:
    """See `programs.airflow`; where its programs lie, an image says by itself."""
    analytics = stack.root / "analytics" / "banking_dbt"
    places = {
        "AIRFLOW_HOME": str(stack.data_dir("airflow")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(stack.root / "orchestration" / "airflow" / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__API__HOST": LOOPBACK,
        "BANK_DAGS_STATE_DIR": str(stack.data_dir("dbt")),
        "BANK_DAGS_DBT_EXECUTABLE": str(analytics / ".venv" / "bin" / "dbt"),
        "BANK_DAGS_DBT_PROJECT_DIR": str(analytics),
    }
    return places | _natively(stack, "airflow") | stack.told_to("BANK_DAGS_")


def _natively(stack: Stack, program: str) -> dict[str, str]:
    """What a program is told, with the texts of its secrets."""
    secrets = container_secrets.FOLDERS[program](stack)
    return {
        name: secrets[value.file] if isinstance(value, programs.InFile) else value
        for name, value in programs.PROGRAMS[program](stack).items()
    }


PROGRAMS: Final[dict[str, Callable[[Stack], dict[str, str]]]] = {
    "generator": generator,
    "cdc-consumer": cdc_consumer,
    "event-receiver": event_receiver,
    "airflow": airflow,
    "dbt": dbt,
}


def write_all(stack: Stack) -> None:
    """Write every program's file, and the secrets that programs read as files."""
    certificates.ensure(stack.state_dir / "secrets")
    write_private(stack.secret_path(programs.AIRFLOW_PASSWORDS), container_secrets.airflow_passwords(stack))
    for program, render in PROGRAMS.items():
        lines = "".join(f"{name}={_quoted(value)}\n" for name, value in render(stack).items())
        write_private(
            stack.env_file(program), f"# Rendered by `bank up`; `set -a; . {stack.env_file(program).name}`\n{lines}"
        )


def _quoted(value: str) -> str:
    """Quote a value for a shell, only where the shell would read a plain word as something else."""
    import shlex

    return shlex.quote(value)
