"""C23: builds that are paused make red, by the oldest load that no build has seen, and green again when they go on."""

import pytest

from harness.moves import deposit, in_raw, red
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

LOADED_SECONDS = 90
RED_SECONDS = 240
"""Target lag, one build (60 s while none is known) and 30 s, and what a busy machine adds."""


def test_builds_that_are_paused_are_red_by_their_name(native: NativeDriver) -> None:
    with native.airflow() as client:
        client.patch("/api/v2/dags/build_marts", json={"is_paused": True}).raise_for_status()
        try:
            transaction = deposit(native)
            until("it is in RAW", lambda: in_raw(native, transaction), seconds=LOADED_SECONDS, every=1.0)
            red(native, "the DAG build_marts is paused", seconds=RED_SECONDS)
        finally:
            client.patch("/api/v2/dags/build_marts", json={"is_paused": False}).raise_for_status()
