"""Records of a build, and when it does not run."""

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pytest
from building_testing.memory import MemoryFence, someone

from bank_dags.building.build import Choice, build_marts
from bank_dags.building.fence import Hold, held
from bank_dags.building.results import BuildError, BuildResults


@dataclass
class BusyBuilder:
    """A dbt during whose build another load commits."""

    table: MemoryFence
    builds: list[tuple[str, ...]] = field(default_factory=list)

    def build(self, hold: Hold, choice: Sequence[str] = ()) -> BuildResults:
        assert self.table.owner == hold.owner.token
        self.builds.append(tuple(choice))
        self.table.changed = (self.table.changed or 0) + 1
        return BuildResults(Counter(success=3), (), 1.0)


class FailingBuilder:
    """A dbt with a failing node."""

    def build(self, hold: Hold, choice: Sequence[str] = ()) -> BuildResults:
        raise BuildError("1 dbt nodes did not succeed.", advice="Mend it.")


OWED = Choice()


def _build(table: MemoryFence, dbt: BusyBuilder | FailingBuilder, choice: Choice = OWED) -> BuildResults | None:
    def hold() -> AbstractContextManager[Hold]:
        return held(table, someone(), 0)

    return build_marts(table, hold, dbt, "run", choice)


def test_the_load_id_read_before_dbt_is_recorded_so_what_came_meanwhile_stays_pending() -> None:
    table = MemoryFence(changed=4)
    assert _build(table, BusyBuilder(table)) is not None
    assert table.built == [(4, "run")]
    assert table.pending_build().is_pending


def test_a_build_that_is_not_pending_does_not_run() -> None:
    for changed, built in ((None, []), (4, [(4, "before")]), (3, [(4, "before")])):
        table = MemoryFence(changed=changed, built=list(built))
        dbt = BusyBuilder(table)
        assert _build(table, dbt) is None
        assert (dbt.builds, table.built, table.row.number) == ([], built, 0)


def test_what_the_fences_last_owner_has_built_is_not_built_again() -> None:
    table = MemoryFence(changed=4)
    dbt = BusyBuilder(table)

    def hold() -> AbstractContextManager[Hold]:
        table.built.append((4, "the one before"))
        return held(table, someone(), 0)

    assert build_marts(table, hold, dbt, "run", Choice()) is None
    assert (dbt.builds, table.row.running, table.built) == ([], False, [(4, "the one before")])


def test_a_failed_build_stays_pending_and_gives_the_fence_back() -> None:
    table = MemoryFence(changed=4)
    with pytest.raises(BuildError):
        _build(table, FailingBuilder())
    assert (table.built, table.row.running) == ([], False)
    assert table.pending_build().is_pending


def test_by_hand_it_builds_what_is_not_pending_and_records_only_what_leaves_nothing_out() -> None:
    table = MemoryFence(changed=4, built=[(4, "before")])
    dbt = BusyBuilder(table)
    part = Choice(("--select", "dim_accounts"), whole=False, even_if_not_pending=True)
    assert _build(table, dbt, part) is not None
    assert table.built == [(4, "before")]
    assert _build(table, dbt, Choice(even_if_not_pending=True)) is not None
    assert table.built == [(4, "before"), (5, "run")]
    assert dbt.builds == [("--select", "dim_accounts"), ()]
