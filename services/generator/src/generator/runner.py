"""Performs planned actions, at a rate, through lost connections, until they end or the program should stop."""

from collections.abc import Callable, Iterable
from typing import Final

from bank_common.runtime import tracing
from bank_common.runtime.logging import Logger
from bank_common.runtime.service import Readiness
from generator.metrics import GeneratorMetrics
from generator.model.actions import PlannedAction
from generator.model.bank import Bank
from generator.model.outcomes import Committed
from generator.model.run_totals import RunTotals
from generator.ports import BankAwayError, BankDatabase, Pause

DEPENDENCY: Final = "postgres"
_FIRST_RETRY_SECONDS: Final = 0.2
_LONGEST_RETRY_SECONDS: Final = 5.0
_CATCH_UP_SECONDS: Final = 1.0


class Runner:
    """A worker on one bank. `give_up_seconds`: how long it waits for a bank that went away (None: for ever)."""

    def __init__(
        self,
        database: BankDatabase,
        bank: Bank,
        pause: Pause,
        readiness: Readiness,
        metrics: GeneratorMetrics,
        log: Logger,
        *,
        give_up_seconds: float | None,
    ) -> None:
        self._database = database
        self._bank = bank
        self._pause = pause
        self._readiness = readiness
        self._metrics = metrics
        self._log = log
        self._give_up_seconds = give_up_seconds
        self.totals = RunTotals()

    def connect(self, give_up_seconds: float | None) -> bool:
        """Wait until the bank is there, and know it whole again; False when the program should stop instead.

        Raises:
            BankAwayError: it did not come within `give_up_seconds` (None: wait for ever).
            PipelineError: it is there and can't be used.
        """
        retry, started = _FIRST_RETRY_SECONDS, self._pause.now()
        while True:
            try:
                state = self._database.open()
            except BankAwayError as away:
                self._readiness.unready(DEPENDENCY, away.reason)
                self._log.warning("bank_away", reason=away.reason, retry_seconds=retry)
                waited = self._pause.now() - started
                if give_up_seconds is not None and waited >= give_up_seconds:
                    raise
                if self._pause.wait(retry):
                    return False
                retry = min(retry * 2, _LONGEST_RETRY_SECONDS)
            else:
                self._bank.replace(state)
                self._readiness.ready(DEPENDENCY)
                return True

    def work(
        self,
        plans: Iterable[PlannedAction],
        *,
        rate: float | None,
        seconds: float | None = None,
        progress: Callable[[RunTotals], None] = lambda _totals: None,
    ) -> None:
        """Perform the plans in order, `rate` a second (None: as fast as they go), for at most so many seconds.

        A plan that was not committed for sure is never performed again: the next one is planned on what is true.

        Raises:
            BankAwayError: the bank went away and did not come back within `give_up_seconds`.
        """
        started = due = self._pause.now()
        for plan in plans:
            if seconds is not None and self._pause.now() - started >= seconds:
                break
            if not self._perform(plan):
                break
            progress(self.totals)
            due = self._next_due(due, rate)
            if self._pause.wait(max(0.0, due - self._pause.now())):
                break
        self._note_position()

    def _next_due(self, due: float, rate: float | None) -> float:
        now = self._pause.now()
        if rate is None:
            return now
        # After a long stop the lost time is gone: no burst.
        return max(due + 1 / rate, now - _CATCH_UP_SECONDS)

    def _perform(self, plan: PlannedAction) -> bool:
        kind = plan.action.kind
        try:
            with tracing.span("generator.transaction", attributes={"bank.action": kind}):
                outcome = self._database.perform(plan, tracing.current_traceparent())
        except BankAwayError as away:
            if away.outcome_unknown:
                self.totals.unknown += 1
                self._metrics.unknown(kind)
            self._log.warning("connection_lost", reason=away.reason, outcome_unknown=away.outcome_unknown)
            self.totals.reconnects += 1
            return self.connect(self._give_up_seconds)
        self._bank.learn(outcome.state)
        self.totals.count(kind, outcome)
        self._metrics.counted(kind, outcome)
        if self.totals.first_position is None and isinstance(outcome, Committed):
            self._note_position()
        return True

    def _note_position(self) -> None:
        if not self.totals.committed:
            return
        try:
            self.totals.last_position = self._database.position()
        except BankAwayError as away:
            self._log.warning("position_unknown", reason=away.reason)
            return
        if self.totals.first_position is None:
            self.totals.first_position = self.totals.last_position
