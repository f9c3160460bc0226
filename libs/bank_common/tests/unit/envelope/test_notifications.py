import json
from typing import Any

import pytest
from envelope_testing.debezium import NOTIFICATION, avro

from bank_common.envelope.decoding import decoder_for
from bank_common.envelope.events import DecodeError, DecodeErrorReason, NotificationEvent
from bank_common.envelope.topic_kind import TopicKind

NOTE = {"id": "a", "type": "STARTED", "aggregate_type": "Initial Snapshot", "additional_data": None, "timestamp": 5}


def decode(value: dict[str, Any]) -> Any:
    decoder = decoder_for(TopicKind.NOTIFICATIONS, json.dumps(NOTIFICATION))
    assert not isinstance(decoder, DecodeError)
    return decoder.decode(avro(NOTIFICATION, value), None)


def test_a_completed_scan_names_its_table_and_rows() -> None:
    data = {"scanned_collection": "public.customers", "total_rows_scanned": "12", "status": "SUCCEEDED"}
    decoded = decode({**NOTE, "type": "TABLE_SCAN_COMPLETED", "additional_data": data})
    assert decoded[:6] == ("a", "Initial Snapshot", "TABLE_SCAN_COMPLETED", "public.customers", 12, "SUCCEEDED")
    assert json.loads(decoded.additional_data) == data
    assert decoded.source_time == 5000


def test_a_notification_without_data() -> None:
    decoded = decode(NOTE)
    assert decoded == NotificationEvent("a", "Initial Snapshot", "STARTED", None, None, None, None, 5000)


@pytest.mark.parametrize("rows", ["many", "-1", "1.5", "٣", "9" * 30, str(2**63)])
def test_a_row_count_that_is_no_number_is_rejected(rows: str) -> None:
    decoded = decode({**NOTE, "additional_data": {"total_rows_scanned": rows}})
    assert isinstance(decoded, DecodeError)
    assert decoded.reason is DecodeErrorReason.OUT_OF_RANGE
