"""I9: for any schema, values and damage the columnar decoder returns what the reference decoder returns."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from envelope_testing.damage import damaged
from envelope_testing.debezium import DECIMAL, INSTANT, MONEY_TEXT, change, envelope, framed, key_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_common.envelope import decoders
from bank_common.envelope.changes import ChangeDecoder
from bank_common.envelope.columnar.changes import ColumnarChanges
from bank_common.envelope.columnar.lanes import Block, Lanes
from bank_common.envelope.columnar.readers import fields_of, reader_of
from bank_common.envelope.decoders import ColumnarDecoder, DecodedRows, ReferenceDecoder, arrow_decoder_for
from bank_common.envelope.decoding import decoder_for, key_decoder_for
from bank_common.envelope.events import DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind

PLACEHOLDER = "__debezium_unavailable_value"
INT32, INT64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
# Avro writes an int like a long: what is too large for its column can come.
WIDE = st.one_of(INT32, st.sampled_from([2**31, -(2**31) - 1, 2**63 - 1, 0, 63, 64, 8191, 8192, 2**55, 2**56]))
TEXT = st.one_of(st.text(max_size=40), st.just(PLACEHOLDER), st.text("ab", min_size=60, max_size=70))
BYTES = st.one_of(st.binary(max_size=40), st.just(PLACEHOLDER.encode()))
DECIMAL_TEXTS = st.one_of(
    st.decimals(-(10**16), 10**16, places=2).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"[+-]?\d{0,40}(\.\d{0,40})?([eE][+-]?\d{0,9})?", fullmatch=True),
    st.sampled_from(
        ["NAN", "NaN", "POSITIVE_INFINITY", "-", ".", "1_0", " 1", "1 ", "\u0661", "0e99999999", PLACEHOLDER]
    ),
)
MARKS = st.none() | st.sampled_from(
    ['["c0"]', '["c1"]', '["c1", "c0"]', '["zz"]', "[]", "{}", "x", '{"c0": "9 bytes"}']
)
INSTANTS = st.one_of(
    st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat().replace("+00:00", "Z")),
    st.datetimes(min_value=datetime(1999, 1, 1), timezones=st.timezones()).map(datetime.isoformat),  # noqa: DTZ001
    st.sampled_from(
        [
            "+292278994-08-16T23:00:00Z",
            "+10000-01-01T00:00:00Z",
            "-0043-03-15T00:00:00Z",
            "infinity",
            "-infinity",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "2026-02-29T00:00:00Z",
            "2028-02-29T00:00:00.1Z",
            "2026-03-01T10:00:00",
            "2026-03-01T10:00:00.1234567Z",
            "2026-03-01T10:00:00.1234560Z",
            "2026-03-01T10:00Z",
            "2026-03-01T10Z",
            "2026-03-01 10:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T23:59:60Z",
            "2026-03-01T10:00:00z",
            "2026-03-01T10:00:00+0530",
            "2026-03-01T10:00:00+05",
            "2026-03-01T10:00:00+99:99",
            "2026-W01-1T10:00:00Z",
            "20260301T100000Z",
            "2026-03-01",
            "",
            PLACEHOLDER,
        ]
    ),
    st.text("0123456789-:TZ.+ ", max_size=30),
)


class Type(NamedTuple):
    schema: Any
    values: st.SearchStrategy[Any]


def long(name: str) -> dict[str, str]:
    return {"type": "long", "connect.name": f"io.debezium.time.{name}"}


def decimal(precision: int, scale: int) -> Type:
    schema = {**DECIMAL, "precision": precision, "scale": scale}
    del schema["logicalType"]  # the bytes as they travel: any number of them
    near = st.integers(10**precision - 2, 10**precision + 1)
    numbers = st.one_of(st.integers(-(10**precision), 10**precision), near, near.map(lambda value: -value), INT64)
    minimal = numbers.map(lambda value: value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    padded = INT32.map(lambda value: value.to_bytes(20, "big", signed=True))
    return Type(schema, st.one_of(minimal, padded, st.binary(max_size=18)))


TYPES: list[Type] = [
    Type("boolean", st.booleans()),
    Type("int", INT32),
    Type("long", st.one_of(INT64, WIDE)),
    Type("float", st.floats(width=32)),
    Type("double", st.floats()),
    Type("string", TEXT),
    Type("bytes", BYTES),
    Type({"type": "int", "connect.type": "int16"}, INT32),
    Type({"type": "int", "connect.name": "io.debezium.time.Date"}, INT32),
    Type({"type": "int", "connect.name": "io.debezium.time.Time"}, st.one_of(st.integers(0, 86_400_000), INT32)),
    Type(long("MicroTime"), st.one_of(st.integers(0, 86_400_000_000), INT64)),
    Type(long("NanoTime"), st.one_of(st.integers(0, 86_400_000).map(lambda micros: micros * 1000), INT64)),
    Type(long("Timestamp"), st.one_of(INT64, INT32, st.integers(-(2**53), 2**53))),
    Type(long("MicroTimestamp"), st.one_of(INT64, st.sampled_from([9223372036825200000, -9223372036832400000]))),
    Type(long("NanoTimestamp"), st.one_of(INT64, INT32.map(lambda micros: micros * 1000))),
    Type(long("MicroDuration"), INT64),
    Type({"type": "string", "connect.name": "io.debezium.data.Uuid"}, TEXT),
    Type(INSTANT, INSTANTS),
    Type(MONEY_TEXT, DECIMAL_TEXTS),
    *(decimal(precision, scale) for precision, scale in ((1, 0), (18, 2), (19, 4), (20, 0), (38, 10))),
]
KEY = key_schema({"name": "c0", "type": "long"})


class Topic(NamedTuple):
    """One table's schema with a batch of its records."""

    decoder: ChangeDecoder
    values: list[bytes]
    keys: list[bytes | None]


