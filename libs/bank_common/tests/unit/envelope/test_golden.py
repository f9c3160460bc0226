"""What the real connector wrote (tests/golden), decoded by both decoders. The expected values are those of its SQL."""

import base64
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bank_common.envelope.columnar.keys import ColumnarKeys
from bank_common.envelope.columnar.readers import reader_of
from bank_common.envelope.columnar.transactions import ColumnarTransactions
from bank_common.envelope.decoders import ReferenceDecoder
from bank_common.envelope.decoding import (
    DecodedRows,
    KeyDecoders,
    arrow_decoder_for,
    counts_captured,
    decoder_for,
    key_decoder_for,
)
from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind

FOLDER = Path(__file__).parents[2] / "golden"
FILES: dict[str, dict[str, Any]] = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in ("records", "records_unmarked")
}
NOW, BEFORE = FILES
FULL = "insert of every type"


def raw(record: dict[str, Any], part: str) -> bytes | None:
    return None if record[part] is None else base64.b64decode(record[part])


def schema_id(data: bytes) -> int:
    return int.from_bytes(data[1:5], "big")


def records(kind: str, file: str = NOW) -> list[dict[str, Any]]:
    return [record for record in FILES[file]["records"] if record["kind"] == kind]


def text(identity: int, file: str = NOW) -> str:
    return json.dumps(FILES[file]["schemas"][str(identity)])


@cache
def decoded(kind: TopicKind, file: str = NOW) -> tuple[list[str], DecodedRows]:
    """How each record with a value was made, and what the reference makes of all of them."""
    with_value = [record for record in records(kind.value, file) if record["value"] is not None]
    values = [raw(record, "value") or b"" for record in with_value]
    keys = [raw(record, "key") for record in with_value]
    key_decoders: KeyDecoders = {
        identity: key_decoder_for(text(identity, file)) for identity in {schema_id(key) for key in keys if key}
    }
    tables: list[pa.Table] = []
    rejected: dict[int, DecodeError] = {}
    # A numeric without a precision has another length in the snapshot than in the stream: one schema, then another.
    for identity, group in groupby(range(len(values)), key=lambda index: schema_id(values[index])):
        indexes = list(group)
        of_schema = [values[index] for index in indexes], [keys[index] for index in indexes], key_decoders
        decoder = decoder_for(kind, text(identity, file))
        assert not isinstance(decoder, DecodeError), decoder
        reference = ReferenceDecoder(kind, decoder).decode(*of_schema)
        columnar = arrow_decoder_for(kind, decoder).decode(*of_schema)
        assert columnar.rejected == reference.rejected
        assert columnar.rows.equals(reference.rows) or kind is TopicKind.CHANGES, "NaN equals nothing"
        tables.append(reference.rows)
        rejected |= {indexes[0] + index: error for index, error in reference.rejected.items()}
    return [record.get("how", "") for record in with_value], DecodedRows(pa.concat_tables(tables), rejected)


def rows(how: str, file: str = NOW) -> list[dict[str, Any]]:
    """The rows of the records that were made like this."""
    hows, result = decoded(TopicKind.CHANGES, file)
    kept = [made for index, made in enumerate(hows) if index not in result.rejected]
    indexes = [index for index, made in enumerate(kept) if made == how]
    return [result.rows.slice(index, 1).to_pylist()[0] for index in indexes]


def test_every_type_is_what_was_inserted() -> None:
    [row] = rows(FULL)
    expected = {
        "a_smallint": -2,
        "an_integer": 3,
        "a_bigint": 9007199254740993,
        "a_real": 0.5,
        "a_double": -0.25,
        "a_numeric": Decimal("-1234567.89"),
        "any_numeric": "0.000123",
        "some_money": Decimal("12.34"),
        "a_boolean": True,
        "a_char": "abc",
        "a_varchar": "Grüße",
        "a_bytea": b"\x00\xff",
        "one_bit": True,
        "nine_bits": b"\x01\x01",
        "a_date": date(2026, 3, 1),
        "a_time": time(23, 59, 59, 123456),
        "a_timetz": "08:00:00.5Z",
        "a_timestamp": datetime(2026, 3, 1, 10, 0, 0, 123456),  # noqa: DTZ001 - the column has no zone
        "a_timestamptz": datetime(2026, 3, 1, 9, 0, 0, 123456, tzinfo=UTC),
        "a_uuid": "6f1c1a52-7c1e-4c59-9a65-1f6f6d3c0a11",
        "a_json": '{"a": 1}',
        "a_jsonb": '{"b": [true]}',
        "an_inet": "10.0.0.1/8",
        "a_mood": "busy",
        "an_oid": 4294967295,
        "a_range": "[1,5)",
        "an_int8range": "[1,9007199254740993)",
        "a_numrange": "[1.5,2.5)",
        "a_tsrange": '["2026-03-01 10:00:00","2026-03-02 10:00:00")',
        "a_daterange": "[2026-03-01,2026-03-02)",
        "a_macaddr8": "08:00:2b:01:02:03:04:05",
        "a_citext": "Straße",
        "an_ltree": "top.science",
        "a_vector": "[1.0,-2.5,3.0]",
        "a_halfvec": "[1.0,0.5,-4.0]",
        "integers": "[1,null,-3]",
        "bigints": "[9007199254740993]",
        "texts": '["ä","a b",null]',
        "numerics": '["1.10","-2.00"]',
        "dates": '["2026-03-01"]',
        "instants": '["2026-03-01T10:00:00Z"]',
        "uuids": '["6f1c1a52-7c1e-4c59-9a65-1f6f6d3c0a11"]',
        "toasted_text": "t" * 9000,
        "toasted_bytes": b"\xab" * 9000,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["an_hstore"]) == {"k": "v", "n": None}
    assert json.loads(row["a_sparsevec"]) == {
        "dimensions": 5,
        "vector": [{"key": 1, "value": 1.5}, {"key": 5, "value": -2.0}],
    }
    point = json.loads(row["a_point"])
    assert (point["x"], point["y"]) == (1.5, -2)


