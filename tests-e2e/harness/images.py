"""The project's images: their names, what each is expected to be, and one container of an image at a time."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.models.containers import Container

from harness.waiting import until

PREFIX = "banking-data-pipeline"
TAG = "local"
PYTHON_BASE = "python:3.13-slim-trixie"
MEGABYTE = 10**6


@dataclass(frozen=True)
class Image:
    """An image; `stand_alone` are the settings with which it becomes healthy with nothing around it."""

    name: str
    command: tuple[str, ...] = ()
    most_megabytes: int | None = None
    """Above the Python base."""
    stand_alone: Mapping[str, str] | None = None
    exit_codes: frozenset[int] = field(default=frozenset({0}))

    @property
    def reference(self) -> str:
        """Name and tag."""
        return f"{PREFIX}/{self.name}:{TAG}"


_NOWHERE = "127.0.0.1:9"
_SECRET = "only-for-this-container"
# A virtual machine that was ended by SIGTERM says so: 128 + 15.
_JAVA = frozenset({143})

SERVICES = (
    Image(
        "generator",
        most_megabytes=120,
        stand_alone={
            "GENERATOR_POSTGRES__PORT": "9",
            "GENERATOR_POSTGRES__DATABASE": "bank",
            "GENERATOR_POSTGRES__USER": "bank_app",
            "GENERATOR_POSTGRES__PASSWORD": _SECRET,
        },
    ),
    Image(
        "event-receiver",
        most_megabytes=120,
        stand_alone={
            "EVENT_RECEIVER_TOKENS": _SECRET,
            "EVENT_RECEIVER_AIRFLOW__URL": f"http://{_NOWHERE}",
            "EVENT_RECEIVER_AIRFLOW__USER": "receiver",
            "EVENT_RECEIVER_AIRFLOW__PASSWORD": _SECRET,
        },
    ),
    Image(
        "cdc-consumer",
        most_megabytes=300,
        stand_alone={
            "CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS": _NOWHERE,
            "CDC_CONSUMER_REGISTRY__URL": f"http://{_NOWHERE}",
            "CDC_CONSUMER_STORE__ENDPOINT": f"http://{_NOWHERE}",
            "CDC_CONSUMER_STORE__ACCESS_KEY": "cdc-consumer",
            "CDC_CONSUMER_STORE__SECRET_KEY": _SECRET,
        },
    ),
)
INFRASTRUCTURE = (
    Image("kafka-broker", stand_alone={}, exit_codes=_JAVA),
    Image("kafka-connect"),
    Image("schema-registry"),
    Image(
        "minio",
        stand_alone={"MINIO_ROOT_USER": "root-of-this-container", "MINIO_ROOT_PASSWORD": _SECRET},
    ),
    Image("snowflake-local"),
    Image("airflow"),
    Image("provisioner", most_megabytes=170),
    Image("bank", most_megabytes=240),
)
IMAGES = (*SERVICES, *INFRASTRUCTURE)
RUNNING_ALONE = tuple(image for image in IMAGES if image.stand_alone is not None)


@contextmanager
def confined(image: Image, client: docker.DockerClient) -> Iterator[Container]:
    """The image at work as compose runs it: read-only root, no capabilities, a small /tmp; removed at the end."""
    container: Any = client.containers.run(
        image.reference,
        list(image.command),
        detach=True,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        tmpfs={"/tmp": "exec"},
        environment=dict(image.stand_alone or {}),
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def until_healthy(container: Container, seconds: float = 60) -> float:
    """Wait for the container's own health check; the seconds it took.

    Raises:
        AssertionError: it ended, or was not healthy in time; the message holds the end of its log.
    """
    start = time.monotonic()

    def state() -> str:
        container.reload()
        return container.health if container.status == "running" else container.status

    until(
        f"{container.image} is healthy",
        lambda: state() == "healthy",
        seconds=seconds,
        every=0.2,
        state=lambda: (state(), container.logs(tail=30).decode(errors="replace")),
    )
    return time.monotonic() - start
