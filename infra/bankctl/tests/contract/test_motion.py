"""The load's and the build's motion as the real store and the warehouse tell it, each by its own clock."""

import io
import os
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bank_common import names
from bank_common.landing.segments import SegmentKey, TopicPartition
from bankctl.operate import backlog, ledger
from bankctl.operate.backlog import StoreClock, Tail
from bankctl.operate.motion import Look, judged, look
from bankctl.operate.orchestration import DagView
from bankctl.provision.connect_api import ConnectorStatus
from bankctl.stack.stack import Stack

pytestmark = pytest.mark.contract

CHAIN = TopicPartition(names.TABLES[0].topic, 2)
RUNS = ConnectorStatus("c", "RUNNING", ("RUNNING",))
QUIET = {names.LOAD_DAG: DagView((), ()), names.BUILD_DAG: DagView((), (8.0,))}


@pytest.fixture
def bucket(stack: Stack) -> Iterator[str]:
    """An empty bucket of its own."""
    client, name = stack.object_store(), f"test-motion-{os.getpid()}"
    client.make_bucket(name)
    yield name
    for stored in client.list_objects(name, recursive=True):
        client.remove_object(name, str(stored.object_name))
    client.remove_bucket(name)


def _put(stack: Stack, bucket: str, *keys: object) -> None:
    for key in keys:
        stack.object_store().put_object(bucket, str(key), io.BytesIO(b"x"), 1)


def _backlog(stack: Stack, bucket: str, tails: dict[TopicPartition, Tail]) -> backlog.Backlog:
    clock = StoreClock()
    return backlog.look(stack.object_store(http_client=clock), clock, tails, bucket=bucket)


def test_what_lies_behind_a_tail_waits_by_the_stores_clock(stack: Stack, bucket: str) -> None:
    keys = [SegmentKey(*CHAIN, start) for start in (999_990, 999_999, 1_000_007)]
    _put(stack, bucket, *keys)
    backlog_seen = _backlog(stack, bucket, {CHAIN: Tail(999_990, 999_999)})
    assert backlog_seen.waiting is not None
    assert (backlog_seen.waiting.oldest, backlog_seen.waiting.count, backlog_seen.waiting.more) == (
        str(keys[1]),
        2,
        False,
    )
    assert 0 <= backlog_seen.waiting.seconds < 60
    assert (backlog_seen.lost, backlog_seen.broken) == ((), ())
    assert _backlog(stack, bucket, {CHAIN: Tail(1_000_007, 1_000_009)}).waiting is None


def test_a_foreign_object_a_gap_and_a_lost_tail_are_named(stack: Stack, bucket: str) -> None:
    own, other = SegmentKey(*CHAIN, 0), TopicPartition(CHAIN.topic, 0)
    foreign = f"{CHAIN.topic}/{CHAIN.partition:04d}/_SUCCESS"
    _put(stack, bucket, own, foreign, SegmentKey(*other, 0), SegmentKey(*other, 50))
    backlog_seen = _backlog(
        stack, bucket, {CHAIN: Tail(0, 10), other: Tail(0, 40), TopicPartition(CHAIN.topic, 1): Tail(0, 5)}
    )
    assert backlog_seen.waiting is not None
    assert backlog_seen.waiting.count == 2
    assert any(foreign in said for said in backlog_seen.broken)
    assert f"{other}: gap in the landing: 40 comes next, the segment starts at 50" in backlog_seen.broken
    assert [said.partition(":")[0] for said in backlog_seen.lost] == [f"{CHAIN.topic}/1"]


def test_a_bucket_that_is_not_there_yet_holds_nothing(stack: Stack) -> None:
    backlog_seen = _backlog(stack, "test-motion-absent", {})
    assert (backlog_seen.waiting, backlog_seen.lost) == (None, ())


