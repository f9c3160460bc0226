"""The build: what it starts from is read before dbt builds, and recorded only when dbt succeeded."""

from typing import Protocol

import structlog

from bank_dags.building.results import BuildResults
from bank_dags.loading.ports import Standing

log = structlog.get_logger(__name__)


class Ledgers(Protocol):
    """What the build reads and writes in the warehouse."""

    def standing(self) -> Standing:
        """What was loaded and what was built, as committed."""
        ...

    def record_build(self, load_id: int, run_id: str) -> None:
        """Append: a build that saw everything up to `load_id` succeeded."""
        ...


class Builder(Protocol):
    """dbt, or what stands for it in a test."""

    def build(self) -> BuildResults:
        """Build everything once. Raises BuildError."""
        ...


def build_marts(ledgers: Ledgers, dbt: Builder, run_id: str) -> int | None:
    """Build when RAW holds something that no successful build has seen; gives the load id built, else None.

    A load that commits while dbt runs may or may not be seen: its id is above the recorded one, so its event, or the
    next sweep, builds again.

    Raises:
        BuildError: nothing is recorded, so the build stays owed.
    """
    standing = ledgers.standing()
    if not standing.build_owed or standing.changed_load_id is None:
        return None
    results = dbt.build()
    ledgers.record_build(standing.changed_load_id, run_id)
    log.info("marts_built", load_id=standing.changed_load_id, seconds=round(results.seconds, 2), **results.counts)
    return standing.changed_load_id
