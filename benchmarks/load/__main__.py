"""`make benchmark-load`: how many segments a second a load run takes, on a backlog of small segments.

One topic with three partitions and four with one, as a bank of one busy table looks after an outage. Prints the rate of
each run, the share of each step, and the rate's ratio between a short ledger and a long one.
"""

import argparse
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from bank_common import names
from bank_dags.adapters.landing import S3Landing
from bank_dags.loading.load import Loader
from loading_testing import segments
from loading_testing.loading import LIMITS, warehouse
from loading_testing.segments import Made
from loading_testing.stack import Sandbox, sandbox, stack

CHAINS = (
    *((segments.ACCOUNTS, partition) for partition in range(3)),
    ("bank.public.customers", 0),
    ("bank.public.transactions", 0),
    (names.TRANSACTION_TOPIC, 0),
    (names.NOTIFICATIONS_TOPIC, 0),
)


class Timed:
    """Adds up the seconds of a port's methods."""

    def __init__(self, port: Any, spent: Counter[str]) -> None:
        self._port = port
        self._spent: Any = spent  # seconds; the stubs of Counter know whole numbers only

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member) or name == "transaction":
            return member

        def timed(*arguments: Any) -> Any:
            start = time.perf_counter()
            try:
                return member(*arguments)
            finally:
                self._spent[name] += time.perf_counter() - start

        return timed


class TimedWarehouse(Timed):
    """A warehouse whose transaction's methods are timed as well, BEGIN and COMMIT as `transaction`."""

    @contextmanager
    def transaction(self) -> Iterator[Timed]:
        start, inner = time.perf_counter(), self._spent.total()
        with self._port.transaction() as transaction:
            yield Timed(transaction, self._spent)
        self._spent["transaction"] += time.perf_counter() - start - (self._spent.total() - inner)


ROWS: Final = 5


def backlog(per_chain: int, first: int) -> list[Made]:
    """`each` segments of every chain, of `ROWS` rows each, from an offset on."""
    return [
        segments.rows_of(topic, partition, first + ROWS * number, ROWS)
        for number in range(per_chain)
        for topic, partition in CHAINS
    ]


def run(prepared: Sandbox, per_chain: int, first: int) -> tuple[float, Counter[str]]:
    """Land a backlog, load it in one run; gives segments a second and the seconds of each step."""
    made = backlog(per_chain, first)
    prepared.land(*made)
    spent: Counter[str] = Counter()
    with warehouse(prepared) as session:
        landing = Timed(S3Landing(prepared.store_settings, prepared.bucket), spent)
        loader = Loader(landing, TimedWarehouse(session, spent), LIMITS)  # pyright: ignore[reportArgumentType]
        start = time.perf_counter()
        loaded = sum(batch.segments for batch in loader.run())
        seconds = time.perf_counter() - start
    assert loaded == len(made), f"{loaded} of {len(made)} segments were loaded"
    return loaded / seconds, spent


def lengthen(prepared: Sandbox, rows: int) -> None:
    """Ledger rows of chains that nobody lands: what the plan must not read."""
    prepared.query(
        "INSERT INTO RAW.LOAD_LEDGER (SEGMENT, TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, LOAD_ID, "
        f"CHANGES_MARTS, STATUS) SELECT 'old', '{segments.ACCOUNTS}', 9, SEQ4(), SEQ4() + 1, 0, FALSE, 'loaded' "
        f"FROM TABLE(GENERATOR(ROWCOUNT => {rows}))"
    )


def show(title: str, rates: Sequence[float], spent: Counter[str]) -> None:
    """Print a line of rates and a line of steps."""
    print(f"{title}: {statistics.median(rates):.0f} segments/s in median ({min(rates):.0f} to {max(rates):.0f})")
    total = spent.total()
    print("  " + ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in spent.most_common(8)))


def main() -> None:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--segments", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--ledger", type=int, default=1_000_000, help="rows of the long ledger")
    asked = options.parse_args()
    with stack() as running, sandbox(running) as prepared:
        medians: list[float] = []
        per_chain, first = -(-asked.segments // len(CHAINS)), 0
        for title, rows in (("short ledger", 0), (f"ledger of {asked.ledger:,} rows more", asked.ledger)):
            if rows:
                lengthen(prepared, rows)
            rates: list[float] = []
            spent: Counter[str] = Counter()
            for _ in range(asked.rounds):
                rate, seconds = run(prepared, per_chain, first)
                first += per_chain * ROWS
                rates.append(rate)
                spent += seconds
            show(title, rates, spent)
            medians.append(statistics.median(rates))
        print(f"rate with the long ledger over the short one's: {medians[1] / medians[0]:.2f}")


if __name__ == "__main__":
    main()
