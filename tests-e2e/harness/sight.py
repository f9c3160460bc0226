"""First sight: when a reader of the warehouse first sees a commit in RAW and mart, by plain SQL on one session."""

import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import snowflake.connector
from snowflake.connector.errors import Error, ProgrammingError

from bank_common.runtime.errors import PipelineError
from harness.stack_driver import StackDriver
from harness.traffic import Commit

RAW = "select ID from BANK.RAW.TRANSACTIONS where ID > %s"
MART = "select max(TRANSACTION_ID) from BANK.MARTS.FCT_TRANSACTIONS"


class FirstSight:
    """Looks for the rows of `commits` every so many seconds until the context is left.

    `raw` and `mart` say for each transaction id when it was first seen (monotonic seconds). Marts show whole
    transactions in commit order, so their highest id says it for all before it; in RAW each partition moves alone.
    A warehouse that does not answer is asked again.
    """

    def __init__(self, stack: StackDriver, commits: Sequence[Commit], *, every: float = 0.5) -> None:
        self._stack = stack
        self._commits = commits
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._session: snowflake.connector.SnowflakeConnection | None = None
        self.raw: dict[int, float] = {}
        self.mart: dict[int, float] = {}
        self.mart_moves: list[float] = []
        self.looks = 0
        self.cpu_seconds = 0.0

    def __enter__(self) -> "FirstSight":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(60)
        if self._session is not None:
            self._session.close()

    def lags(self, seen: dict[int, float]) -> list[float]:
        """Seconds until each commit so far was seen; for one that is not seen yet, its age."""
        now = time.monotonic()
        return [seen.get(commit.transaction_id, now) - commit.committed for commit in list(self._commits)]

    def oldest_unseen(self, seen: dict[int, float]) -> float:
        """Age in seconds of the oldest commit that was not seen yet; 0 when all were."""
        now = time.monotonic()
        return max((now - it.committed for it in list(self._commits) if it.transaction_id not in seen), default=0.0)

    def all_seen(self) -> bool:
        """Tell whether every commit so far is in RAW and in the mart."""
        return len(self.raw) == len(self.mart) == len(self._commits)

    def _run(self) -> None:
        raw_from = mart_from = 0
        while not self._stopping.is_set():
            looked = time.monotonic()
            try:
                raw_from = self._look(self._raw_ids, self.raw, raw_from)
                before = mart_from
                mart_from = self._look(self._mart_ids, self.mart, mart_from)
                if mart_from > before:
                    self.mart_moves.append(time.monotonic())
                self.looks += 1
            except ProgrammingError:
                pass  # the mart is not there yet
            except (Error, PipelineError):
                self._session = None
            self.cpu_seconds = time.thread_time()
            self._stopping.wait(max(0.0, looked + self._every - time.monotonic()))

    def _look(self, ids: Callable[[int], Callable[[int], bool]], seen: dict[int, float], first: int) -> int:
        """Note what shows now; gives the number of the first commit that does not."""
        if first == len(self._commits):
            return first
        shows, now = ids(self._commits[first].transaction_id), time.monotonic()
        for commit in self._commits[first : len(self._commits)]:
            if commit.transaction_id not in seen and shows(commit.transaction_id):
                seen[commit.transaction_id] = now
        while first < len(self._commits) and self._commits[first].transaction_id in seen:
            first += 1
        return first

    def _raw_ids(self, first: int) -> Callable[[int], bool]:
        return {int(row[0]) for row in self._rows(RAW, first - 1)}.__contains__

    def _mart_ids(self, first: int) -> Callable[[int], bool]:
        highest = int(self._rows(MART)[0][0] or 0)
        return lambda transaction_id: transaction_id <= highest

    def _rows(self, sql: str, *binds: int) -> list[tuple[Any, ...]]:
        if self._session is None:
            self._session = self._stack.stack.connect_warehouse(network_timeout=20)
        return list(self._session.cursor().execute(sql, binds or None))  # type: ignore[arg-type, union-attr]
