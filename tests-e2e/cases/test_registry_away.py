"""The platform's Postgres, with the registry's schemas, is away for longer than Connect goes by its cache alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bank_common.names import CONNECTOR, TABLES
from bankctl.devstack.supervision.lock import exclusive
from bankctl.provision.connect_api import ConnectApi
from bankctl.verify.chains import entries, inspect
from harness.kafka_oracle import offsets
from harness.native_driver import NativeDriver
from harness.traffic import SteadyTraffic
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(900)]

AWAY_SECONDS = 45
"""Connect's converter looks for its schemas again every 30 s."""
RATE = 5.0
TOPIC = next(table.topic for table in TABLES if table.name == "transactions")


@contextmanager
def _away(stack: NativeDriver, component: str) -> Iterator[None]:
    """Dead, and nobody starts it: who holds the lock of `up` and `down` is at work in another terminal."""
    with exclusive(stack.stack):
        stack.kill(component)
        yield


def _captured(stack: NativeDriver) -> int:
    return len(offsets(stack.bootstrap_servers, TOPIC))


def _landed(stack: NativeDriver) -> int:
    return inspect(entries(stack.stack.object_store(), prefix=f"{TOPIC}/")).rows


def test_capture_and_landing_go_on_while_the_registry_has_no_database(native: NativeDriver) -> None:
    captured, landed = _captured(native), _landed(native)
    with ConnectApi(native.stack.url("connect")) as connect, SteadyTraffic(native, RATE) as traffic:
        until("traffic", lambda: traffic.commits, seconds=30)
        with _away(native, "platform-postgres"):
            began = time.monotonic()

            def for_long() -> bool:
                status = connect.status(CONNECTOR)
                assert status is not None
                assert status.running, status
                return time.monotonic() - began > AWAY_SECONDS

            until("it is away for long", for_long, seconds=AWAY_SECONDS + 60, every=0.5)
            committed = len(traffic.commits)
            assert committed > RATE * AWAY_SECONDS / 2
            until("all that was committed is in Kafka", lambda: _captured(native) - captured >= committed, seconds=30)
            until("and has landed", lambda: _landed(native) - landed >= committed, seconds=30, every=1.0)
            assert for_long()
