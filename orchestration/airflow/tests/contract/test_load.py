"""The load against a real warehouse and a real object store: exactly once, in order, or not at all."""

import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal

import obstore
import pytest
from load_world import segments
from load_world.loading import LIMITS, run_killed_load, run_load, run_with_halts, warehouse
from load_world.segments import ACCOUNTS, Made
from load_world.stack import World

from bank_common import names
from bank_common.landing import SegmentKey
from bank_dags.loading.load import Committed, Loader
from bank_dags.loading.plan import Limits
from bank_dags.loading.reasons import (
    BrokenChain,
    ContentDiffers,
    CopyRefused,
    ForeignObject,
    LedgerBeyondLanding,
    LoadError,
    RowsDiffer,
    TailsBehind,
    WarehouseFailed,
)
from bank_dags.loading.segments import Chain
from bank_dags.loading.snowflake import SnowflakeWarehouse
from bank_dags.loading.store import S3Landing
from bank_dags.origin import Origin
from bank_dags.skip import skip
from bank_dags.warehouse import connect


def offsets(*made: Made) -> list[tuple[str, int, int]]:
    return sorted(
        (each.key.topic, each.key.partition, offset)
        for each in made
        for offset in range(each.metadata.start, each.metadata.start + each.metadata.rows)
    )


def test_what_landed_is_loaded_once_with_exact_values(world: World) -> None:
    landed = [
        segments.accounts(0, 0, 5),
        segments.accounts(0, 5, 9, rows=3),
        segments.accounts(1, 40, 42),
        segments.transaction_ends(0, ["public.accounts"]),
    ]
    world.land(*landed)
    first = run_load(world)
    assert [(batch.segments, batch.rows) for batch in first] == [(4, 12)]
    assert world.loaded_offsets() == offsets(*landed)
    assert [row[1:] for row in world.ledger() if row[0].startswith(f"{ACCOUNTS}/0000")] == [
        (0, 5, 5, 1, True, "loaded"),
        (5, 9, 3, 1, True, "loaded"),
    ]
    assert world.fence() == 1
    assert world.staged() == []
    key = landed[0].key
    rows = world.query(
        "SELECT ID, BALANCE, CREATED_AT, _CDC_LSN, _CDC_SEGMENT FROM RAW.ACCOUNTS "
        f"WHERE _CDC_SEGMENT = '{key}' ORDER BY ID"
    )
    for found, offset in zip(rows, range(5), strict=True):
        sent = segments.account_row(key, offset)
        assert found == (offset, sent["balance"], sent["created_at"], sent["_cdc_lsn"], str(key))
        assert isinstance(found[1], Decimal)

    assert run_load(world) == []
    assert world.loaded_offsets() == offsets(*landed)
    assert world.fence() == 1


def test_a_backlog_is_loaded_in_batches_until_it_is_empty(world: World) -> None:
    landed = [segments.accounts(partition, start, start + 2) for partition in (0, 1) for start in range(0, 10, 2)]
    world.land(*landed)
    batches = run_load(world, Limits(max_segments=4, max_bytes=1024**2))
    assert sum(batch.segments for batch in batches) == 10
    assert max(batch.segments for batch in batches) <= 4
    assert [batch.load_id for batch in batches] == [*range(1, len(batches) + 1)]
    assert world.loaded_offsets() == offsets(*landed)


def test_a_segment_without_rows_goes_to_the_ledger_alone(world: World) -> None:
    world.land(segments.accounts(0, 0, 4, rows=0), segments.accounts(0, 4, 6))
    run_load(world)
    assert [row[1:4] for row in world.ledger()] == [(0, 4, 0), (4, 6, 2)]
    assert [offset for _, _, offset in world.loaded_offsets()] == [4, 5]


@pytest.mark.parametrize("point", ["copied", "recorded", "committed"])
def test_a_killed_load_loses_and_doubles_nothing(world: World, point: str) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(2, 7, 9)]
    world.land(*landed)
    run_killed_load(world, point)
    survived = offsets(*landed) if point == "committed" else []
    assert world.loaded_offsets() == survived
    run_load(world)
    assert world.loaded_offsets() == offsets(*landed)
    assert len(world.ledger()) == len(landed)


