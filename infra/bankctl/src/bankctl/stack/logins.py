"""The addresses that a person opens, with their logins."""

from bankctl.stack.identities import AIRFLOW_ADMIN
from bankctl.stack.stack import LOOPBACK, Stack


def logins(stack: Stack) -> dict[str, dict[str, str]]:
    """Every address that a person opens, with its login."""
    return {
        "Airflow": {
            "address": stack.browser_url("airflow"),
            "user": AIRFLOW_ADMIN,
            "password": stack.secret("airflow_admin_password"),
        },
        "MinIO console": {
            "address": stack.browser_url("minio_console"),
            "user": stack.secret("minio_root_user"),
            "password": stack.secret("minio_root_password"),
        },
        "Kafka Connect": {"address": f"{stack.browser_url('connect')}/connectors", "user": "", "password": ""},
        "Schema registry": {"address": f"{stack.browser_url('registry')}/subjects", "user": "", "password": ""},
        "Event receiver": {"address": f"{stack.browser_url('event_receiver')}/docs", "user": "", "password": ""},
        "Postgres (bank)": {
            "address": f"{LOOPBACK}:{stack.port('bank_postgres')}/bank",
            "user": "bank_app",
            "password": stack.secret("bank_app_password"),
        },
    }