@st.composite
def topics(draw: Callable[..., Any], damage: bool = False) -> Topic:
    chosen = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=6))
    nullable = [draw(st.booleans()) for _ in chosen]
    types = [Type("long", INT64), *chosen]
    fields = [
        {
            "name": f"c{index}",
            "type": ["null", field_type.schema] if index and nullable[index - 1] else field_type.schema,
        }
        for index, field_type in enumerate(types)
    ]
    row = st.fixed_dictionaries(
        {
            f"c{index}": st.none() | field_type.values if index and nullable[index - 1] else field_type.values
            for index, field_type in enumerate(types)
        }
    )
    source = st.fixed_dictionaries(
        {
            "ts_us": st.none() | INT64,
            "ts_ms": st.one_of(st.integers(0, 2**41), INT64),
            "snapshot": st.sampled_from([None, "", "false", "first", "ä"]),
            "txId": st.none() | INT32,
            "lsn": st.none() | INT64,
        }
    )
    marked = draw(st.booleans())
    schema = envelope(fields, marked=marked)
    values: list[bytes] = []
    keys: list[bytes | None] = []
    for _ in range(draw(st.integers(1, 12))):
        op = draw(st.sampled_from(["c", "u", "r", "d", "t", "m", "cc"]))
        after = draw(row) if op not in "dt" or draw(st.integers(0, 9)) == 0 else None
        before = draw(st.none() | row)
        value = change(op, after, **draw(source)) | {"before": before}
        if marked:
            value |= {"unavailable": draw(MARKS), "not_carried": draw(MARKS)}
        if draw(st.booleans()):
            value["transaction"] = None
        data = framed(1, schema, value)
        values.append(draw(damaged(data)) if damage and draw(st.booleans()) else data)
        key = framed(draw(st.sampled_from([2, 2, 2, 3, 4])), KEY, {"c0": draw(INT64)})
        keys.append(draw(st.sampled_from([key, key, key, key[:-1], key + b"\0", b"", None])))
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert isinstance(decoder, ChangeDecoder), decoder
    return Topic(decoder, values, keys)


def key_decoders() -> decoders.KeyDecoders:
    other = key_schema({"name": "elsewhere", "type": "long"})
    return {2: key_decoder_for(json.dumps(KEY)), 3: key_decoder_for(json.dumps(other))}


def both(topic: Topic) -> tuple[DecodedRows, DecodedRows]:
    decoders = key_decoders()
    reference = ReferenceDecoder(TopicKind.CHANGES, topic.decoder).decode(topic.values, topic.keys, decoders)
    columnar = arrow_decoder_for(TopicKind.CHANGES, topic.decoder)
    assert isinstance(columnar, ColumnarDecoder)
    return columnar.decode(topic.values, topic.keys, decoders), reference


def assert_same(topic: Topic) -> None:
    columnar, reference = both(topic)
    assert columnar.rejected == reference.rejected
    assert columnar.rows.schema == reference.rows.schema
    assert columnar.rows.num_rows == len(topic.values) - len(reference.rejected)
    for name in reference.rows.column_names:
        assert exact(columnar.rows[name]) == exact(reference.rows[name]), name


def exact(column: pa.ChunkedArray) -> Sequence[Any]:
    """Values that compare by what they are: NaN equals itself, and so far times have no Python form that does."""
    if pa.types.is_floating(column.type):
        return [None if value is None else repr(value) for value in column.to_pylist()]
    if pa.types.is_temporal(column.type):
        return column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64()).to_pylist()
    return column.to_pylist()


@pytest.fixture(autouse=True)
def _always_columnar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoders, "FEW", 0)


pytestmark = pytest.mark.usefixtures("_always_columnar")


@settings(deadline=None)
@given(topics())
def test_any_schema_and_any_values(topic: Topic) -> None:
    assert_same(topic)


@settings(deadline=None)
@given(topics(damage=True))
def test_any_damage(topic: Topic) -> None:
    assert_same(topic)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60).map(lambda body: b"\0\0\0\0\1" + body), min_size=1, max_size=10))
