"""Composition root of the two DAGs: reads the settings, builds the adapters, runs one task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from opentelemetry import trace

from bank_common import names
from bank_common.runtime import tracing
from bank_common.runtime.errors import PipelineError
from bank_dags.query_tag import QueryTag
from bank_dags.settings import BankDagsSettings, snowflake_settings

log = structlog.get_logger(__name__)

BUILD_WAIT_SECONDS: Final = 75.0
"""How long the DAG waits for another build: until a dead one can be taken over. A living one leaves it pending."""

WAKE_UP_SECONDS: Final = 5.0
"""How old a segment is, at a target lag of less, before a sweep takes it: its wake-up comes in this time."""


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """The outcome of a load, and whether it asks for a build."""

    segments: int
    rows: int
    load_id: int | None
    build_pending: bool
    traceparent: str | None
    left: bool = False
    """The run ended by its time: the next one is to start at once."""
    halted: tuple[str, ...] = ()
    """What stopped single chains, each with its advice."""

    @property
    def did_nothing(self) -> bool:
        """True when nothing was loaded, no build is pending and no chain is halted: the task shows as skipped."""
        return not self.segments and not self.build_pending and not self.halted

    def event_extra(self) -> dict[str, Any]:
        """The extra of the asset's event: hints and trace context, never the work list."""
        extra = {"load_id": self.load_id, tracing.TRACEPARENT: self.traceparent}
        return {name: value for name, value in extra.items() if value is not None}


def traceparent_of(conf: Mapping[str, Any] | None) -> str | None:
    """The caller's trace context from a run's conf or an event's extra: a short text, or nothing."""
    value = (conf or {}).get(tracing.TRACEPARENT)
    return value if isinstance(value, str) and len(value) <= len("00-") + 32 + 1 + 16 + len("-00") else None


def load_raw(run_id: str, conf: Mapping[str, Any] | None, *, sweep: bool) -> LoadOutcome:
    """Do the load DAG's work: landing minus ledger into RAW.

    A `sweep` loads nothing while what waits is younger than the target lag: a wake-up comes for that.

    Raises:
        PipelineError: with what was seen and what to do.
    """
    # Heavy clients load in the task only, never while the DAG file is parsed.
    from bank_dags.adapters.landing import S3Landing
    from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
    from bank_dags.adapters.snowflake.session import connect
    from bank_dags.loading.load import Committed, Loader
    from bank_dags.loading.load_plan import LoadLimits

    settings = BankDagsSettings.load()
    tracing.start("bank-dags", settings.telemetry)
    caller = traceparent_of(conf)
    try:
        with tracing.span("load_raw", parent=caller, attributes={"airflow.run_id": run_id}) as span:
            query_tag = QueryTag(names.LOAD_DAG, run_id, tracing.current_traceparent() or caller)
            with connect(snowflake_settings(), query_tag, *settings.timeouts) as connection:
                warehouse = SnowflakeWarehouse(connection)
                landing = S3Landing(settings.store, settings.bucket)
                limits = LoadLimits(settings.max_segments, settings.max_bytes)
                committed: list[Committed] = []
                loader = Loader(
                    landing,
                    warehouse,
                    limits,
                    settings.threads,
                    run_seconds=settings.bounded_run_seconds,
                    rest_seconds=max(settings.target_lag_seconds, WAKE_UP_SECONDS) if sweep else 0.0,
                )
                for batch in loader.run():
                    committed.append(batch)
                    for link in tracing.links(batch.traceparents):
                        span.add_link(link.context)
                pending_build = warehouse.pending_build()
            outcome = LoadOutcome(
                segments=sum(batch.segments for batch in committed),
                rows=sum(batch.rows for batch in committed),
                load_id=pending_build.changed_load_id,
                build_pending=pending_build.is_asked_for(loaded=bool(committed)),
                traceparent=query_tag.traceparent,
                left=loader.left,
                halted=tuple(dict.fromkeys(str(error) for error in loader.halted.values())),
            )
            _describe(span, outcome)
            return outcome
    finally:
        tracing.stop()


def fail_for_halted(halted: Sequence[str]) -> None:
    """Make the run red for the chains that its load could not go on with; everything else was loaded.

    Raises:
        PipelineError: with each chain's reason and advice. Nothing when none is halted.
    """
    if halted:
        raise PipelineError("\n".join(halted), advice="The other chains were loaded; these wait until it is mended.")


def build_marts(run_id: str, traceparents: list[str | None]) -> bool:
    """Do the build DAG's work; False when no build was pending.

    Raises:
        FenceHeldError: another build runs for longer than a dead one is waited for; the build stays pending.
        PipelineError: with the failing nodes, or what else went wrong; the build stays pending.
    """
    from bank_dags import door
    from bank_dags.building.build import Choice

    settings = BankDagsSettings.load()
    tracing.start("bank-dags", settings.telemetry)
    try:
        with tracing.span("build_marts", linked=traceparents, attributes={"airflow.run_id": run_id}):
            inherited = next((traceparent for traceparent in reversed(traceparents) if traceparent), None)
            query_tag = QueryTag(names.BUILD_DAG, run_id, tracing.current_traceparent() or inherited)
            return door.build(settings, query_tag, Choice(), BUILD_WAIT_SECONDS) is not None
    finally:
        tracing.stop()


def _describe(span: trace.Span, outcome: LoadOutcome) -> None:
    attributes = {
        "segments": outcome.segments,
        "rows": outcome.rows,
        "build_owed": outcome.build_pending,
        "left": outcome.left,
        "halted": len(outcome.halted),
    }
    span.set_attributes({f"bank.{name}": value for name, value in attributes.items()})
    log.info("load_ended", **attributes, load_id=outcome.load_id or 0)