def test_operations_and_their_position_in_the_log() -> None:
    hows, result = decoded(TopicKind.CHANGES)
    kept = [how for index, how in enumerate(hows) if index not in result.rejected]
    operations = dict(zip(kept, result.rows["_cdc_op"].to_pylist(), strict=True))
    assert operations["initial snapshot"] == "r"
    assert operations[FULL] == "c"
    assert operations["update that leaves TOAST untouched"] == "u"
    assert operations["delete and its tombstone"] == "d"
    assert operations["truncate"] == "t"
    [snapshot] = rows("initial snapshot")
    assert (snapshot["_cdc_snapshot"], snapshot["_cdc_tx_order"]) == ("last", None)
    positions = result.rows["_cdc_lsn"].to_pylist()
    assert positions == sorted(positions)


def test_what_toast_left_out_is_named_whatever_its_type() -> None:
    [row] = rows("update that leaves TOAST untouched")
    toasted = ["toasted_text", "toasted_bytes", "toasted_texts", "toasted_integers"]
    assert json.loads(row["_cdc_unavailable"]) == toasted
    assert [row[name] for name in toasted] == [None] * 4
    assert row["a_text"] == "changed"


def test_a_change_of_the_key_is_a_delete_and_a_create() -> None:
    old, new = rows("change of the key: delete, tombstone, create")
    assert [(row["_cdc_op"], row["id"], row["an_integer"]) for row in (old, new)] == [("d", 1, None), ("c", 1000, 7)]


@pytest.mark.parametrize(
    ("how", "texts"),
    [
        ("insert of an infinite date", {"a_date": "infinity"}),
        ("insert of an infinite timestamp", {"a_timestamp": "-infinity"}),
        ("insert of an infinite instant", {"a_timestamptz": "infinity"}),
        (
            "insert of the other infinities and of the end of the day",
            {"a_date": "-infinity", "a_time": "24:00:00", "a_timestamp": "infinity", "a_timestamptz": "-infinity"},
        ),
        (
            "insert of far years",
            {
                "a_date": "0044-03-15 BC",
                "a_timestamp": "10000-01-01 00:00:00.5",
                "a_timestamptz": "+10000-01-01T00:00:00.000000Z",
            },
        ),
        ("insert of an instant before year one", {"a_timestamptz": "-0043-03-15T12:00:00.000000Z"}),
        ("insert of decimals that are no number", {"a_numeric": "NaN"}),
    ],
)
def test_what_no_column_holds_is_null_with_its_text(how: str, texts: dict[str, str]) -> None:
    [row] = rows(how)
    assert json.loads(row["_cdc_not_representable"]) == texts
    assert [row[name] for name in texts] == [None] * len(texts)


def test_nothing_of_the_source_is_rejected() -> None:
    _, result = decoded(TopicKind.CHANGES)
    assert not result.rejected


def test_infinities_that_floats_know_are_floats() -> None:
    [row] = rows("insert of what is no number, and of infinities that floats know")
    assert row["a_real"] != row["a_real"]
    assert row["a_double"] == -float("inf")


def test_a_null_stays_null_where_there_is_a_default_also_in_the_snapshot() -> None:
    for how in ("initial snapshot", "insert of NULL where there is a default"):
        [row] = rows(how)
        assert (row["defaulted"], row["hardened"]) == (None, 1)


