"""Each program's environment, rendered into `env/<program>.env`: what `bank up` gives it, and what a person sources."""

import json
from collections.abc import Callable, Mapping
from typing import Final

from bank_common import names
from bankctl.stack import certificates
from bankctl.stack.identities import (
    AIRFLOW_ADMIN,
    AIRFLOW_RECEIVER,
    CONSUMER_STORE_USER,
    LOADER_STORE_USER,
    STORE_PASSWORDS,
)
from bankctl.stack.secret_store import write_private
from bankctl.stack.stack import LOOPBACK, Stack


def _shared(stack: Stack, prefix: str) -> dict[str, str]:
    """What every service is told alike, and what the `.env` file says to this one."""
    settings = stack.settings
    return {
        f"{prefix}LOGGING__LEVEL": settings.logging.level,
        f"{prefix}LOGGING__FORMAT": settings.logging.format,
        f"{prefix}TELEMETRY__OTLP_ENDPOINT": settings.telemetry.otlp_endpoint or "",
        **stack.told_to(prefix),
    }


def generator(stack: Stack) -> dict[str, str]:
    """The generator writes to the bank as its application does."""
    return {
        "GENERATOR_POSTGRES__HOST": stack.host("bank_postgres"),
        "GENERATOR_POSTGRES__PORT": str(stack.port("bank_postgres")),
        "GENERATOR_POSTGRES__DATABASE": names.DATABASE,
        "GENERATOR_POSTGRES__USER": "bank_app",
        "GENERATOR_POSTGRES__PASSWORD": stack.secret("bank_app_password"),
        "GENERATOR_HTTP__PORT": str(stack.port("generator")),
        **_shared(stack, "GENERATOR_"),
    }


def cdc_consumer(stack: Stack) -> dict[str, str]:
    """The consumer reads Kafka and the registry and creates segments."""
    return {
        "CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS": stack.bootstrap_servers,
        "CDC_CONSUMER_REGISTRY__URL": stack.url("registry"),
        "CDC_CONSUMER_STORE__ENDPOINT": stack.url("minio"),
        "CDC_CONSUMER_STORE__ACCESS_KEY": CONSUMER_STORE_USER,
        "CDC_CONSUMER_STORE__SECRET_KEY": stack.secret(STORE_PASSWORDS[CONSUMER_STORE_USER]),
        # A restarted consumer gets its partitions back at once instead of after its old session's end.
        "CDC_CONSUMER_GROUP_INSTANCE_ID": "native",
        "CDC_CONSUMER_HTTP__PORT": str(stack.port("cdc_consumer")),
        "CDC_CONSUMER_FLUSH_SECONDS": str(stack.settings.flush_seconds),
        "CDC_CONSUMER_IDLE_FLUSH_SECONDS": str(stack.settings.idle_flush_seconds),
        "CDC_CONSUMER_TARGET_LAG_SECONDS": str(stack.settings.target_lag_seconds),
        **_shared(stack, "CDC_CONSUMER_"),
    }


def event_receiver(stack: Stack) -> dict[str, str]:
    """The receiver takes MinIO's notifications and may trigger the load."""
    return {
        "EVENT_RECEIVER_TOKENS": stack.secret("webhook_token"),
        "EVENT_RECEIVER_HTTP__PORT": str(stack.port("event_receiver")),
        "EVENT_RECEIVER_AIRFLOW__URL": stack.url("airflow"),
        "EVENT_RECEIVER_AIRFLOW__USER": AIRFLOW_RECEIVER,
        "EVENT_RECEIVER_AIRFLOW__PASSWORD": stack.secret("airflow_receiver_password"),
        "EVENT_RECEIVER_TARGET_LAG_SECONDS": str(stack.settings.target_lag_seconds),
        **_shared(stack, "EVENT_RECEIVER_"),
    }


