"""MinIO, with two webhook targets on the same events: one at once and forgetful, one durable and up to 3 s late."""

from pathlib import Path
from typing import Final

from bankctl.devstack.artefacts import object_store
from bankctl.devstack.components.component import Component, http_probe
from bankctl.model.graph import NODES
from bankctl.model.notification_targets import DURABLE_TARGET, FAST_TARGET
from bankctl.stack.stack import LOOPBACK, Stack


def environment(stack: Stack, queue: Path) -> dict[str, str]:
    """Credentials and webhook targets; undelivered events of the durable one lie in `queue`."""
    endpoint = f"{stack.url('event_receiver')}/minio/events"
    targets: dict[str, str] = {}
    for target in (FAST_TARGET, DURABLE_TARGET):
        targets |= {
            f"MINIO_NOTIFY_WEBHOOK_ENABLE_{target}": "on",
            f"MINIO_NOTIFY_WEBHOOK_ENDPOINT_{target}": endpoint,
            f"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_{target}": f"Bearer {stack.secret('webhook_token')}",
        }
    return targets | {
        f"MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_{DURABLE_TARGET}": str(queue),
        f"MINIO_NOTIFY_WEBHOOK_QUEUE_LIMIT_{DURABLE_TARGET}": "100000",
        "MINIO_ROOT_USER": stack.secret("minio_root_user"),
        "MINIO_ROOT_PASSWORD": stack.secret("minio_root_password"),
        "MINIO_UPDATE": "off",
        "MINIO_CALLHOME_ENABLE": "off",
    }


def _environment(stack: Stack) -> dict[str, str]:
    queue = stack.data_dir("minio") / "events"
    queue.mkdir(parents=True, exist_ok=True)
    return environment(stack, queue)


MINIO: Final = Component(
    node=NODES["minio"],
    command=lambda stack: [
        str(object_store.binary(stack.cache_dir, stack.root)),
        "server",
        str(stack.data_dir("minio") / "objects"),
        "--address",
        f"{LOOPBACK}:{stack.port('minio')}",
        "--console-address",
        f"{LOOPBACK}:{stack.port('minio_console')}",
        "--quiet",
    ],
    environment=_environment,
    probe=http_probe(lambda stack: f"{stack.url('minio')}/minio/health/ready"),
    ports=("minio", "minio_console"),
)