def test_a_text_that_equals_the_usual_placeholder_is_a_text() -> None:
    [row] = rows("insert of the usual placeholder")
    usual = "__debezium_unavailable_value"
    assert (row["a_text"], row["a_bytea"], row["texts"]) == (usual, usual.encode(), f'["{usual}"]')
    assert row["_cdc_unavailable"] is None


def test_decimals_are_exact_whatever_their_scale() -> None:
    [row] = rows("insert of decimals of odd scales")
    assert (row["hundreds"], row["thousandths"]) == (Decimal(12300), Decimal("0.00012"))
    assert (row["wide"], row["any_numeric"]) == ("12345678901234567890123456789012345678.25", "1.500")
    assert rows("insert of decimals that are no number")[0]["any_numeric"] == "-Infinity"


def test_a_change_of_the_key_names_what_toast_left_out() -> None:
    old, new = rows("change of the key that leaves TOAST untouched")
    assert (old["_cdc_op"], old["id"], new["_cdc_op"], new["id"]) == ("d", 2, "c", 2000)
    assert old["_cdc_lsn"] == new["_cdc_lsn"]
    assert "toasted_text" in json.loads(new["_cdc_unavailable"])


def test_a_hardened_column_leaves_the_schema_as_it_is() -> None:
    [row] = rows("update after a column was hardened")
    assert (row["id"], row["an_integer"]) == (2000, 4)


def test_records_of_before_envelopes_said_what_they_came_without_are_read_as_they_were() -> None:
    [before], [now] = rows(FULL, BEFORE), rows(FULL)
    shared = [name for name in before if name in now and not name.startswith("_cdc_")]
    assert len(shared) > 50
    assert {name: before[name] for name in shared} == {name: now[name] for name in shared}
    [untouched] = rows("update that leaves TOAST untouched", BEFORE)
    assert "toasted_integers" in json.loads(untouched["_cdc_unavailable"])


def test_tombstones_follow_deletes() -> None:
    changes = records("changes")
    indexes = [index for index, record in enumerate(changes) if record["value"] is None]
    assert len(indexes) == 3
    assert all(changes[index]["key"] == changes[index - 1]["key"] for index in indexes)


def test_begin_and_end_count_the_table_and_the_heartbeat_does_not() -> None:
    _, result = decoded(TopicKind.TRANSACTIONS)
    assert not result.rejected
    statuses = result.rows["status"].to_pylist()
    assert statuses[0::2] == ["BEGIN"] * (len(statuses) // 2)
    assert statuses[1::2] == ["END"] * (len(statuses) // 2)
    ends = [json.loads(counts) for counts in result.rows["collections"].to_pylist() if counts is not None]
    counted = [any(count["data_collection"] == "public.zoo" for count in end) for end in ends]
    assert any(counted)
    assert not all(counted), "heartbeats have an END too"
    guessed = [counts_captured([raw(record, "value") or b""], ["public.zoo"]) for record in records("transactions")]
    exact = [counts is not None and "public.zoo" in counts for counts in result.rows["collections"].to_pylist()]
    assert guessed == exact


def test_notifications_tell_of_the_snapshot() -> None:
    _, result = decoded(TopicKind.NOTIFICATIONS)
    assert not result.rejected
    scanned = [row for row in result.rows.to_pylist() if row["type"] == "TABLE_SCAN_COMPLETED"]
    assert [(row["table_name"], row["row_count"], row["status"]) for row in scanned] == [("public.zoo", 1, "SUCCEEDED")]


@pytest.mark.parametrize("kind", ["message", "heartbeat"])
def test_topics_that_are_not_landed_are_no_changes(kind: str) -> None:
    [record] = records(kind)
    value = raw(record, "value")
    assert value is not None
    error = decoder_for(TopicKind.CHANGES, text(schema_id(value)))
    assert isinstance(error, DecodeError)
    assert error.reason is DecodeErrorReason.UNSUPPORTED_SCHEMA


def test_the_connector_s_keys_are_decoded_in_columns() -> None:
    [identity] = {schema_id(key) for record in records("changes") if (key := raw(record, "key"))}
    schema = json.loads(text(identity))
    assert reader_of(schema, projection=True)
    result = ColumnarKeys(schema).read([raw(record, "key") or b"" for record in records("changes")[:-1]])
    assert not result.refused.any()
    assert result.columns["id"].to_pylist()[0] == 1


def test_the_connector_s_transactions_are_decoded_in_columns() -> None:
    values = [raw(record, "value") or b"" for record in records("transactions")]
    [identity] = {schema_id(value) for value in values}
    result = ColumnarTransactions(json.loads(text(identity))).read(values, [None] * len(values), {})
    assert not result.refused.any()
    _, reference = decoded(TopicKind.TRANSACTIONS)
    assert {name: column.to_pylist() for name, column in result.columns.items()} == reference.rows.to_pydict()
