"""What a build records, and when it does not run."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from bank_dags.building.build import build_marts
from bank_dags.building.results import BuildError, BuildResults
from bank_dags.loading.ports import Standing


@dataclass
class MemoryLedgers:
    """The two ledgers' heads."""

    changed: int | None
    built: list[tuple[int, str]] = field(default_factory=list)

    def standing(self) -> Standing:
        return Standing(self.changed, max((load_id for load_id, _ in self.built), default=None))

    def record_build(self, load_id: int, run_id: str) -> None:
        self.built.append((load_id, run_id))


@dataclass
class BusyBuilder:
    """A dbt during whose build another load commits."""

    ledgers: MemoryLedgers
    builds: int = 0

    def build(self) -> BuildResults:
        self.builds += 1
        self.ledgers.changed = (self.ledgers.changed or 0) + 1
        return BuildResults(Counter(success=3), (), 1.0)


class FailingBuilder:
    """A dbt with a failing node."""

    def build(self) -> BuildResults:
        raise BuildError("1 dbt nodes did not succeed.", advice="Mend it.")


def test_the_load_id_read_before_dbt_is_recorded_so_what_came_meanwhile_stays_owed() -> None:
    ledgers = MemoryLedgers(changed=4)
    assert build_marts(ledgers, BusyBuilder(ledgers), "run") == 4
    assert ledgers.built == [(4, "run")]
    assert ledgers.standing().build_owed


def test_a_build_that_is_not_owed_does_not_run() -> None:
    for changed, built in ((None, []), (4, [(4, "before")]), (3, [(4, "before")])):
        ledgers = MemoryLedgers(changed, list(built))
        dbt = BusyBuilder(ledgers)
        assert build_marts(ledgers, dbt, "run") is None
        assert (dbt.builds, ledgers.built) == (0, built)


def test_a_failed_build_stays_owed() -> None:
    ledgers = MemoryLedgers(changed=4)
    with pytest.raises(BuildError):
        build_marts(ledgers, FailingBuilder(), "run")
    assert ledgers.built == []
    assert ledgers.standing().build_owed
