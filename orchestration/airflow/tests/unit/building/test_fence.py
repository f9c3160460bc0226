"""The build fence: the number, the heartbeat, and what makes an owner dead."""

import threading
from dataclasses import replace

import pytest
from building_testing.memory import NOBODY, MemoryFence, someone

from bank_dags.building.fence import DEAD_SECONDS, FenceHeldError, FenceRow, Hold, Ownership, held
from bank_dags.building.results import BuildError

RUNNING = FenceRow(7, True, "build_marts run_1 on host", "boot:1:2", (11, 12), 5.0)


def test_a_free_fence_gives_the_next_number_and_is_given_back() -> None:
    table = MemoryFence()
    for number in (1, 2):
        with held(table, someone(), 0) as hold:
            assert hold.owner.number == number
            assert table.row.running
        assert not table.row.running
    assert (table.takeovers, table.aborted) == ([], [])


def test_a_living_owner_is_named_and_left_alone() -> None:
    table = MemoryFence(row=RUNNING)
    with (
        pytest.raises(FenceHeldError, match="Build 7 is running: build_marts run_1 on host") as caught,
        held(table, someone(), 0),
    ):
        pass
    assert "--wait" in caught.value.advice
    assert (table.row, table.aborted) == (RUNNING, [])


def test_who_waits_gets_it_when_the_owner_has_ended() -> None:
    table = MemoryFence(row=RUNNING)

    def sleep(_seconds: float) -> None:
        table.row = replace(RUNNING, running=False)

    with held(table, someone(), 60, sleep) as hold:
        assert hold.owner.number == 8
    assert table.takeovers == []


@pytest.mark.parametrize(
    ("row", "lock"),
    [
        pytest.param(replace(RUNNING, silent_seconds=DEAD_SECONDS), None, id="silent for a minute"),
        pytest.param(RUNNING, "boot:1:2", id="its lock is ours: its processes have ended"),
    ],
)
def test_a_dead_owner_is_taken_over_on_record_and_its_sessions_are_ended(row: FenceRow, lock: str | None) -> None:
    table = MemoryFence(row=row)
    with held(table, someone(lock), 0) as hold:
        assert hold.owner.number == 8
    assert (table.takeovers, table.aborted) == ([7], [11, 12])


@pytest.mark.parametrize(
    ("row", "lock"),
    [
        pytest.param(replace(RUNNING, silent_seconds=DEAD_SECONDS - 1), None, id="not yet"),
        pytest.param(RUNNING, "boot:1:3", id="another lock file"),
        pytest.param(replace(RUNNING, lock=None), None, id="neither holds a lock"),
    ],
)
def test_nothing_less_makes_an_owner_dead(row: FenceRow, lock: str | None) -> None:
    assert not row.may_be_taken(lock)


def test_of_two_who_saw_the_same_row_one_takes_it() -> None:
    table = MemoryFence()
    assert table.take(NOBODY, "a", None, "one") is not None
    late = MemoryFence(row=table.row, owner="one")
    late.read = lambda: NOBODY  # type: ignore[method-assign] - read before the other one took it
    with pytest.raises(FenceHeldError), held(late, someone(), 0):
        pass
    assert late.owner == "one"


def test_a_failed_build_gives_the_fence_back_and_ends_what_its_dbt_left_running() -> None:
    table = MemoryFence()

    def fail() -> None:
        with held(table, someone(), 0):
            table.row = replace(table.row, sessions=(21,))
            raise BuildError("a node failed", advice="Mend it.")

    with pytest.raises(BuildError, match="a node failed"):
        fail()
    assert (table.row.running, table.aborted, table.built) == (False, [21], [])


def test_an_owner_who_lost_the_fence_is_told_by_its_heartbeat() -> None:
    table = MemoryFence()
    with held(table, someone(), 0) as first:
        first.check()
        table.owner = "somebody else"
        with Hold(table, first.owner, every_seconds=0.01) as hold:
            hold._thread.join(20)
            with pytest.raises(BuildError, match="lost its fence"):
                hold.check()


def test_an_owner_who_lost_the_fence_records_nothing() -> None:
    table = MemoryFence()
    with held(table, someone(), 0) as hold:
        table.owner = "somebody else"
        with pytest.raises(BuildError, match="lost its fence"):
            hold.succeed((4, "run"))
    assert table.built == []
    assert table.owner == "somebody else"


def test_the_heartbeat_ends_with_the_block() -> None:
    before = threading.active_count()
    table = MemoryFence(owner="t")
    with Hold(table, Ownership(1, "t"), every_seconds=0.01):
        beaten = threading.Event()
        table.beat = lambda _owner: not beaten.set()  # type: ignore[method-assign, func-returns-value]
        assert beaten.wait(20)
    assert threading.active_count() == before
