"""C21: retention takes away what lies behind a quiet topic's last record, its transaction's marker: nothing is lost."""

import pytest
from confluent_kafka import OFFSET_END, TopicPartition
from confluent_kafka.admin import AdminClient

from bank_common.names import NOTIFICATIONS_TOPIC
from harness.moves import moves
from harness.native_driver import NativeDriver
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]


def test_a_log_without_its_markers_goes_on(native: NativeDriver) -> None:
    admin = AdminClient({"bootstrap.servers": native.bootstrap_servers})
    emptied = TopicPartition(NOTIFICATIONS_TOPIC, 0, OFFSET_END)
    for answer in admin.delete_records([emptied]).values():
        assert answer.result(30).low_watermark > 0
    native.kill("cdc-consumer")
    until(
        "the consumer is back", lambda: native.health().get("cdc-consumer"), seconds=90, every=1.0, state=native.health
    )
    moves(native, seconds=120)