def test_any_bytes(values: list[bytes]) -> None:
    schema = envelope(
        [{"name": f"c{index}", "type": ["null", field_type.schema]} for index, field_type in enumerate(TYPES)]
    )
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert isinstance(decoder, ChangeDecoder)
    assert_same(Topic(decoder, values, [None] * len(values)))


def batch(count: int, fields: list[dict[str, Any]], row: Callable[[int], dict[str, Any]]) -> Topic:
    schema = envelope(fields)
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert isinstance(decoder, ChangeDecoder)
    values = [framed(1, schema, change("c", row(number), lsn=number)) for number in range(count)]
    return Topic(decoder, values, [None] * count)


def test_a_batch_of_many_slices_keeps_its_order_and_names_the_poison() -> None:
    count = 2 * decoders.SLICE + 100
    topic = batch(count, [{"name": "c0", "type": "long"}], lambda number: {"c0": number})
    poisoned = [0, 7, decoders.SLICE - 1, decoders.SLICE, count - 1]
    for index in poisoned:
        topic.values[index] += b"\0"
    columnar, _ = both(topic)
    assert sorted(columnar.rejected) == poisoned
    assert {error.reason for error in columnar.rejected.values()} == {DecodeErrorReason.TRAILING_BYTES}
    expected = [number for number in range(count) if number not in set(poisoned)]
    assert columnar.rows["c0"].to_pylist() == expected
    assert columnar.rows["_cdc_lsn"].to_pylist() == expected


def test_neighbours_that_are_too_long_and_too_short_do_not_mend_each_other() -> None:
    """As one stream, a byte too many here and the same byte too few there would look like two good records."""
    topic = batch(2, [{"name": "c0", "type": "long"}], lambda number: {"c0": number})
    first, second = topic.values
    topic.values[:] = [first + second[:6], second[:5] + second[6:]]
    columnar, reference = both(topic)
    assert columnar.rejected == reference.rejected
    assert set(columnar.rejected) == {0, 1}


def test_a_decimal_of_too_many_digits_is_refused_and_its_neighbours_are_read() -> None:
    money = [10**18 - 1, 10**18, 1 - 10**18, -(10**18), 0]
    fields = [{"name": "money", "type": DECIMAL}]
    topic = batch(len(money), fields, lambda number: {"money": money[number].to_bytes(8, "big", signed=True)})
    columnar, reference = both(topic)
    assert columnar.rejected == reference.rejected
    assert {index: error.reason for index, error in columnar.rejected.items()} == dict.fromkeys(
        (1, 3), DecodeErrorReason.OUT_OF_RANGE
    )
    assert columnar.rows["money"].to_pylist() == [Decimal(cents).scaleb(-2) for cents in (money[0], money[2], 0)]


@pytest.mark.parametrize(
    "field",
    [
        {"name": "c0", "type": {"type": "array", "items": "int"}},
        {"name": "c0", "type": {"type": "map", "values": "string"}},
    ],
)
def test_a_schema_that_is_not_columnar_is_decoded_by_the_reference(field: dict[str, Any]) -> None:
    schema = envelope([field])
    decoder = decoder_for(TopicKind.CHANGES, json.dumps(schema))
    assert isinstance(decoder, ChangeDecoder)
    assert isinstance(arrow_decoder_for(TopicKind.CHANGES, decoder), ReferenceDecoder)


def test_nothing_good_is_left_to_the_reference() -> None:
    """No record of a bank's ordinary types is refused: the result would be the same, but slow."""
    fields = [{"name": f"c{index}", "type": ["null", field_type.schema]} for index, field_type in enumerate(TYPES[:17])]
    fields += [{"name": "at", "type": INSTANT}, {"name": "money", "type": DECIMAL}, {"name": "sum", "type": MONEY_TEXT}]
    plain: dict[str, Any] = {f"c{index}": None for index in range(17)}
    topic = batch(
        100,
        fields,
        lambda number: {
            **plain,
            "c5": f"é{number}",
            "at": "2026-03-01T10:00:00.123456Z",
            "money": Decimal(number - 50),
            "sum": f"{number - 50}.25",
        },
    )
    rows = ColumnarChanges(topic.decoder.schema, topic.decoder.columns).read(topic.values, topic.keys, {})
    assert not rows.refused.any()


def test_readers_take_no_lanes() -> None:
    """A part of the lanes may be none of them."""
    schema = envelope(
        [{"name": f"c{index}", "type": ["null", field_type.schema]} for index, field_type in enumerate(TYPES)]
    )
    block = Block([], 5)
    reader = reader_of(schema, projection=True)
    lanes = Lanes(block, block.starts)
    assert set(fields_of(reader.read(lanes))) == {"before", "after", "source", "op", "ts_ms", "transaction"}
    reader.skip(lanes)
    assert (len(lanes), len(lanes.bad)) == (0, 0)
