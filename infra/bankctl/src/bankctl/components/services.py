"""Our own services, run from the workspace's environment."""

import sys
from typing import Final

from bankctl import environment
from bankctl.components.component import Component, http_probe

EVENT_RECEIVER: Final = Component(
    name="event-receiver",
    command=lambda _stack: [sys.executable, "-m", "event_receiver", "run"],
    environment=environment.event_receiver,
    # Alive is enough: it waits for Airflow by itself, and MinIO may need it before.
    probe=http_probe(lambda stack: f"{stack.url('event_receiver')}/healthz"),
    ports=("event_receiver",),
)
CDC_CONSUMER: Final = Component(
    name="cdc-consumer",
    command=lambda _stack: [sys.executable, "-m", "cdc_consumer", "run"],
    environment=environment.cdc_consumer,
    probe=http_probe(lambda stack: f"{stack.url('cdc_consumer')}/readyz"),
    needs=("topics", "buckets", "registry-rules", "kafka", "registry", "minio"),
    ports=("cdc_consumer",),
)
GENERATOR: Final = Component(
    name="generator",
    command=lambda _stack: [sys.executable, "-m", "generator", "run"],
    environment=environment.generator,
    probe=http_probe(lambda stack: f"{stack.url('generator')}/readyz"),
    needs=("migrate",),
    ports=("generator",),
    on_request=True,
)
