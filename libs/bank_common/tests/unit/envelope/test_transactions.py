"""I9 for BEGIN and END: for any values and damage the columnar decoder returns what the reference decoder returns."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from envelope_testing.damage import damaged
from envelope_testing.debezium import TRANSACTION, framed
from hypothesis import example, given
from hypothesis import strategies as st

from bank_common.envelope import decoders
from bank_common.envelope.columnar.arrays import ColumnarRows
from bank_common.envelope.columnar.transactions import ColumnarTransactions
from bank_common.envelope.decoders import ColumnarDecoder, DecodedRows, ReferenceDecoder, arrow_decoder_for
from bank_common.envelope.decoding import decoder_for
from bank_common.envelope.events import DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.transaction_metadata import TransactionDecoder

HEADER = b"\0\0\0\0\6"
BEGIN: dict[str, Any] = {
    "status": "BEGIN",
    "id": "771:26724144",
    "event_count": None,
    "data_collections": None,
    "ts_ms": 1_770_000_000_123,
}
NO_BLOCK = b"\0"


def long(value: int) -> bytes:
    """An Avro long, also one beyond 64 bits."""
    rest = value << 1 if value >= 0 else (-value << 1) - 1
    octets = bytearray()
    while rest > 0x7F:
        octets.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*octets, rest])


def text(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode()
    return long(len(data)) + data


INT64 = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-100, 100))
STATUSES = st.one_of(
    st.sampled_from(["BEGIN", "END"] * 4 + ["PAUSED", "", "end", "ENDE", "BEGI", "Énd", b"EN\xff", b"\xff"]),
)
NUMBERS = st.one_of(st.integers(0, 2**40), st.sampled_from([10**17, 10**18 - 1, 10**18, 2**63 - 1, 2**63, 2**70]))
IDS = st.one_of(
    st.builds("{}:{}".format, NUMBERS, NUMBERS),
    st.builds("{}:{}".format, st.integers(0, 10**6), st.integers(0, 10**9)),
    st.sampled_from(["", ":", "1", "1:", ":1", "1:2:3", "1::2", "007:01", f"{'0' * 30}1:2", f"{'9' * 5000}:1"]),
    st.sampled_from(
        ["-1:2", "1:-2", "+1:2", " 1:2", "1:2 ", "1\n:2", "0x1:2", "1_0:2", "1.0:2", "1e3:2", "٣:1", "²:1"]
    ),
    st.text("0123456789:", max_size=12),
    st.binary(max_size=6),
)
NAMES = st.one_of(
    st.sampled_from(["public.accounts", "public.customers", "public.transactions"]),
    st.sampled_from(['a."b"', "back\\slash", "tab\t", "\0", "\x7f", "é", "\u2028", "😀", "n" * 70]),
    st.text(max_size=12),
    st.sampled_from([b"\xff", b"\xed\xa0\x80", b"a\xc3"]),
)
COLLECTIONS = st.one_of(st.builds(lambda name, count: b"\2" + text(name) + long(count), NAMES, INT64), st.just(b"\0"))
PLAIN_COLLECTIONS = st.builds(
    lambda name, count: b"\2" + text(name) + long(count),
    st.sampled_from(["public.accounts", "public.customers", "public.my_é"]),
    st.integers(0, 300),
)


def block(items: list[bytes]) -> bytes:
    return long(len(items)) + b"".join(items) if items else b""


def sized_block(items: list[bytes]) -> bytes:
    """The other form of a block: its number negative, then its bytes."""
    data = b"".join(items)
    return long(-len(items)) + long(len(data)) + data if items else b""


def listed(items: list[bytes]) -> bytes:
    return b"\2" + block(items) + NO_BLOCK


LISTS = st.one_of(
    st.just(b"\0"),
    st.lists(PLAIN_COLLECTIONS, max_size=3).map(listed),
    st.lists(PLAIN_COLLECTIONS, max_size=18).map(listed),
    st.lists(COLLECTIONS, max_size=3).map(listed),
    st.lists(
        st.lists(PLAIN_COLLECTIONS, max_size=2).map(block) | st.lists(PLAIN_COLLECTIONS, max_size=2).map(sized_block),
        max_size=3,
    ).map(lambda blocks: b"\2" + b"".join(blocks) + NO_BLOCK),
)
TIMES = st.one_of(
    st.integers(0, 2**41),
    st.sampled_from([sign * (2**63 // 1000 + more) for sign in (1, -1) for more in (-1, 0, 1)]),
    INT64,
)
COUNTS = st.one_of(st.just(b"\0"), INT64.map(lambda count: b"\2" + long(count)))
RECORDS = st.builds(
    lambda *parts: HEADER + b"".join(parts), STATUSES.map(text), IDS.map(text), COUNTS, LISTS, TIMES.map(long)
)
PLAIN_RECORDS = st.builds(
    lambda *parts: HEADER + b"".join(parts),
    st.sampled_from(["BEGIN", "END"]).map(text),
    st.builds("{}:{}".format, st.integers(0, 10**6), st.integers(0, 10**17)).map(text),
    COUNTS,
    st.one_of(st.just(b"\0"), st.lists(PLAIN_COLLECTIONS, max_size=3).map(listed)),
    st.integers(0, 2**41).map(long),
)


def decoder_of(schema: Mapping[str, Any]) -> TransactionDecoder:
    decoder = decoder_for(TopicKind.TRANSACTIONS, json.dumps(schema))
    assert isinstance(decoder, TransactionDecoder), decoder
    return decoder


DECODER = decoder_of(TRANSACTION)


def both(values: list[bytes]) -> tuple[DecodedRows, DecodedRows]:
    keys: list[bytes | None] = [None] * len(values)
    columnar = arrow_decoder_for(TopicKind.TRANSACTIONS, DECODER)
    assert isinstance(columnar, ColumnarDecoder)
    return columnar.decode(values, keys, {}), ReferenceDecoder(TopicKind.TRANSACTIONS, DECODER).decode(values, keys, {})


def assert_same(values: list[bytes]) -> None:
    columnar, reference = both(values)
    assert columnar.rejected == reference.rejected
    assert columnar.rows.equals(reference.rows)


def columnar_rows(values: list[bytes]) -> ColumnarRows:
    return ColumnarTransactions(TRANSACTION).read(values, [None] * len(values), {})


@pytest.fixture
def _always_columnar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "FEW", 0)


always_fast = pytest.mark.usefixtures("_always_columnar")


@always_fast
@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_any_values(values: list[bytes]) -> None:
    assert_same(values)


@always_fast
@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    values = data.draw(st.lists(PLAIN_RECORDS, min_size=1, max_size=12))
    assert_same([data.draw(damaged(value)) if data.draw(st.booleans()) else value for value in values])


@always_fast
@given(st.lists(st.binary(max_size=60).map(lambda body: HEADER + body), min_size=1, max_size=10))
@example([HEADER])
@example([HEADER + b"\6END\0061:1\0\2\xfe\xff\xff\xff\xff\xff\xff\xff\xff\1"])
def test_any_bytes(values: list[bytes]) -> None:
    assert_same(values)


@given(st.lists(st.one_of(PLAIN_RECORDS, RECORDS), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_a_batch_that_is_not_few(values: list[bytes], random: Any) -> None:
    many = [random.choice(values) for _ in range(2 * decoders.FEW)]
    assert_same([value[:-1] if random.random() < 0.1 else value for value in many])


@given(st.lists(PLAIN_RECORDS, min_size=1, max_size=40))
def test_nothing_plain_is_left_to_the_reference(values: list[bytes]) -> None:
    """No such record is refused: the result would be the same, but slow."""
    assert not columnar_rows(values).refused.any()


def end(*collections: Any, **other: Any) -> dict[str, Any]:
    counted = [{"data_collection": f"public.t{number}", "event_count": number} for number in collections]
    return {**BEGIN, "status": "END", "event_count": len(counted), "data_collections": counted, **other}


def test_a_batch_of_many_slices_keeps_its_order_and_names_the_poison() -> None:
    begin_and_end = [BEGIN, end(1, 2)]
    count = 2 * decoders.SLICE + 100
    values = [framed(6, TRANSACTION, {**begin_and_end[number % 2], "id": f"{number}:1"}) for number in range(count)]
    poisoned = [0, 7, decoders.SLICE - 1, decoders.SLICE, count - 1]
    for index in poisoned:
        values[index] += b"\0"
    columnar, _ = both(values)
    assert {index: error.reason for index, error in columnar.rejected.items()} == dict.fromkeys(
        poisoned, DecodeErrorReason.TRAILING_BYTES
    )
    assert columnar.rows["tx_id"].to_pylist() == [number for number in range(count) if number not in set(poisoned)]


@always_fast
@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"status": "PAUSED"}, DecodeErrorReason.UNKNOWN_OPERATION),
        ({"id": "771"}, DecodeErrorReason.MALFORMED),
        ({"id": f"1:{2**63}"}, DecodeErrorReason.OUT_OF_RANGE),
        ({"ts_ms": 2**62}, DecodeErrorReason.OUT_OF_RANGE),
        ({"data_collections": [None]}, DecodeErrorReason.MALFORMED),
        ({"data_collections": [{"data_collection": "a", "event_count": 1}, None]}, DecodeErrorReason.MALFORMED),
        ({"id": "٣:1"}, None),
        ({"id": f"1:{2**63 - 1}"}, None),
        (end(*range(17)), None),
    ],
)
def test_what_is_odd_is_refused_alone_and_the_reference_decides(
    odd: dict[str, Any], reason: DecodeErrorReason | None
) -> None:
    values = [framed(6, TRANSACTION, value) for value in (BEGIN, end(1, 2), end(1, 2) | odd, end(), end(3))]
    assert np.flatnonzero(columnar_rows(values).refused).tolist() == [2]
    columnar, _ = both(values)
    assert {index: error.reason for index, error in columnar.rejected.items()} == (
        {} if reason is None else {2: reason}
    )
    assert_same(values)


TIME = long(1_770_000_000_123)
ITEM = b"\2" + text("public.t") + long(1)


@always_fast
@pytest.mark.parametrize(
    "collections",
    [
        pytest.param(b"\2" + block([ITEM]) + b"\2", id="another block instead of the end"),
        pytest.param(b"\2" + long(17), id="very many, but none comes"),
        pytest.param(b"\2" + long(-1), id="less than none"),
        pytest.param(b"\2" + sized_block([ITEM]) + NO_BLOCK, id="a block that tells its size"),
        pytest.param(b"\2" + block([ITEM]) + block([ITEM]) + NO_BLOCK, id="two blocks"),
        pytest.param(listed([ITEM, b"\0"]), id="null"),
        pytest.param(listed([b"\4" + text("public.t") + long(1)]), id="no branch of its union"),
        pytest.param(listed([b"\2" + text(b"\xff") + long(1)]), id="a name that is not UTF-8"),
    ],
)
def test_collections_of_another_form_are_refused_alone(collections: bytes) -> None:
    odd = HEADER + text("END") + text("1:1") + b"\2\2" + collections + TIME
    values = [framed(6, TRANSACTION, end(1)), odd, framed(6, TRANSACTION, end(2))]
    assert np.flatnonzero(columnar_rows(values).refused).tolist() == [1]
    assert_same(values)


def of_type(name: str, other: Any) -> dict[str, Any]:
    """The connector's schema with another type for one field."""
    fields = [{**field, "type": other} if field["name"] == name else field for field in TRANSACTION["fields"]]
    return {**TRANSACTION, "fields": fields}


