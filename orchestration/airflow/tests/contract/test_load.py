"""The load against a real warehouse and a real object store: exactly once, in order, or not at all."""

import threading
from collections.abc import Mapping, Sequence
from decimal import Decimal

import obstore
import pytest
from loading_testing import segments
from loading_testing.loading import LIMITS, run_killed_load, run_load, run_with_halts, warehouse
from loading_testing.segments import ACCOUNTS, Made
from loading_testing.stack import Sandbox

from bank_common import names
from bank_common.landing.segments import SegmentKey, TopicPartition
from bank_dags.adapters.landing import S3Landing
from bank_dags.adapters.snowflake.raw import SnowflakeWarehouse
from bank_dags.adapters.snowflake.session import connect
from bank_dags.loading.failpoints import Failpoint
from bank_dags.loading.failures import (
    BrokenChain,
    ContentDiffers,
    CopyRefused,
    FenceMissing,
    ForeignObject,
    LedgerBeyondLanding,
    LoadError,
    RowsDiffer,
    TailsBehind,
    WarehouseFailed,
)
from bank_dags.loading.load import Committed, Loader
from bank_dags.loading.load_plan import LoadLimits
from bank_dags.query_tag import QueryTag
from bank_dags.skip import skip


def offsets(*made: Made) -> list[tuple[str, int, int]]:
    return sorted(
        (segment.key.topic, segment.key.partition, offset)
        for segment in made
        for offset in range(segment.metadata.start, segment.metadata.start + segment.metadata.rows)
    )


def test_a_fence_that_was_lost_is_made_again_with_the_last_number(sandbox: Sandbox) -> None:
    """With 0 the loads would be numbered below the last build, and no build would be pending for them."""
    sandbox.land(segments.accounts(0, 0, 5))
    run_load(sandbox)
    sandbox.query("DELETE FROM RAW.LOAD_FENCE")
    sandbox.land(segments.accounts(0, 5, 9))
    with pytest.raises(LoadError) as caught:
        run_load(sandbox)
    assert caught.value.failure == FenceMissing(0)
    sandbox.provision()
    (batch,) = run_load(sandbox)
    assert batch.load_id == 2


def test_what_landed_is_loaded_once_with_exact_values(sandbox: Sandbox) -> None:
    landed = [
        segments.accounts(0, 0, 5),
        segments.accounts(0, 5, 9, rows=3),
        segments.accounts(1, 40, 42),
        segments.transaction_ends(0, ["public.accounts"]),
    ]
    sandbox.land(*landed)
    first = run_load(sandbox)
    assert [(batch.segments, batch.rows) for batch in first] == [(4, 12)]
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert [row[1:] for row in sandbox.ledger() if row[0].startswith(f"{ACCOUNTS}/0000")] == [
        (0, 5, 5, 1, True, "loaded"),
        (5, 9, 3, 1, True, "loaded"),
    ]
    assert sandbox.fence() == 1
    assert sandbox.staged() == []
    key = landed[0].key
    rows = sandbox.query(
        "SELECT ID, BALANCE, CREATED_AT, _CDC_LSN, _CDC_SEGMENT FROM RAW.ACCOUNTS "
        f"WHERE _CDC_SEGMENT = '{key}' ORDER BY ID"
    )
    for row, offset in zip(rows, range(5), strict=True):
        sent = segments.account_row(key, offset)
        assert row == (offset, sent["balance"], sent["created_at"], sent["_cdc_lsn"], str(key))
        assert isinstance(row[1], Decimal)

    assert run_load(sandbox) == []
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert sandbox.fence() == 1


def test_a_backlog_is_loaded_in_batches_until_it_is_empty(sandbox: Sandbox) -> None:
    landed = [segments.accounts(partition, start, start + 2) for partition in (0, 1) for start in range(0, 10, 2)]
    sandbox.land(*landed)
    batches = run_load(sandbox, LoadLimits(max_segments=4, max_bytes=1024**2))
    assert sum(batch.segments for batch in batches) == 10
    assert max(batch.segments for batch in batches) <= 4
    assert [batch.load_id for batch in batches] == [*range(1, len(batches) + 1)]
    assert sandbox.loaded_offsets() == offsets(*landed)


