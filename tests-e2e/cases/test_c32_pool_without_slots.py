"""C32: a pool without slots stops every load; it is red by its name, and green when slots are back."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.moves import deposit, red
from harness.native_driver import NativeDriver

pytestmark = [pytest.mark.case, pytest.mark.short, pytest.mark.timeout(600)]

POOL = "default_pool"
RED_SECONDS = 120
"""The sweep, 30 s, and what a busy machine adds."""


@contextmanager
def _no_slots(stack: NativeDriver) -> Iterator[None]:
    address, mask = f"/api/v2/pools/{POOL}", {"update_mask": "slots"}
    with stack.airflow() as client:
        pool = client.get(address).raise_for_status().json()
        change = {"pool": POOL, "include_deferred": pool["include_deferred"]}
        client.patch(address, params=mask, json=change | {"slots": 0}).raise_for_status()
        try:
            yield
        finally:
            client.patch(address, params=mask, json=change | {"slots": pool["slots"]}).raise_for_status()


def test_a_pool_without_slots_is_red_by_its_name(native: NativeDriver) -> None:
    with _no_slots(native):
        deposit(native)
        red(native, POOL, seconds=RED_SECONDS)