def snowflake(stack: Stack, user: str) -> dict[str, str]:
    """The one set of SNOWFLAKE_* for a warehouse user."""
    settings = stack.snowflake(user)
    values: Mapping[str, object] = settings.model_dump(exclude_none=True)
    if settings.host is None:
        values = {name: value for name, value in values.items() if name not in ("port", "protocol")}
    return {f"SNOWFLAKE_{name.upper()}": str(value) for name, value in values.items()}


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
    """The three Airflow processes, and the loader inside them."""
    home = stack.data_dir("airflow")
    project = stack.root / "orchestration" / "airflow"
    transformer = stack.snowflake(names.TRANSFORMER_USER)
    core = {
        "CORE__EXECUTOR": "bank_dags.scheduling.executor.ProcessExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_FOLDER": str(project / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": stack.secret("airflow_fernet_key"),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_ADMIN}:admin,{AIRFLOW_RECEIVER}:user",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(stack.state_dir / "secrets" / "airflow_passwords.json"),
        "CORE__EXECUTION_API_SERVER_URL": f"{stack.url('airflow')}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": stack.dsn("airflow", "airflow").replace("postgresql:", "postgresql+psycopg2:"),
        "API__HOST": LOOPBACK,
        "API__PORT": str(stack.port("airflow")),
        "API__BASE_URL": stack.browser_url("airflow"),
        "API__WORKERS": "1",
        "API__SECRET_KEY": stack.secret("airflow_api_secret"),
        "API_AUTH__JWT_SECRET": stack.secret("airflow_jwt_secret"),
        # A dead part is noticed within half a minute: a task beats every second, the scheduler every 5 s.
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "5",
        # A supervisor that misses its task's exit sleeps for this long: a skipped run took 5 s more, one time in eight.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__LOGGING_LEVEL": "WARNING",
        # What a load and a build did, in the task's own log.
        "LOGGING__NAMESPACE_LEVELS": "bank_dags=INFO",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    return {
        **{f"AIRFLOW__{name}": value for name, value in core.items()},
        "AIRFLOW_HOME": str(home),
        **snowflake(stack, names.LOADER_USER),
        "BANK_DAGS_STORE__ENDPOINT": stack.url("minio"),
        "BANK_DAGS_STORE__ACCESS_KEY": LOADER_STORE_USER,
        "BANK_DAGS_STORE__SECRET_KEY": stack.secret(STORE_PASSWORDS[LOADER_STORE_USER]),
        "BANK_DAGS_LOAD_INTERVAL_SECONDS": str(stack.settings.load_interval_seconds),
        "BANK_DAGS_TARGET_LAG_SECONDS": str(stack.settings.target_lag_seconds),
        "BANK_DAGS_STATE_DIR": str(stack.data_dir("dbt")),
        "BANK_DAGS_DBT_EXECUTABLE": str(stack.root / "analytics" / "banking_dbt" / ".venv" / "bin" / "dbt"),
        "BANK_DAGS_DBT_PROJECT_DIR": str(stack.root / "analytics" / "banking_dbt"),
        "BANK_DAGS_DBT_USER": transformer.user,
        "BANK_DAGS_DBT_ROLE": transformer.role,
        "BANK_DAGS_DBT_PRIVATE_KEY_FILE": str(transformer.private_key_file),
        **_shared(stack, "BANK_DAGS_"),
    }


PROGRAMS: Final[dict[str, Callable[[Stack], dict[str, str]]]] = {
    "generator": generator,
    "cdc-consumer": cdc_consumer,
    "event-receiver": event_receiver,
    "airflow": airflow,
    "dbt": dbt,
}


def airflow_passwords(stack: Stack) -> str:
    """The passwords of Airflow's users, as its auth manager reads them."""
    return json.dumps(
        {
            AIRFLOW_ADMIN: stack.secret("airflow_admin_password"),
            AIRFLOW_RECEIVER: stack.secret("airflow_receiver_password"),
        }
    )


def write_all(stack: Stack) -> None:
    """Write every program's file, and the secrets that programs read as files."""
    certificates.ensure(stack.state_dir / "secrets")
    write_private(stack.state_dir / "secrets" / "airflow_passwords.json", airflow_passwords(stack))
    for program, render in PROGRAMS.items():
        lines = "".join(f"{name}={_quoted(value)}\n" for name, value in render(stack).items())
        write_private(
            stack.env_file(program), f"# Rendered by `bank up`; `set -a; . {stack.env_file(program).name}`\n{lines}"
        )


def _quoted(value: str) -> str:
    """Quote a value for a shell, only where the shell would read a plain word as something else."""
    import shlex

    return shlex.quote(value)