def test_a_segment_without_rows_goes_to_the_ledger_alone(sandbox: Sandbox) -> None:
    sandbox.land(segments.accounts(0, 0, 4, rows=0), segments.accounts(0, 4, 6))
    run_load(sandbox)
    assert [row[1:4] for row in sandbox.ledger()] == [(0, 4, 0), (4, 6, 2)]
    assert [offset for _, _, offset in sandbox.loaded_offsets()] == [4, 5]


@pytest.mark.parametrize("failpoint", Failpoint, ids=lambda failpoint: failpoint.value)
def test_a_killed_load_loses_and_doubles_nothing(sandbox: Sandbox, failpoint: Failpoint) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(2, 7, 9)]
    sandbox.land(*landed)
    run_killed_load(sandbox, failpoint)
    survived = offsets(*landed) if failpoint is Failpoint.COMMITTED else []
    assert sandbox.loaded_offsets() == survived
    run_load(sandbox)
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert len(sandbox.ledger()) == len(landed)


def test_two_loads_with_the_same_plan_load_each_offset_once(sandbox: Sandbox) -> None:
    """The second one waits at the fence with a plan that the first one makes untrue."""
    landed = [segments.accounts(0, 0, 5), segments.accounts(1, 0, 3)]
    sandbox.land(*landed)
    at_the_fence = threading.Event()

    class Announcing(SnowflakeWarehouse):
        def advance_fencing_token(self) -> int:
            at_the_fence.set()
            return super().advance_fencing_token()

    second: list[Committed] = []

    def run_second() -> None:
        with warehouse(sandbox, Announcing) as session:
            second.extend(Loader(S3Landing(sandbox.store_settings, sandbox.bucket), session, LIMITS).run())

    other = threading.Thread(target=run_second)

    def let_the_second_plan(reached: Failpoint) -> None:
        if reached is Failpoint.COPIED:
            other.start()
            assert at_the_fence.wait(60), "the second load never reached the fence"

    first = run_load(sandbox, failpoint=let_the_second_plan)
    other.join(60)
    assert not other.is_alive()
    assert [batch.segments for batch in first] == [2]
    assert second == []
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert len(sandbox.ledger()) == len(landed)
    assert sandbox.fence() == 1, "a load that was overtaken leaves no trace"


def halted(sandbox: Sandbox) -> LoadError:
    """A load that must stop, and leave RAW, ledger, fence and stage as they were."""
    before = (sandbox.loaded_offsets(), sandbox.ledger(), sandbox.fence())
    with pytest.raises(LoadError) as caught:
        run_load(sandbox)
    assert (sandbox.loaded_offsets(), sandbox.ledger(), sandbox.fence()) == before
    assert sandbox.staged() == []
    return caught.value


@pytest.mark.parametrize("claimed", [2, 4])
def test_another_number_of_rows_rolls_the_load_back(sandbox: Sandbox, claimed: int) -> None:
    wrong = segments.accounts(0, 0, 9, rows=3).lying(rows=claimed)
    sandbox.land(wrong, segments.accounts(1, 0, 2))
    assert halted(sandbox).failure == RowsDiffer(str(wrong.key), claimed, 3)


