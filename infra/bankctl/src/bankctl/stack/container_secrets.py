"""Container secrets: the files that each container needs and no others, in a folder that only it mounts.

The installation's secrets stay with `bank`. Several of these files are what a program takes whole (MinIO's environment,
Airflow's database URL), so they are made anew from the secrets each time.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from bank_common import names
from bankctl.model.connector_config import REPLICATION_USER
from bankctl.model.notification_targets import DURABLE_TARGET, FAST_TARGET
from bankctl.stack import certificates
from bankctl.stack.identities import (
    AIRFLOW_ADMIN,
    AIRFLOW_RECEIVER,
    CONSUMER_STORE_USER,
    LOADER_STORE_USER,
    STORE_PASSWORDS,
    WAREHOUSE_ROLES,
)
from bankctl.stack.programs import AIRFLOW_PASSWORDS
from bankctl.stack.secret_store import write_private
from bankctl.stack.stack import Stack

MOUNT: Final = PurePosixPath("/run/secrets")
"""Where a container finds its own folder."""
_READABLE: Final = 0o444
_OPEN: Final = 0o755
"""The programs run as different users; what keeps others out is that each folder is mounted into one container."""

Folder = Mapping[str, str]
"""File name -> text."""


def folders(stack: Stack) -> dict[str, Folder]:
    """Each container's files, by the container's name."""
    return {name: files(stack) for name, files in FOLDERS.items()}


def write(stack: Stack, target: Path) -> tuple[str, ...]:
    """Write every folder below `target` and return their names; secrets that are not there yet are made."""
    folder_by_container = folders(stack)
    for container, folder in folder_by_container.items():
        (target / container).mkdir(parents=True, exist_ok=True)
        (target / container).chmod(_OPEN)
        for name, text in folder.items():
            # Airflow opens its passwords for writing although it adds nothing to them.
            mode = 0o600 if name == AIRFLOW_PASSWORDS else _READABLE
            write_private(target / container / name, text, mode=mode)
    return tuple(folder_by_container)


def object_store(stack: Stack) -> dict[str, str]:
    """The variables of MinIO that hold secrets."""
    token = f"Bearer {stack.secret('webhook_token')}"
    return {
        "MINIO_ROOT_USER": stack.secret("minio_root_user"),
        "MINIO_ROOT_PASSWORD": stack.secret("minio_root_password"),
        f"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_{FAST_TARGET}": token,
        f"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_{DURABLE_TARGET}": token,
    }


def airflow_passwords(stack: Stack) -> str:
    """The passwords of Airflow's users, as its auth manager reads them."""
    return json.dumps(
        {
            AIRFLOW_ADMIN: stack.secret("airflow_admin_password"),
            AIRFLOW_RECEIVER: stack.secret("airflow_receiver_password"),
        }
    )


def _object_store(stack: Stack) -> Folder:
    lines = (
        f'{name}="{value}"\n' if " " in value else f"{name}={value}\n" for name, value in object_store(stack).items()
    )
    return {"minio.env": "".join(lines)}


def _warehouse(stack: Stack) -> Folder:
    files: dict[str, str] = {}
    users: dict[str, dict[str, str]] = {}
    for user, role in WAREHOUSE_ROLES.items():
        stack.secrets.private_key(user)
        public = stack.secrets.public_key(user)
        files[public.name] = public.read_text(encoding="utf-8")
        users[user] = {"public_key_file": str(MOUNT / public.name), "role": role}
    return files | _certificates(stack, "server.pem", "server.key") | {"users.json": json.dumps(users, indent=2)}


def _certificates(stack: Stack, *files: str) -> dict[str, str]:
    folder = stack.state_dir / "secrets"
    certificates.ensure(folder)
    return {file: (folder / file).read_text(encoding="utf-8") for file in files}


def _airflow(stack: Stack) -> Folder:
    keys = {
        file.name: file.read_text(encoding="utf-8")
        for file in map(stack.secrets.private_key, (names.LOADER_USER, names.TRANSFORMER_USER))
    }
    return (
        keys
        | _certificates(stack, "ca-bundle.pem")
        | {
            "database_url": stack.dsn("airflow", "airflow").replace("postgresql:", "postgresql+psycopg2:"),
            "fernet_key": stack.secret("airflow_fernet_key"),
            "api_secret": stack.secret("airflow_api_secret"),
            "jwt_secret": stack.secret("airflow_jwt_secret"),
            "store_password": stack.secret(STORE_PASSWORDS[LOADER_STORE_USER]),
            AIRFLOW_PASSWORDS: airflow_passwords(stack),
        }
    )


FOLDERS: Final[Mapping[str, Callable[[Stack], Folder]]] = {
    "bank-postgres": lambda stack: {"superuser_password": stack.secret("bank_postgres_superuser_password")},
    "platform-postgres": lambda stack: {"superuser_password": stack.secret("platform_postgres_superuser_password")},
    "registry": lambda stack: {"database_password": stack.secret("registry_password")},
    "connect": lambda stack: {
        "postgres_password": stack.secret(f"{REPLICATION_USER}_password"),
        "unavailable_placeholder": stack.secret("unavailable_placeholder"),
    },
    "minio": _object_store,
    "snowflake": _warehouse,
    "airflow": _airflow,
    "event-receiver": lambda stack: {
        "webhook_token": stack.secret("webhook_token"),
        "airflow_password": stack.secret("airflow_receiver_password"),
    },
    "cdc-consumer": lambda stack: {"store_password": stack.secret(STORE_PASSWORDS[CONSUMER_STORE_USER])},
    "generator": lambda stack: {"postgres_password": stack.secret("bank_app_password")},
}
"""Each container's files, by the container's name; Airflow's containers share one."""