def test_two_loads_with_the_same_plan_load_each_offset_once(world: World) -> None:
    """The second one waits at the fence with a plan that the first one makes untrue."""
    landed = [segments.accounts(0, 0, 5), segments.accounts(1, 0, 3)]
    world.land(*landed)
    at_the_fence = threading.Event()

    class Announcing(SnowflakeWarehouse):
        def raise_fence(self) -> int:
            at_the_fence.set()
            return super().raise_fence()

    second: list[Committed] = []

    def run_second() -> None:
        with warehouse(world, Announcing) as session:
            second.extend(Loader(S3Landing(world.store_settings, world.bucket), session, LIMITS).run())

    other = threading.Thread(target=run_second)

    def let_the_second_plan(point: str) -> None:
        if point == "copied":
            other.start()
            assert at_the_fence.wait(60), "the second load never reached the fence"

    first = run_load(world, checkpoint=let_the_second_plan)
    other.join(60)
    assert not other.is_alive()
    assert [batch.segments for batch in first] == [2]
    assert second == []
    assert world.loaded_offsets() == offsets(*landed)
    assert len(world.ledger()) == len(landed)
    assert world.fence() == 1, "a load that was overtaken leaves no trace"


def halted(world: World) -> LoadError:
    """A load that must stop, and leave RAW, ledger, fence and stage as they were."""
    before = (world.loaded_offsets(), world.ledger(), world.fence())
    with pytest.raises(LoadError) as caught:
        run_load(world)
    assert (world.loaded_offsets(), world.ledger(), world.fence()) == before
    assert world.staged() == []
    return caught.value


@pytest.mark.parametrize("claimed", [2, 4])
def test_another_number_of_rows_rolls_the_load_back(world: World, claimed: int) -> None:
    wrong = segments.accounts(0, 0, 9, rows=3).lying(rows=claimed)
    world.land(wrong, segments.accounts(1, 0, 2))
    assert halted(world).reason == RowsDiffer(str(wrong.key), claimed, 3)


def test_a_missing_segment_halts_and_a_skip_on_record_mends_it(world: World) -> None:
    landed = segments.accounts(0, 0, 5), segments.accounts(0, 8, 10)
    world.land(*landed)
    committed, stopped = run_with_halts(world)
    assert [batch.segments for batch in committed] == [1], "what was whole before the gap goes in"
    error = halted(world)
    assert error.reason == stopped[Chain(ACCOUNTS, 0)].reason == BrokenChain(Chain(ACCOUNTS, 0), 5, 8)
    assert f"python -m bank_dags.skip {ACCOUNTS} 0 5 --end 8" in str(error)

    landing = S3Landing(world.store_settings, world.bucket)
    with warehouse(world) as session:
        skip(landing, session, Chain(ACCOUNTS, 0), 5, 8, "lost, ticket 42")
    run_load(world)
    assert world.loaded_offsets() == offsets(*landed)
    assert [row[1:4] + row[5:] for row in world.ledger()] == [
        (0, 5, 5, True, "loaded"),
        (5, 8, 0, True, "skipped"),
        (8, 10, 2, True, "loaded"),
    ]
    assert world.query("SELECT REASON FROM RAW.LOAD_LEDGER WHERE STATUS = 'skipped'") == [("lost, ticket 42",)]
    assert run_load(world) == []


def test_an_overlap_halts_its_chain_before_it_and_others_go_on(world: World) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(1, 7, 9), segments.transaction_ends(0, ["public.accounts"])]
    world.land(*landed, segments.accounts(0, 4, 6))
    committed, stopped = run_with_halts(world)
    assert [batch.segments for batch in committed] == [3]
    assert {chain: error.reason for chain, error in stopped.items()} == {
        Chain(ACCOUNTS, 0): BrokenChain(Chain(ACCOUNTS, 0), 5, 4)
    }
    assert world.loaded_offsets() == offsets(*landed)
    assert halted(world).reason == BrokenChain(Chain(ACCOUNTS, 0), 5, 4)


def test_bytes_that_are_not_the_metadatas_halt(world: World) -> None:
    true, other = segments.accounts(0, 0, 5), segments.accounts(0, 0, 6)
    world.land(true.lying(sha256=other.metadata.sha256))
    reason = halted(world).reason
    assert reason == ContentDiffers(str(true.key), other.metadata.sha256, true.metadata.sha256)


@pytest.mark.parametrize("rest", [0, 1])
def test_a_ledger_beyond_the_landing_halts(world: World, rest: int) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(0, 5, 6)]
    world.land(*landed)
    run_load(world)
    for made in landed[rest:]:
        obstore.delete(world.store, str(made.key))
    assert halted(world).reason == LedgerBeyondLanding(Chain(ACCOUNTS, 0), str(landed[1].key))


