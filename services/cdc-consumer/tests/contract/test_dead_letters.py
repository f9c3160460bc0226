"""Poison in real topics, when it halts, and the command that replays (I5, I10, M2)."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from consumer_testing.bank import Bank
from consumer_testing.process import ConsumerProcess, command, environment_of
from consumer_testing.real import Sandbox, until

pytestmark = [pytest.mark.contract, pytest.mark.timeout(180)]


class PoisonedBank(Bank):
    """A bank whose topic also holds undecodable records, each known by its (partition, offset)."""

    def __init__(self, sandbox: Sandbox, partitions: int = 1) -> None:
        super().__init__(sandbox, partitions)
        sandbox.create_topic("dead-letters")
        self.poison: dict[tuple[int, int], bytes] = {}

    def poisons(self) -> list[bytes]:
        """One of each kind."""
        good = self.value(self.row())
        return [
            b"\x01" + good[1:],
            good[:3],
            good[:25],
            good + b"\0",
            b"\0\0\x7f\xff\xff" + good[5:],
            good.replace(b"CHECKING", b"CHECK\xffNG"),
        ]

    def produce_poison(self, value: bytes) -> None:
        produced: list[Any] = []
        self.producer.begin_transaction()
        self.producer.produce(
            self.topic,
            key=b"its key",
            value=value,
            headers=[("h", b"1"), ("h", b"2")],
            partition=0,
            on_delivery=lambda _, message: produced.append(message),
        )
        self.producer.flush()
        self.producer.commit_transaction(30)
        self.poison[0, produced[0].offset()] = value


def landed_good(sandbox: Sandbox, bank: PoisonedBank) -> bool:
    return set(sandbox.landed_offsets(bank.topic)) >= set(sandbox.read_committed(bank.topic)) - set(bank.poison)


def dead_letters(sandbox: Sandbox) -> dict[bytes | None, bytes]:
    """What was undecodable, by its address; whether it was replayed is another record of the same key."""
    return {key: value for key, value, _ in sandbox.dead_letters() if value is not None}


def addressed(bank: PoisonedBank) -> dict[bytes | None, bytes]:
    return {f"{bank.topic}/{address[0]}/{address[1]}".encode(): value for address, value in bank.poison.items()}


def assert_isolated(sandbox: Sandbox, bank: PoisonedBank, context: str = "") -> None:
    """Good rows once each, the chain whole, the dead letters exactly the poison, and the segments count it."""
    good = sorted(set(sandbox.read_committed(bank.topic)) - set(bank.poison))
    assert sorted(sandbox.landed_offsets(bank.topic)) == good, context
    ranges = sandbox.ranges(bank.topic)
    for partition, partition_ranges in ranges.items():
        assert all(left[1] == right[0] for left, right in pairwise(partition_ranges)), (
            partition,
            partition_ranges,
            context,
        )
    assert dead_letters(sandbox) == addressed(bank), context
    rejected = [
        (int(key.split("/")[1]), offset)
        for key, _, table in sandbox.segments(bank.topic)
        for offset in json.loads(table.schema.metadata[b"bank-rejected-offsets"])
    ]
    assert sorted(rejected) == sorted(bank.poison), context


def test_dead_letters_are_listed_and_replayed(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = PoisonedBank(sandbox)
    bank.transaction(5)
    for value in bank.poisons():
        bank.produce_poison(value)
    with ConsumerProcess(sandbox, {bank.topic: "changes"}, tmp_path / "log") as consumer:
        until("all are dead letters", lambda: dead_letters(sandbox) == addressed(bank))
        listed = _lines(_command_line(sandbox, "list", "--json"))
        assert {(line["partition"], line["offset"]) for line in listed} == set(bank.poison)
        assert len({line["reason"] for line in listed}) >= 4

        waiting = set(list(bank.poison)[2:])
        before = set(sandbox.read_committed(bank.topic))
        assert "Replayed 2 of 6" in command(sandbox, tmp_path / "replay", "dead-letters", "replay", "--limit", "2")
        after = sandbox.read_committed(bank.topic)
        replayed = {address: value or b"" for address, value in after.items() if address not in before}
        assert list(replayed.values()) == list(bank.poison.values())[:2]
        bank.poison |= replayed
        until("they are dead letters again", lambda: dead_letters(sandbox) == addressed(bank))
        listed = _lines(command(sandbox, tmp_path / "list", "dead-letters", "list", "--json"))
        assert {(line["partition"], line["offset"]) for line in listed} == waiting | set(replayed)
        assert consumer.terminate() == 0
    for _, value, headers in sandbox.dead_letters():
        if value is not None:
            assert headers["dead-letter.key"] == b"its key"
            assert headers["dead-letter.reason"]
            assert headers["h"] == b"2"
    assert sorted(sandbox.landed_offsets(bank.topic)) == sorted(set(after) - set(bank.poison))


def test_too_much_poison_halts_and_keeps_it(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = PoisonedBank(sandbox)
    bank.transaction(5)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(sandbox, kinds, tmp_path / "log", rejected_max_run="3") as consumer:
        until("it lands", lambda: landed_good(sandbox, bank))
        for value in bank.poisons()[:5]:
            bank.produce_poison(value)
        assert consumer.wait() == 3
        [halt] = consumer.events("halted")
    assert "in a row" in halt["reason"]
    assert f"{bank.topic}/0" in halt["reason"]
    assert len(sandbox.landed_offsets(bank.topic)) == 5


def test_a_dead_letter_that_can_not_be_written_halts(sandbox: Sandbox, tmp_path: Path) -> None:
    bank = PoisonedBank(sandbox)
    bank.transaction(5)
    bank.produce_poison(bank.poisons()[0])
    bank.transaction(5)
    kinds = {bank.topic: "changes"}
    with ConsumerProcess(
        sandbox, kinds, tmp_path / "log", dead_letters_topic=sandbox.topic("nowhere"), dead_letters_timeout_seconds="1"
    ) as consumer:
        assert consumer.wait() == 3
        [halt] = consumer.events("halted")
    assert "dead letter" in halt["reason"]
    assert sandbox.landed_offsets(bank.topic) == []
    with ConsumerProcess(sandbox, kinds, tmp_path / "log") as consumer:
        until("all landed", lambda: landed_good(sandbox, bank))
        assert consumer.terminate() == 0
    assert_isolated(sandbox, bank)


def _command_line(sandbox: Sandbox, *arguments: str) -> str:
    """As an operator starts it: one interpreter and its imports."""
    line = [sys.executable, "-m", "cdc_consumer", "dead-letters", *arguments]
    environment = environment_of(sandbox)
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _lines(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