def test_a_missing_segment_halts_and_a_skip_on_record_mends_it(sandbox: Sandbox) -> None:
    landed = segments.accounts(0, 0, 5), segments.accounts(0, 8, 10)
    sandbox.land(*landed)
    committed, stopped = run_with_halts(sandbox)
    assert [batch.segments for batch in committed] == [1], "what was whole before the gap goes in"
    error = halted(sandbox)
    assert (
        error.failure == stopped[TopicPartition(ACCOUNTS, 0)].failure == BrokenChain(TopicPartition(ACCOUNTS, 0), 5, 8)
    )
    assert "infra/runbooks/landing-chain-broken.md" in str(error)

    landing = S3Landing(sandbox.store_settings, sandbox.bucket)
    with warehouse(sandbox) as session:
        skip(landing, session, TopicPartition(ACCOUNTS, 0), 5, 8, "lost, ticket 42")
    run_load(sandbox)
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert [row[1:4] + row[5:] for row in sandbox.ledger()] == [
        (0, 5, 5, True, "loaded"),
        (5, 8, 0, True, "skipped"),
        (8, 10, 2, True, "loaded"),
    ]
    assert sandbox.query("SELECT REASON FROM RAW.LOAD_LEDGER WHERE STATUS = 'skipped'") == [("lost, ticket 42",)]
    assert run_load(sandbox) == []


def test_an_overlap_halts_its_chain_before_it_and_others_go_on(sandbox: Sandbox) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(1, 7, 9), segments.transaction_ends(0, ["public.accounts"])]
    sandbox.land(*landed, segments.accounts(0, 4, 6))
    committed, stopped = run_with_halts(sandbox)
    assert [batch.segments for batch in committed] == [3]
    assert {chain: error.failure for chain, error in stopped.items()} == {
        TopicPartition(ACCOUNTS, 0): BrokenChain(TopicPartition(ACCOUNTS, 0), 5, 4)
    }
    assert sandbox.loaded_offsets() == offsets(*landed)
    assert halted(sandbox).failure == BrokenChain(TopicPartition(ACCOUNTS, 0), 5, 4)


def test_bytes_that_are_not_the_metadatas_halt(sandbox: Sandbox) -> None:
    true, other = segments.accounts(0, 0, 5), segments.accounts(0, 0, 6)
    sandbox.land(true.lying(sha256=other.metadata.sha256))
    reason = halted(sandbox).failure
    assert reason == ContentDiffers(str(true.key), other.metadata.sha256, true.metadata.sha256)


@pytest.mark.parametrize("rest", [0, 1])
def test_a_ledger_beyond_the_landing_halts(sandbox: Sandbox, rest: int) -> None:
    landed = [segments.accounts(0, 0, 5), segments.accounts(0, 5, 6)]
    sandbox.land(*landed)
    run_load(sandbox)
    for made in landed[rest:]:
        obstore.delete(sandbox.store, str(made.key))
    assert halted(sandbox).failure == LedgerBeyondLanding(TopicPartition(ACCOUNTS, 0), str(landed[1].key))


def test_a_foreign_object_halts(sandbox: Sandbox) -> None:
    obstore.put(sandbox.store, f"{ACCOUNTS}/0000/notes.txt", b"x")
    assert isinstance(halted(sandbox).failure, ForeignObject)


def test_a_value_that_does_not_fit_its_column_rolls_the_load_back(sandbox: Sandbox) -> None:
    sandbox.land(segments.accounts(0, 0, 2), segments.misfit(1, 0))
    reason = halted(sandbox).failure
    assert isinstance(reason, CopyRefused)
    assert reason.topic == ACCOUNTS
    assert "seven" not in str(reason), "a message never shows a row's value"


def test_the_tails_follow_the_ledger_and_can_be_made_from_it(sandbox: Sandbox) -> None:
    sandbox.land(segments.accounts(0, 0, 5), segments.accounts(1, 7, 9), segments.transaction_ends(0, [None]))
    run_load(sandbox)
    sandbox.land(segments.accounts(0, 5, 6, rows=0), segments.accounts(1, 9, 10))
    run_load(sandbox)
    tails = "SELECT TOPIC, TOPIC_PARTITION, START_OFFSET, END_OFFSET, STATUS, CHANGED_LOAD_ID FROM RAW.LOAD_TAILS"
    before = sorted(sandbox.query(tails))
    assert before == [
        (ACCOUNTS, 0, 5, 6, "loaded", 1),
        (ACCOUNTS, 1, 9, 10, "loaded", 2),
        (names.TRANSACTION_TOPIC, 0, 0, 2, "loaded", None),
    ]
    for change in ("DELETE FROM RAW.LOAD_TAILS WHERE TOPIC_PARTITION = 1", "UPDATE RAW.LOAD_TAILS SET END_OFFSET = 1"):
        sandbox.query(change)
        sandbox.provision()
        assert sorted(sandbox.query(tails)) == before
        assert run_load(sandbox) == []


