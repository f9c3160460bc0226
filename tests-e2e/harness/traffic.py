"""Steady traffic at the bank: an open loop, so that a slow source shows as lateness and not as fewer transactions."""

import random
import threading
import time
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any

import psycopg

from harness.stack_driver import StackDriver


@dataclass(frozen=True, slots=True)
class Commit:
    """A database commit: the id of the row it inserted, and when it was due and committed (monotonic)."""

    transaction_id: int
    due: float
    committed: float


class SteadyTraffic:
    """Deposits from a thread of its own: each updates one account and inserts one row, in one database transaction.

    `commits` grows in commit order, which for one connection is the order of the ids. Leaving the context stops it.

    Raises:
        Exception: on leaving, whatever stopped the thread early.
    """

    def __init__(self, stack: StackDriver, rate: float, *, seed: int = 29) -> None:
        self._stack = stack
        self._pause = 1.0 / rate
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._failure: BaseException | None = None
        self.commits: list[Commit] = []
        self.cpu_seconds = 0.0

    def __enter__(self) -> "SteadyTraffic":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        if self._failure is not None and error is None:
            raise self._failure

    def stop(self) -> None:
        """Stop the traffic."""
        self._stopping.set()
        self._thread.join(60)

    def late_seconds(self) -> float:
        """The most that a transaction was committed after it was due."""
        return max((commit.committed - commit.due for commit in self.commits), default=0.0)

    def _run(self) -> None:
        try:
            with self._stack.postgres(autocommit=False) as bank:
                accounts = [row[0] for row in bank.execute("select id from accounts order by id").fetchall()]
                bank.commit()
                start, number = time.monotonic(), 0
                while not self._stopping.wait(max(0.0, start + number * self._pause - time.monotonic())):
                    due = start + number * self._pause
                    self.commits.append(
                        Commit(self._deposit(bank, self._random.choice(accounts)), due, time.monotonic())
                    )
                    number += 1
                    self.cpu_seconds = time.thread_time()
        except BaseException as failure:  # noqa: BLE001 (raised where the context is left)
            self._failure = failure

    def _deposit(self, bank: psycopg.Connection[Any], account: int) -> int:
        amount = Decimal(self._random.randint(1, 10_000)) / 100
        with bank.pipeline():
            bank.execute("update accounts set balance = balance + %s where id = %s", (amount, account))
            inserted = bank.execute(
                "insert into transactions (account_id, txn_type, amount) values (%s, 'DEPOSIT', %s) returning id",
                (account, amount),
            )
            bank.commit()
            row = inserted.fetchone()
        assert row is not None
        return row[0]