def collections_of(*fields: dict[str, Any]) -> list[Any]:
    return ["null", {"type": "array", "items": {"type": "record", "name": "collection", "fields": list(fields)}}]


TABLE, COUNT = {"name": "data_collection", "type": "string"}, {"name": "event_count", "type": "long"}


@pytest.mark.parametrize(
    "schema",
    [
        {**TRANSACTION, "fields": [*TRANSACTION["fields"], {"name": "more", "type": "string"}]},
        of_type("status", ["null", "string"]),
        of_type("id", ["null", "string"]),
        of_type("data_collections", collections_of(TABLE, COUNT, {"name": "more", "type": "string"})),
        of_type("data_collections", collections_of(TABLE, {**COUNT, "type": ["null", "long"]})),
    ],
)
def test_a_schema_with_more_than_the_connector_s_is_read_by_the_reference(schema: dict[str, Any]) -> None:
    assert isinstance(arrow_decoder_for(TopicKind.TRANSACTIONS, decoder_of(schema)), ReferenceDecoder)


def test_collections_that_cannot_be_null_are_decoded_in_columns() -> None:
    schema = of_type("data_collections", collections_of(TABLE, COUNT))
    values = [framed(6, schema, value) for value in (BEGIN, end(), end(1, 2))]
    assert not ColumnarTransactions(schema).read(values, [None] * 3, {}).refused.any()
