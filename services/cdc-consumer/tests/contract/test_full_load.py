"""Poison of every kind, and a store that is down, while the topic gives more than the consumer can take."""

import os
import sys
import time
from pathlib import Path

import httpx
import pytest
from consumer_testing.oracle import assert_landed_once
from consumer_testing.process import ConsumerProcess
from consumer_testing.proxy import FaultyProxy
from consumer_testing.real import Sandbox, until
from consumer_testing.traffic import SEED, Traffic

OUTAGE_SECONDS = float(os.environ.get("CHAOS_OUTAGE_SECONDS", "10"))
"""Longer than the group's session: a consumer that stopped polling would be replaced."""
CHANGES = 800_000
BEFORE = 200_000
"""Rows that land before the outage; what is left is more than the buffers may hold."""
MOST_MEMORY = 1.5

pytestmark = [pytest.mark.contract, pytest.mark.timeout(300 + 2 * OUTAGE_SECONDS)]


def test_one_percent_poison_of_each_kind_is_in_the_dead_letters_and_nothing_else_is(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    traffic = Traffic(sandbox, SEED)
    traffic.fill(10_000, poison=0.01)
    kinds = {traffic.topic: "changes"}
    # Eleven kinds: more than the share that halts by default.
    with ConsumerProcess(sandbox, kinds, tmp_path / "log", until_caught_up=True, rejected_max_ratio="0.5") as consumer:
        assert consumer.wait(120) == 0
    records, _ = assert_landed_once(traffic, f"CHAOS_SEED={SEED}")
    assert records >= 10_000
    assert len(sandbox.dead_letters()) >= 0.9 * 0.01 * records * len(traffic.poisons)


def test_a_store_that_is_down_costs_bounded_memory_and_no_rebalance(sandbox: Sandbox, tmp_path: Path) -> None:
    traffic = Traffic(sandbox, SEED)
    traffic.fill(CHANGES)
    kinds = {traffic.topic: "changes"}
    with (
        FaultyProxy(sandbox.store_endpoint) as proxy,
        ConsumerProcess(
            sandbox, kinds, tmp_path / "log", store__endpoint=proxy.url, flush_seconds="1", max_rows="20000"
        ) as consumer,
    ):
        baseline = 0.0

        def landed(rows: int) -> bool:
            nonlocal baseline
            baseline = max(baseline, _memory(consumer.pid))
            return sum(segment["rows"] for segment in consumer.events("segment_stored")) >= rows

        until("a part has landed", lambda: landed(BEFORE))
        usual = baseline
        proxy.refuse = True
        peak, deadline = usual, time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < deadline:
            peak = max(peak, _memory(consumer.pid))
            time.sleep(0.1)
        ready = httpx.get(f"http://127.0.0.1:{consumer.port}/readyz")
        assert (ready.status_code, "store" in ready.text) == (503, True)
        assert httpx.get(f"http://127.0.0.1:{consumer.port}/healthz").status_code == 200
        proxy.refuse = False
        until("all has landed", lambda: landed(CHANGES), 120)
        assert consumer.events("revoked") == []
        assert consumer.events("lost") == []
        assert consumer.terminate() == 0
    sys.stdout.write(f"\n{OUTAGE_SECONDS:.0f} s without the store: {usual:.0f} MB before, {peak:.0f} MB at most\n")
    records, _ = assert_landed_once(traffic, f"CHAOS_SEED={SEED}")
    assert records >= CHANGES
    assert peak <= MOST_MEMORY * usual


def _memory(pid: int) -> float:
    """The resident memory of a process, in megabytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 10**6
