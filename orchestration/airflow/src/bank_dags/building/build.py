"""The build: what it starts from is read under the fence before dbt builds, and recorded only when dbt succeeded."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from bank_dags.building.fence import Hold
from bank_dags.building.results import BuildResults
from bank_dags.loading.ports import Standing

log = structlog.get_logger(__name__)


class Ledgers(Protocol):
    """What the build reads in the warehouse."""

    def standing(self) -> Standing:
        """What was loaded and what was built, as committed."""
        ...


class Builder(Protocol):
    """dbt, or what stands for it in a test."""

    def build(self, hold: Hold, choice: Sequence[str] = ()) -> BuildResults:
        """Build once, as the fence's owner. Raises BuildError."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """What is built: dbt's arguments, and whether they leave anything out; only a whole build is recorded."""

    arguments: tuple[str, ...] = ()
    whole: bool = True
    even_if_not_owed: bool = False


def build_marts(
    ledgers: Ledgers, hold: Callable[[], AbstractContextManager[Hold]], dbt: Builder, run_id: str, choice: Choice
) -> BuildResults | None:
    """Build when RAW holds something that no successful build has seen, or at any rate; None: nothing was owed.

    A load that commits while dbt runs may or may not be seen: its id is above the recorded one, so its event, or the
    next sweep, builds again.

    Raises:
        FenceHeldError: another build is running.
        BuildError: nothing is recorded, so the build stays owed.
    """
    if not choice.even_if_not_owed and not ledgers.standing().build_owed:
        return None
    with hold() as held:
        # Again: whoever held the fence until now may have built it.
        standing = ledgers.standing()
        if not choice.even_if_not_owed and not standing.build_owed:
            held.succeed(None)
            return None
        results = dbt.build(held, choice.arguments)
        load_id = standing.changed_load_id if choice.whole else None
        held.succeed(None if load_id is None else (load_id, run_id))
    log.info("marts_built", load_id=load_id or 0, seconds=round(results.seconds, 2), **results.counts)
    return results