def test_a_foreign_object_halts(world: World) -> None:
    obstore.put(world.store, f"{ACCOUNTS}/0000/notes.txt", b"x")
    assert isinstance(halted(world).reason, ForeignObject)


def test_a_value_that_does_not_fit_its_column_rolls_the_load_back(world: World) -> None:
    world.land(segments.accounts(0, 0, 2), segments.misfit(1, 0))
    reason = halted(world).reason
    assert isinstance(reason, CopyRefused)
    assert reason.topic == ACCOUNTS
    assert "seven" not in str(reason), "a message never shows a row's value"


def test_the_tails_follow_the_ledger_and_can_be_made_from_it(world: World) -> None:
    world.land(segments.accounts(0, 0, 5), segments.accounts(1, 7, 9), segments.transaction_ends(0, [None]))
    run_load(world)
    world.land(segments.accounts(0, 5, 6, rows=0), segments.accounts(1, 9, 10))
    run_load(world)
    tails = "SELECT TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS, CHANGED_LOAD_ID FROM RAW.LOAD_TAILS"
    found = sorted(world.query(tails))
    assert found == [
        (ACCOUNTS, 0, 5, 6, "loaded", 1),
        (ACCOUNTS, 1, 9, 10, "loaded", 2),
        (names.TRANSACTION_TOPIC, 0, 0, 2, "loaded", None),
    ]
    for change in ("DELETE FROM RAW.LOAD_TAILS WHERE TOPIC_PARTITION = 1", "UPDATE RAW.LOAD_TAILS SET END_OFFSET = 1"):
        world.query(change)
        world.provision()
        assert sorted(world.query(tails)) == found
        assert run_load(world) == []


def test_tails_that_lack_a_load_stop_the_load_before_it_doubles_a_row(world: World) -> None:
    """As after an upgrade whose provisioning made the table and did not fill it."""
    landed = segments.accounts(0, 0, 5)
    world.land(landed)
    run_load(world)
    world.query("DELETE FROM RAW.LOAD_TAILS")
    assert halted(world).reason == TailsBehind(1, 0)
    world.provision()
    assert run_load(world) == []
    assert world.loaded_offsets() == offsets(landed)


def test_a_heartbeat_asks_for_no_build_and_an_end_that_counts_a_table_does(world: World) -> None:
    world.land(segments.transaction_ends(0, [None, None, "public.cdc_heartbeat"]))
    (batch,) = run_load(world)
    assert not batch.changes_marts
    with warehouse(world) as session:
        assert not session.standing().build_owed

    world.land(segments.transaction_ends(6, [None]), segments.transaction_ends(8, [None, "public.accounts"]))
    (batch,) = run_load(world)
    assert batch.changes_marts
    changed = {row[0]: row[5] for row in world.ledger()}
    assert [changed[str(SegmentKey(names.TRANSACTION_TOPIC, 0, start))] for start in (0, 6, 8)] == [False, False, True]
    with warehouse(world) as session:
        assert session.standing().build_owed
        session.record_build(batch.load_id, "run")
        assert not session.standing().build_owed


class StuckWarehouse(SnowflakeWarehouse):
    """Its COPY does not come back by itself."""

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        self._run(f"loading {topic}", "SELECT SYSTEM$WAIT(120)")
        return super().copy(topic, files, stage_path)


def test_a_stuck_statement_ends_and_is_named_and_the_next_run_loads(world: World) -> None:
    landed = segments.accounts(0, 0, 5)
    world.land(landed)
    with connect(world.loader, Origin("test", "stuck"), 60, 1) as connection:
        loader = Loader(S3Landing(world.store_settings, world.bucket), StuckWarehouse(connection), LIMITS)
        with pytest.raises(LoadError) as caught:
            list(loader.run())
    reason = caught.value.reason
    assert isinstance(reason, WarehouseFailed)
    assert reason.doing == f"loading {ACCOUNTS}"
    assert reason.detail.startswith("630 ")
    assert "Statement reached its statement or warehouse timeout of 1 second(s)" in reason.detail
    assert world.ledger() == []
    assert [batch.rows for batch in run_load(world)] == [5]
    assert world.loaded_offsets() == offsets(landed)
