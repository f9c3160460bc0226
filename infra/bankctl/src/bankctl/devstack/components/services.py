"""Our own services, run from the workspace's environment."""

import sys
from typing import Final

from bankctl.devstack.components.component import Component, HttpProbe, http_probe
from bankctl.model.graph import NODES
from bankctl.stack import environment


def _code(service: str) -> tuple[str, ...]:
    return (f"services/{service}/src", "libs/bank_common/src", "uv.lock")


def _alive(port: str) -> HttpProbe:
    return http_probe(lambda stack: f"{stack.url(port)}/healthz")


EVENT_RECEIVER: Final = Component(
    node=NODES["event-receiver"],
    command=lambda _stack: [sys.executable, "-m", "event_receiver", "run"],
    environment=environment.event_receiver,
    # Alive is enough: it waits for Airflow by itself.
    probe=_alive("event_receiver"),
    ports=("event_receiver",),
    runs_from=_code("event-receiver"),
    hung_seconds=20,
)
CDC_CONSUMER: Final = Component(
    node=NODES["cdc-consumer"],
    command=lambda _stack: [sys.executable, "-m", "cdc_consumer", "run"],
    environment=environment.cdc_consumer,
    probe=http_probe(lambda stack: f"{stack.url('cdc_consumer')}/readyz"),
    ports=("cdc_consumer",),
    runs_from=_code("cdc-consumer"),
    # One that is not ready waits for others, or has halted and says why: another process would do the same.
    alive=_alive("cdc_consumer"),
    hung_seconds=20,
)
GENERATOR: Final = Component(
    node=NODES["generator"],
    command=lambda _stack: [sys.executable, "-m", "generator", "run"],
    environment=environment.generator,
    probe=http_probe(lambda stack: f"{stack.url('generator')}/readyz"),
    ports=("generator",),
    runs_from=_code("generator"),
    alive=_alive("generator"),
    hung_seconds=20,
)
