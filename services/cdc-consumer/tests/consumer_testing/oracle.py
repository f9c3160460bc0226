"""The oracle: what chains and dead letters must hold, by a plain reader of the topic, and whether they do."""

import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from consumer_testing.traffic import POOL, Traffic

Longs = NDArray[np.int64]


def assert_landed_once(traffic: Traffic, context: str) -> tuple[int, int]:
    """Check I5 and I10 for every committed record: a good one is one row, whole; a poisoned one is a dead letter, and
    the footer of its segment names it; chains have no gap. Returns the number of records, and the sum of the log ends.
    """
    table, rejected = _landed(traffic)
    seen = _committed(traffic)
    for partition, (offsets, indexes) in enumerate(seen):
        where = f"partition {partition}, {context}"
        good = indexes < POOL
        rows = table.filter(pa.array(table["_cdc_partition"].to_numpy() == partition)).sort_by("_cdc_offset")
        _assert_same(rows["_cdc_offset"].to_numpy(), offsets[good], where)
        expected = traffic.rows.take(pa.array(indexes[good]))
        for name in expected.column_names:
            assert rows[name].combine_chunks().equals(expected[name].combine_chunks()), f"{name}, {where}"
        _assert_same(np.sort(np.array(rejected[partition], np.int64)), offsets[~good], f"rejected, {where}")
    for partition, ranges in traffic.sandbox.ranges(traffic.topic).items():
        assert all(left[1] == right[0] for left, right in pairwise(ranges)), (partition, ranges, context)
    _assert_dead_letters(traffic, seen, context)
    return sum(len(offsets) for offsets, _ in seen), sum(int(offsets[-1]) + 1 for offsets, _ in seen)


def _assert_same(offsets: Longs, expected: Longs, context: str) -> None:
    """The same offsets, once each."""
    if np.array_equal(offsets, expected):
        return
    values, counts = np.unique(offsets, return_counts=True)
    missing, alien, doubled = np.setdiff1d(expected, values), np.setdiff1d(values, expected), values[counts > 1]
    some = {"missing": missing, "alien": alien, "doubled": doubled}
    raise AssertionError({name: (len(wrong), wrong[:5].tolist()) for name, wrong in some.items()}, context)


def _committed(traffic: Traffic) -> list[tuple[Longs, Longs]]:
    """By partition: the offsets of a read_committed reader, and what each record is (see `Traffic.index`)."""
    partitions: list[tuple[list[int], list[int]]] = [([], []) for _ in range(traffic.partitions)]
    for messages in traffic.sandbox.batches(traffic.topic):
        for message in messages:
            offsets, indexes = partitions[message.partition() or 0]
            offsets.append(message.offset() or 0)
            indexes.append(traffic.index(message.value()))  # pyright: ignore[reportArgumentType] - bytes, as produced
    return [(np.array(offsets, np.int64), np.array(indexes, np.int64)) for offsets, indexes in partitions]


def _landed(traffic: Traffic) -> tuple[pa.Table, list[list[int]]]:
    """The rows of all segments, and the offsets by partition that their footers call rejected."""
    tables: list[pa.Table] = []
    rejected: list[list[int]] = [[] for _ in range(traffic.partitions)]
    columns = [*traffic.rows.column_names, "_cdc_partition", "_cdc_offset"]
    for key, metadata, table in traffic.sandbox.segments(traffic.topic):
        told = json.loads(table.schema.metadata[b"bank-rejected-offsets"])
        assert (len(told), table.num_rows) == (int(metadata["bank-rejected"]), int(metadata["bank-rows"])), key
        rejected[int(key.split("/")[1])] += told
        tables.append(table.select(columns))
    return pa.concat_tables(tables).replace_schema_metadata(None), rejected


def _assert_dead_letters(traffic: Traffic, seen: list[tuple[Longs, Longs]], context: str) -> None:
    """Exactly the poison, each with its bytes and its reason; one that was sent twice counts once."""
    dead_letters = {
        key: (value, headers.get("dead-letter.key"), headers["dead-letter.reason"].decode())
        for key, value, headers in traffic.sandbox.dead_letters()
    }
    expected = {}
    for partition, (offsets, indexes) in enumerate(seen):
        bad = indexes >= POOL
        for offset, index in zip(offsets[bad].tolist(), indexes[bad].tolist(), strict=True):
            poison = traffic.poisons[index - POOL]
            address = f"{traffic.topic}/{partition}/{offset}".encode()
            expected[address] = (poison.value, poison.key, poison.reason.value)
    assert dead_letters == expected, context
