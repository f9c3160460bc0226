"""The figures: CPU time of processes that have ended, quantiles, and verdicts that can miss."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.steady.cpu import look
from benchmarks.steady.figures import Lag, Phase, Runs, quantile, verdicts

BURN = "import time\nwhile time.process_time() < 0.3: pass\n"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}])
print("burnt", flush=True)
sys.stdin.read()
"""
TARGET_LAG = 10.0


@contextmanager
def _parent_of_an_ended_child() -> Iterator[int]:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"burnt\n"
        yield process.pid
        process.kill()


def test_time_of_a_child_that_has_ended_is_the_components() -> None:
    with _parent_of_an_ended_child() as leader:
        used = look({"component": leader, "another": 2**30})
    assert used["component"].ended >= 0.25
    assert used["component"].total >= used["component"].ended
    assert used["another"].total == 0


def test_quantiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert (quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1.0)) == (50.0, 99.0, 100.0)


def _phase(rate: float, mart: tuple[float, ...], *, percent: float = 10.0, unseen: int = 0) -> Phase:
    builds = Runs({"success": 1}, (4.0,), (3.0,))
    lag = Lag(mart)
    return Phase("phase", rate, 60.0, len(mart), 0.0, unseen, lag, lag, builds, builds, 1, 1, {"a": percent}, 0.0, 0.0)


def _kept(phase: Phase) -> list[bool]:
    return [verdict.kept for verdict in verdicts(phase, TARGET_LAG)]


def test_verdicts_hold_within_the_promises_and_miss_beyond_them() -> None:
    assert _kept(_phase(1.0, (18.0, 18.0), percent=60.0)) == [True, True, True]
    assert _kept(_phase(1.0, (9.0, 18.1), percent=60.1)) == [False, False, False]
    assert _kept(_phase(200.0, (1.0, 2.0))) == [True]
    assert _kept(_phase(200.0, (1.0, 2.0), unseen=1)) == [False]
    assert _kept(_phase(0.0, (), percent=12.1)) == [False]
