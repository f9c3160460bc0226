"""I5 over a million changes: SIGKILLs at random instants and at every failpoint lose and double nothing."""

import os
import random
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import pytest
from consumer_testing.launch import Kill
from consumer_testing.oracle import assert_landed_once
from consumer_testing.process import ConsumerProcess
from consumer_testing.proxy import Break, FaultyProxy
from consumer_testing.real import Sandbox, until
from consumer_testing.traffic import SEED, Traffic

from cdc_consumer.failpoints import Failpoint

KILLS = int(os.environ.get("CHAOS_KILLS", "20"))
CHANGES = 1_000_000
POISON = 0.0001
"""Share of each kind. An unknown schema id is asked for each time that it comes: more would measure the registry."""

RANDOM = "at a random instant"
PUT_SENT = "while a PUT is on its way"
POINTS = (*Failpoint, PUT_SENT)
EARLY = 0.2
"""Share of the random kills that come while the process starts."""
KILLED = -signal.SIGKILL

pytestmark = [pytest.mark.contract, pytest.mark.timeout(240 + 5 * KILLS)]


class Lives:
    """One consumer after another over the same topic, each with its own end. A static member: the next one starts at
    once, while the group still counts the killed one as living."""

    def __init__(self, traffic: Traffic, proxy: FaultyProxy, log: Path, chance: random.Random) -> None:
        self.traffic = traffic
        self.proxy = proxy
        self._log = log
        self._chance = chance
        self.rows = max(100, CHANGES // (KILLS * 10))
        """Of one segment: small enough for several in each life."""

    def start(self, **launch: Any) -> ConsumerProcess:
        return ConsumerProcess(
            self.traffic.sandbox,
            {self.traffic.topic: "changes"},
            self._log,
            **launch,
            group_instance_id=f"{self.traffic.sandbox.prefix}-member",
            max_rows=str(self.rows),
            max_poll_records=str(self.rows),
            store__endpoint=self.proxy.url,
        )

    def ends(self, point: Failpoint | str) -> None:
        """One life, that lands a few segments and is killed there."""
        count = self._chance.randrange(2, 12)
        if isinstance(point, Failpoint):
            # One commit is of all that a turn has stored.
            commits = point in (Failpoint.OFFSETS_SENT, Failpoint.OFFSETS_COMMITTED)
            with self.start(kill=Kill(point, (count + 1) // 2 if commits else count)) as consumer:
                assert consumer.wait(60) == KILLED, point
        elif point == PUT_SENT:
            with self.start() as consumer:
                share = self._chance.choice((0.0, 0.5, 1.0))
                self.proxy.within_put = Break(count, share, lambda: consumer.signal(signal.SIGKILL))
                assert consumer.wait(60) == KILLED, point
        else:
            with self.start() as consumer:
                early = self._chance.random() < EARLY
                until("it lands", lambda: early or len(consumer.events("segment_stored")) >= count)
                assert consumer.lives(self._chance.random() * (1 if early else 0.1)) is None
                consumer.kill()


def points(chance: random.Random) -> Iterator[Failpoint | str]:
    """Half of the kills come at named points, each of them equally often."""
    named = islice(cycle(POINTS), max(len(POINTS), KILLS // 2))
    in_order = [*named, *[RANDOM] * (KILLS - KILLS // 2)]
    chance.shuffle(in_order)
    return iter(in_order)


@contextmanager
def _told(kills: list[str]) -> Generator[None]:
    """Whatever fails within, however: its message says which kills came before it, and how to have them again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"CHAOS_SEED={SEED} CHAOS_KILLS={KILLS} repeats it. Kills so far: {kills}")
        raise


def test_kills_lose_and_double_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    traffic = Traffic(sandbox, SEED)
    traffic.fill(CHANGES, POISON)
    kills: list[str] = []
    with _told(kills), FaultyProxy(sandbox.store_endpoint) as proxy:
        lives = Lives(traffic, proxy, tmp_path / "log", chance)
        for point in points(chance):
            kills.append(str(point))
            lives.ends(point)
        with lives.start(until_caught_up=True) as consumer:
            assert consumer.wait(120) == 0
            begun = sum(topic_partition["offset"] for topic_partition in consumer.events("resumed"))
        records, end = assert_landed_once(traffic, "after all kills")
        assert records >= CHANGES
        # About half of it, by chance: where a life ends is random.
        assert begun > end / 4, "the kills hit a good part of the topic"