def test_tails_that_lack_a_load_stop_the_load_before_it_doubles_a_row(sandbox: Sandbox) -> None:
    """As after an upgrade whose provisioning made the table and did not fill it."""
    landed = segments.accounts(0, 0, 5)
    sandbox.land(landed)
    run_load(sandbox)
    sandbox.query("DELETE FROM RAW.LOAD_TAILS")
    assert halted(sandbox).failure == TailsBehind(1, 0)
    sandbox.provision()
    assert run_load(sandbox) == []
    assert sandbox.loaded_offsets() == offsets(landed)


def test_a_heartbeat_asks_for_no_build_and_an_end_that_counts_a_table_does(sandbox: Sandbox) -> None:
    sandbox.land(segments.transaction_ends(0, [None, None, "public.cdc_heartbeat"]))
    (batch,) = run_load(sandbox)
    assert not batch.changes_marts
    with warehouse(sandbox) as session:
        assert not session.pending_build().is_pending

    sandbox.land(segments.transaction_ends(6, [None]), segments.transaction_ends(8, [None, "public.accounts"]))
    (batch,) = run_load(sandbox)
    assert batch.changes_marts
    changed = {row[0]: row[5] for row in sandbox.ledger()}
    assert [changed[str(SegmentKey(names.TRANSACTION_TOPIC, 0, start))] for start in (0, 6, 8)] == [False, False, True]
    with warehouse(sandbox) as session:
        assert session.pending_build().is_asked_for(loaded=False)
        sandbox.query("UPDATE RAW.BUILD_FENCE SET OWNER = 'x', HEARTBEAT_AT = CURRENT_TIMESTAMP(), ENDED_AT = NULL")
        assert not session.pending_build().is_asked_for(loaded=False), "a build that lives is running"
        assert session.pending_build().is_asked_for(loaded=True)
        sandbox.query("UPDATE RAW.BUILD_FENCE SET ENDED_AT = CURRENT_TIMESTAMP()")
        assert session.pending_build().is_asked_for(loaded=False)
        session.record_build(batch.load_id, "run")
        assert not session.pending_build().is_pending


class StuckWarehouse(SnowflakeWarehouse):
    """Its COPY does not come back by itself."""

    def copy(self, topic: str, files: Sequence[str], stage_path: str) -> Mapping[str, int]:
        self._run(f"loading {topic}", "SELECT SYSTEM$WAIT(120)")
        return super().copy(topic, files, stage_path)


def test_a_stuck_statement_ends_and_is_named_and_the_next_run_loads(sandbox: Sandbox) -> None:
    landed = segments.accounts(0, 0, 5)
    sandbox.land(landed)
    with connect(sandbox.loader, QueryTag("test", "stuck"), 60, 1) as connection:
        loader = Loader(S3Landing(sandbox.store_settings, sandbox.bucket), StuckWarehouse(connection), LIMITS)
        with pytest.raises(LoadError) as caught:
            list(loader.run())
    reason = caught.value.failure
    assert isinstance(reason, WarehouseFailed)
    assert reason.doing == f"loading {ACCOUNTS}"
    assert reason.detail.startswith("630 ")
    assert "Statement reached its statement or warehouse timeout of 1 second(s)" in reason.detail
    assert sandbox.ledger() == []
    assert [batch.rows for batch in run_load(sandbox)] == [5]
    assert sandbox.loaded_offsets() == offsets(landed)
