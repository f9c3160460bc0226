"""What each program is told: the same variables for a process of `bank up` and for its container in compose.yaml."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bank_common import names
from bankctl.model.notification_targets import DURABLE_TARGET, FAST_TARGET
from bankctl.stack.identities import AIRFLOW_ADMIN, AIRFLOW_RECEIVER, CONSUMER_STORE_USER, LOADER_STORE_USER
from bankctl.stack.place import Place


@dataclass(frozen=True, slots=True)
class InFile:
    """A secret: the text of one of the program's files (bankctl.stack.container_secrets)."""

    file: str


Environment = Mapping[str, str | InFile]
AIRFLOW_PASSWORDS: Final = "airflow_passwords.json"
EVENTS_FOLDER: Final = "events"
"""Where MinIO keeps events that are not delivered yet, below its data."""


def _shared(place: Place, prefix: str) -> dict[str, str]:
    """What every service is told alike."""
    return {
        f"{prefix}{name}": place.setting(name)
        for name in ("LOGGING__LEVEL", "LOGGING__FORMAT", "TELEMETRY__OTLP_ENDPOINT")
    }


def generator(place: Place) -> Environment:
    """The generator writes to the bank as its application does."""
    return {
        "GENERATOR_POSTGRES__HOST": place.host("bank_postgres"),
        "GENERATOR_POSTGRES__PORT": str(place.port("bank_postgres")),
        "GENERATOR_POSTGRES__DATABASE": names.DATABASE,
        "GENERATOR_POSTGRES__USER": "bank_app",
        "GENERATOR_POSTGRES__PASSWORD": InFile("postgres_password"),
        "GENERATOR_HTTP__PORT": str(place.port("generator")),
        **_shared(place, "GENERATOR_"),
    }


def cdc_consumer(place: Place) -> Environment:
    """The consumer reads Kafka and the registry and creates segments."""
    return {
        "CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS": place.address("kafka"),
        "CDC_CONSUMER_REGISTRY__URL": place.url("registry"),
        "CDC_CONSUMER_STORE__ENDPOINT": place.url("minio"),
        "CDC_CONSUMER_STORE__ACCESS_KEY": CONSUMER_STORE_USER,
        "CDC_CONSUMER_STORE__SECRET_KEY": InFile("store_password"),
        # A restarted consumer gets its partitions back at once instead of after its old session's end.
        "CDC_CONSUMER_GROUP_INSTANCE_ID": place.kind,
        "CDC_CONSUMER_HTTP__PORT": str(place.port("cdc_consumer")),
        "CDC_CONSUMER_FLUSH_SECONDS": place.setting("FLUSH_SECONDS"),
        "CDC_CONSUMER_IDLE_FLUSH_SECONDS": place.setting("IDLE_FLUSH_SECONDS"),
        "CDC_CONSUMER_TARGET_LAG_SECONDS": place.setting("TARGET_LAG_SECONDS"),
        **_shared(place, "CDC_CONSUMER_"),
    }


def event_receiver(place: Place) -> Environment:
    """The receiver takes MinIO's notifications and may trigger the load."""
    return {
        "EVENT_RECEIVER_TOKENS": InFile("webhook_token"),
        "EVENT_RECEIVER_HTTP__PORT": str(place.port("event_receiver")),
        "EVENT_RECEIVER_AIRFLOW__URL": place.url("airflow"),
        "EVENT_RECEIVER_AIRFLOW__USER": AIRFLOW_RECEIVER,
        "EVENT_RECEIVER_AIRFLOW__PASSWORD": InFile("airflow_password"),
        "EVENT_RECEIVER_TARGET_LAG_SECONDS": place.setting("TARGET_LAG_SECONDS"),
        **_shared(place, "EVENT_RECEIVER_"),
    }


def airflow(place: Place) -> Environment:
    """Airflow's processes, and loader and build inside them. Where its programs lie is the machine's or the image's."""
    core = {
        "CORE__EXECUTOR": "bank_dags.scheduling.executor.ProcessExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": InFile("fernet_key"),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{AIRFLOW_ADMIN}:admin,{AIRFLOW_RECEIVER}:user",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(place.secret_path(AIRFLOW_PASSWORDS)),
        "CORE__EXECUTION_API_SERVER_URL": f"{place.url('airflow')}/execution/",
        "DATABASE__SQL_ALCHEMY_CONN": InFile("database_url"),
        "API__PORT": str(place.port("airflow")),
        "API__BASE_URL": place.browser_url("airflow"),
        "API__WORKERS": "1",
        "API__SECRET_KEY": InFile("api_secret"),
        "API_AUTH__JWT_SECRET": InFile("jwt_secret"),
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
        "LOGGING__BASE_LOG_FOLDER": str(place.data_dir("airflow") / "logs"),
        "LOGGING__LOGGING_LEVEL": "WARNING",
        # What a load and a build did, in the task's own log.
        "LOGGING__NAMESPACE_LEVELS": "bank_dags=INFO",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    transformer = place.warehouse_login(names.TRANSFORMER_USER)
    return {
        **{f"AIRFLOW__{name}": value for name, value in core.items()},
        **{f"SNOWFLAKE_{name}": value for name, value in place.warehouse_login(names.LOADER_USER).items()},
        "BANK_DAGS_STORE__ENDPOINT": place.url("minio"),
        "BANK_DAGS_STORE__ACCESS_KEY": LOADER_STORE_USER,
        "BANK_DAGS_STORE__SECRET_KEY": InFile("store_password"),
        "BANK_DAGS_LOAD_INTERVAL_SECONDS": place.setting("LOAD_INTERVAL_SECONDS"),
        "BANK_DAGS_TARGET_LAG_SECONDS": place.setting("TARGET_LAG_SECONDS"),
        **{f"BANK_DAGS_DBT_{name}": transformer[name] for name in ("USER", "ROLE", "PRIVATE_KEY_FILE")},
        **_shared(place, "BANK_DAGS_"),
    }


def connect(place: Place) -> Environment:
    """Connect's worker knows what the connector's configuration leaves open (bankctl.model.connector_config)."""
    return {
        "BANK_CONNECT_POSTGRES_HOST": place.host("bank_postgres"),
        "BANK_CONNECT_POSTGRES_PORT": str(place.port("bank_postgres")),
        "BANK_CONNECT_POSTGRES_PASSWORD": InFile("postgres_password"),
        "BANK_CONNECT_UNAVAILABLE_PLACEHOLDER": InFile("unavailable_placeholder"),
        "BANK_CONNECT_REGISTRY_URL": f"http://{place.address('registry')}/apis/registry/v2",
    }


def minio(place: Place) -> Environment:
    """MinIO tells the receiver of each segment, through two webhook targets. Its secrets come as a file of its own."""
    endpoint = f"{place.url('event_receiver')}/minio/events"
    targets: dict[str, str] = {}
    for target in (FAST_TARGET, DURABLE_TARGET):
        targets |= {
            f"MINIO_NOTIFY_WEBHOOK_ENABLE_{target}": "on",
            f"MINIO_NOTIFY_WEBHOOK_ENDPOINT_{target}": endpoint,
        }
    return targets | {
        f"MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_{DURABLE_TARGET}": str(place.data_dir("minio") / EVENTS_FOLDER),
        f"MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_{DURABLE_TARGET}": "100000",
    }


PROGRAMS: Final[Mapping[str, Callable[[Place], Environment]]] = {
    "generator": generator,
    "cdc-consumer": cdc_consumer,
    "event-receiver": event_receiver,
    "airflow": airflow,
    "connect": connect,
    "minio": minio,
}
"""The programs by the names of their folders of secrets."""
