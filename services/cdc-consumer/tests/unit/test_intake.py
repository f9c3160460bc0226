from typing import Any

import pytest
from consumer_world.debezium import ACCOUNT_FIELDS, TRANSACTION, change, envelope, framed, key_schema
from consumer_world.fakes import MemoryRegistry

from cdc_consumer.events import ChangeEvent, DecodeError, Reason
from cdc_consumer.intake import Intake, Taken, Tombstone
from cdc_consumer.policy import FailedError
from cdc_consumer.ports import Record
from cdc_consumer.topics import Kind, LandedTopics

ENVELOPE = envelope(ACCOUNT_FIELDS)
BAD = {"type": "record", "name": "Value", "fields": [{"name": "x", "type": "long"}]}
SCHEMAS = {1: ENVELOPE, 2: key_schema(), 3: TRANSACTION, 4: BAD}
TOPICS = LandedTopics({"rows": Kind.CHANGES, "tx": Kind.TRANSACTIONS}, frozenset({"public.accounts"}))
ROW = {"id": 1, "customer_id": 1, "account_type": "A", "balance": b"\x01", "created_at": None}


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(SCHEMAS)


@pytest.fixture
def intake(registry: MemoryRegistry) -> Intake:
    return Intake(registry, TOPICS)


def record(value: bytes | None, key: bytes | None = None, topic: str = "rows") -> Record:
    return Record(topic, 0, 0, key, value, None)


def change_record(op: str = "c") -> Record:
    row = None if op == "d" else ROW
    return record(framed(1, ENVELOPE, change(op, row)), framed(2, key_schema(), {"id": 1}))


def test_a_change_is_urgent_and_the_registry_is_asked_once_per_schema(intake: Intake, registry: MemoryRegistry) -> None:
    for _ in range(3):
        found = intake.take(change_record())
        assert isinstance(found, Taken)
        assert found.urgent
        assert (found.shape.kind, found.shape.schema_id) == (Kind.CHANGES, 1)
    assert registry.asked == 2


def test_a_delete_is_read_by_its_key(intake: Intake) -> None:
    found = intake.take(change_record("d"))
    assert isinstance(found, Taken)
    assert isinstance(found.event, ChangeEvent)
    assert found.event.values == (1, None, None, None, None)


def test_a_tombstone_makes_no_row(intake: Intake) -> None:
    assert isinstance(intake.take(record(None)), Tombstone)


@pytest.mark.parametrize(
    ("status", "collections", "urgent"),
    [
        ("BEGIN", None, False),
        ("END", [], False),
        ("END", [("public.cdc_heartbeat", 1)], False),
        ("END", [("public.accounts", 0)], False),
        ("END", [("public.cdc_heartbeat", 1), ("public.accounts", 2)], True),
    ],
)
def test_only_an_end_of_a_captured_table_is_urgent(
    intake: Intake, status: str, collections: list[tuple[str, int]] | None, urgent: bool
) -> None:
    counted = None if collections is None else [{"data_collection": n, "event_count": c} for n, c in collections]
    value: dict[str, Any] = {
        "status": status,
        "id": "1:1",
        "event_count": 1,
        "data_collections": counted,
        "ts_ms": 1,
    }
    found = intake.take(record(framed(3, TRANSACTION, value), topic="tx"))
    assert isinstance(found, Taken)
    assert found.urgent is urgent


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", Reason.TRUNCATED),
        (b"\x01\x00\x00\x00\x01", Reason.BAD_MAGIC),
        (b"\x00\x00\x00\x00\x63", Reason.UNKNOWN_SCHEMA),
        (b"\x00\x00\x00\x00\x04", Reason.UNSUPPORTED_SCHEMA),
        (b"\x00\x00\x00\x00\x01\x02", Reason.TRUNCATED),
    ],
)
def test_poison_has_a_reason(intake: Intake, value: bytes, reason: Reason) -> None:
    found = intake.take(record(value))
    assert isinstance(found, DecodeError)
    assert found.reason is reason


def test_a_registry_that_is_down_is_no_reason_to_reject(intake: Intake, registry: MemoryRegistry) -> None:
    registry.down = True
    with pytest.raises(FailedError):
        intake.take(change_record())
    registry.down = False
    assert isinstance(intake.take(change_record()), Taken)


def test_an_unknown_schema_is_asked_for_again(intake: Intake, registry: MemoryRegistry) -> None:
    del registry.schemas[1]
    assert isinstance(intake.take(change_record()), DecodeError)
    registry.schemas[1] = ENVELOPE
    assert isinstance(intake.take(change_record()), Taken)
