"""MinIO, with two webhook targets on the same events: one at once and forgetful, one durable and up to 3 s late."""

from typing import Final

from bankctl.devstack.artefacts import object_store
from bankctl.devstack.components.component import Component, http_probe
from bankctl.model.graph import NODES
from bankctl.stack import environment
from bankctl.stack.programs import EVENTS_FOLDER
from bankctl.stack.stack import LOOPBACK, Stack


def _environment(stack: Stack) -> dict[str, str]:
    (stack.data_dir("minio") / EVENTS_FOLDER).mkdir(parents=True, exist_ok=True)
    return environment.minio(stack)


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