@pytest.fixture
def connection(stack: Stack) -> Iterator[Any]:
    """The administrator's connection to a database of its own, with empty ledgers."""
    database = f"TEST_{uuid.uuid4().hex.upper()}"
    with closing(stack.connect_warehouse()) as opened:
        _run(opened, f"CREATE DATABASE {database}")
        _run(opened, f"CREATE SCHEMA {database}.{names.RAW_SCHEMA}")
        for table in ("LOAD_LEDGER", "LOAD_TAILS", "BUILD_LEDGER"):
            qualified_name = f"{names.RAW_SCHEMA}.{table}"
            _run(opened, f"CREATE TABLE {database}.{qualified_name} LIKE {names.WAREHOUSE_DATABASE}.{qualified_name}")
        with closing(stack.connect_warehouse(database=database)) as own:
            yield own
        _run(opened, f"DROP DATABASE {database}")


def _run(connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return cursor.execute(statement, values or None).fetchall()


def _loaded(connection: Any, load_id: int, seconds_ago: int, *, changes: bool = True) -> None:
    _run(
        connection,
        "INSERT INTO RAW.LOAD_LEDGER (TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, LOAD_ID, CHANGES_MARTS, STATUS,"
        " LOADED_AT) SELECT %s, %s, %s, %s, %s, %s, 'loaded', DATEADD('second', -%s, CURRENT_TIMESTAMP())",
        *CHAIN,
        load_id * 10,
        load_id * 10 + 10,
        load_id,
        changes,
        seconds_ago,
    )


def _built(connection: Any, load_id: int, seconds_ago: int) -> None:
    _run(
        connection,
        "INSERT INTO RAW.BUILD_LEDGER (BUILT_LOAD_ID, RUN_ID, BUILT_AT)"
        " SELECT %s, 'test', DATEADD('second', -%s, CURRENT_TIMESTAMP())",
        load_id,
        seconds_ago,
    )


def test_before_the_first_provisioning_nothing_waits(stack: Stack) -> None:
    with closing(stack.connect_warehouse(database="TEST_ABSENT")) as connection:
        assert ledger.pending_build(connection) is None
        assert ledger.tails(connection) == {}


def test_nothing_waits_before_anything_was_loaded(connection: Any) -> None:
    assert ledger.pending_build(connection) is None
    assert ledger.tails(connection) == {}
    assert ledger.loaded(connection, 60) == {}


def test_the_oldest_load_that_no_build_has_seen_waits_by_the_warehouses_clock(connection: Any) -> None:
    for load_id, seconds, changes in ((1, 900, True), (2, 700, False), (3, 500, True), (4, 30, True)):
        _loaded(connection, load_id, seconds, changes=changes)
    _built(connection, 1, 800)
    waiting = ledger.pending_build(connection)
    assert waiting is not None
    assert (waiting.oldest, waiting.count) == ("load 3", 2)
    assert waiting.seconds == pytest.approx(500, abs=20)
    assert ledger.loaded(connection, 60) == {CHAIN: 1}
    # A build that ended later could not see it: the load waits for the next one from there.
    _built(connection, 1, 100)
    later = ledger.pending_build(connection)
    assert later is not None
    assert later.seconds == pytest.approx(100, abs=20)
    _built(connection, 4, 0)
    assert ledger.pending_build(connection) is None


def test_a_tail_is_read_as_the_load_wrote_it(connection: Any) -> None:
    _run(
        connection,
        "INSERT INTO RAW.LOAD_TAILS (TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS)"
        " SELECT %s, %s, 7, 9, 'skipped'",
        *CHAIN,
    )
    assert ledger.tails(connection) == {CHAIN: Tail(7, 9, landed=False)}


def test_a_whole_look_gives_a_judgement_and_names_the_airflow_that_is_not_there(stack: Stack) -> None:
    seen = look(stack)
    assert seen.up_seconds is not None
    assert isinstance(seen.dags, str)
    assert not isinstance(seen.landing, str), seen.landing
    assert not isinstance(seen.pending_build, str), seen.pending_build
    for hop, silent in zip(judged(seen, 60, 10), ("Kafka Connect", "Airflow", "Airflow"), strict=True):
        assert not hop.moving
        assert silent in hop.sentence
        assert "does not answer" in hop.sentence
    now = datetime.now(UTC)
    assert abs(seen.landing.now - now) < timedelta(minutes=5)
    assert (
        all(hop.moving for hop in judged(Look(seen.landing, None, QUIET, RUNS, up_seconds=0), 60, 10))
        or seen.landing.lost
    )
