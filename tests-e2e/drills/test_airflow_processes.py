"""Each process of Airflow killed and frozen, so many times each, under five transactions a second.

After every fault a commit made then is in the mart within a minute, with no hand; at the end all is equal.
"""

import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil
import pytest

from harness.reconcile import until_converged
from harness.sight import FirstSight
from harness.stack_driver import StackDriver
from harness.traffic import SteadyTraffic
from harness.waiting import until

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(0)]

ROUNDS = int(os.environ.get("DRILL_ROUNDS", "10"))
FREEZE_SECONDS = float(os.environ.get("DRILL_FREEZE_SECONDS", "60"))
ONLY = os.environ.get("DRILL_ONLY", "")
RATE = 5.0
MOVES_SECONDS = 60.0
APPEARS_SECONDS = 120.0
GIVEN_UP_SECONDS = 600.0
"""How long a fault that missed its minute is watched before the drill ends: the figure says how bad it is."""


@dataclass(frozen=True, slots=True)
class Victim:
    """A process by what it does, and where it is found when it is there."""

    name: str
    find: Callable[[StackDriver], list[psutil.Process]]


def _below(component: str, *words: str) -> Callable[[StackDriver], list[psutil.Process]]:
    return lambda stack: stack.descendants(component, *words)


def _leader(component: str) -> Callable[[StackDriver], list[psutil.Process]]:
    return lambda stack: [stack.process(component)]


def _api(stack: StackDriver) -> list[psutil.Process]:
    """The worker that answers, where it is not the component's own process."""
    leader = stack.process("airflow-api")
    return leader.children(recursive=True) or [leader]


VICTIMS = (
    Victim("the scheduler's parent", _leader("airflow-scheduler")),
    Victim("the scheduler", _below("airflow-scheduler", "airflow", "scheduler")),
    Victim("an executor process", _below("airflow-scheduler", "airflow task --")),
    Victim("a task's process", _below("airflow-scheduler", "airflow worker --")),
    Victim("dbt", _below("dbt-warm", "dbt build")),
    Victim("the warm dbt", _leader("dbt-warm")),
    Victim("the API server", _api),
    Victim("the DAG processor", _leader("airflow-dag-processor")),
)


def _faults() -> Iterator[tuple[Victim, str]]:
    chosen = [victim for victim in VICTIMS if ONLY in victim.name]
    order = [(victim, fault) for _ in range(ROUNDS) for victim in chosen for fault in ("kill", "freeze")]
    random.Random(31).shuffle(order)
    yield from order


def _strike(stack: StackDriver, victim: Victim, fault: str, chance: random.Random) -> float:
    """The fault, up to its end; how many seconds a freeze lasted. A frozen process that is replaced ends the freeze."""

    def found() -> psutil.Process | None:
        with suppress(psutil.NoSuchProcess, FileNotFoundError, IndexError):
            return next(iter(victim.find(stack)), None)
        return None

    process = until(f"{victim.name} is there", found, seconds=APPEARS_SECONDS, every=0.01)
    if fault == "kill":
        with suppress(psutil.NoSuchProcess):
            process.kill()
        return 0.0
    start = time.monotonic()
    seconds = chance.uniform(min(5.0, FREEZE_SECONDS), FREEZE_SECONDS)
    with suppress(psutil.NoSuchProcess), stack.frozen(process):
        while time.monotonic() - start < seconds and process.is_running():
            time.sleep(0.2)
    return time.monotonic() - start


def test_marts_move_again_after_each_fault(watched: StackDriver) -> None:
    stack, chance = watched, random.Random(32)
    needed: defaultdict[str, list[float]] = defaultdict(list)
    with SteadyTraffic(stack, RATE) as traffic, FirstSight(stack, traffic.commits, every=1.0) as sight:
        until("marts follow before the first fault", lambda: sight.mart, seconds=APPEARS_SECONDS, every=0.5)
        for victim, fault in _faults():
            frozen = _strike(stack, victim, fault, chance)
            ended, number = time.monotonic(), len(traffic.commits)

            def shows(number: int = number) -> bool:
                return len(traffic.commits) > number and traffic.commits[number].transaction_id in sight.mart

            until(f"marts move after: {fault} {victim.name}", shows, seconds=GIVEN_UP_SECONDS, every=0.2)
            seconds = time.monotonic() - ended
            needed[f"{fault} {victim.name}"].append(seconds)
            print(f"  {fault} {victim.name} ({frozen:.0f} s): moves again after {seconds:.1f} s", flush=True)
    until_converged(stack, GIVEN_UP_SECONDS)
    print(f"\nseconds from a fault's end until a later commit was in the mart, {ROUNDS} rounds at {RATE:g} a second")
    for name, seconds in sorted(needed.items()):
        print(f"  {name:<34} median {statistics.median(seconds):5.1f}  most {max(seconds):5.1f}")
    late = {name: max(seconds) for name, seconds in needed.items() if max(seconds) > MOVES_SECONDS}
    assert late == {}, f"longer than {MOVES_SECONDS:.0f} s"
