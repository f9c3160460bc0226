"""The build: what it starts from is read under the fence before dbt builds, and recorded only when dbt succeeded."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from bank_dags.building.fence import Hold
from bank_dags.building.results import BuildResults
from bank_dags.loading.ports import PendingBuild

log = structlog.get_logger(__name__)


class Ledgers(Protocol):
    """The ledgers that a build reads in the warehouse."""

    def pending_build(self) -> PendingBuild:
        """Read the pending build from the ledgers, as committed."""
        ...


class Builder(Protocol):
    """dbt, or what stands for it in a test."""

    def build(self, hold: Hold, choice: Sequence[str] = ()) -> BuildResults:
        """Build once, as the fence's owner. Raises BuildError."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The selection of a build: dbt's arguments, and whether they leave anything out; only a whole one is recorded."""

    arguments: tuple[str, ...] = ()
    whole: bool = True
    even_if_not_pending: bool = False


def build_marts(
    ledgers: Ledgers, hold: Callable[[], AbstractContextManager[Hold]], dbt: Builder, run_id: str, choice: Choice
) -> BuildResults | None:
    """Build when RAW holds something that no successful build has seen, or at any rate; None: nothing was pending.

    A load that commits while dbt runs may or may not be seen: its id is above the recorded one, so its event, or the
    next sweep, builds again.

    Raises:
        FenceHeldError: another build is running.
        BuildError: nothing is recorded, so the build stays pending.
    """
    if not choice.even_if_not_pending and not ledgers.pending_build().is_pending:
        return None
    with hold() as held:
        # Again: whoever held the fence until now may have built it.
        pending_build = ledgers.pending_build()
        if not choice.even_if_not_pending and not pending_build.is_pending:
            held.succeed(None)
            return None
        results = dbt.build(held, choice.arguments)
        load_id = pending_build.changed_load_id if choice.whole else None
        held.succeed(None if load_id is None else (load_id, run_id))
    log.info("marts_built", load_id=load_id or 0, seconds=round(results.seconds, 2), **results.counts)
    return results
