"""Raw records -> runs that a line can take as they are: same schema, or the reason why not. Knows what is urgent.

Only a record's first five bytes are looked at here. What is wrong with the rest comes out when the batch is decoded,
before it is stored.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from bank_common.landing import TopicPartition
from cdc_consumer.decode import (
    BatchDecoder,
    KeyDecoder,
    batch_decoder_for,
    counts_captured,
    decoder_for,
    key_decoder_for,
    unframe,
)
from cdc_consumer.decode.wire import HEADER_BYTES
from cdc_consumer.decoded_batch import Content, content_of
from cdc_consumer.events import DecodeError, Reason
from cdc_consumer.partition_buffer import Batch, Shape
from cdc_consumer.ports import SchemaRegistry
from cdc_consumer.records import Records
from cdc_consumer.topics import LandedTopics, TopicKind


class Run(NamedTuple):
    """Neighbouring records of one schema. `urgent` when one changes what RAW says, or makes a transaction whole."""

    records: Records
    shape: Shape
    urgent: bool


class Rejected(NamedTuple):
    """Neighbouring records that can't be decoded, for the same reason."""

    records: Records
    error: DecodeError


class Tombstones(NamedTuple):
    """Neighbouring records without a value: they count as read and make no row."""

    records: Records


Taken = Run | Rejected | Tombstones


class _Compiled(NamedTuple):
    decoder: BatchDecoder
    shape: Shape


class Intake:
    """Sorts records and decodes batches; the registry is asked once for each schema id."""

    def __init__(self, registry: SchemaRegistry, topics: LandedTopics) -> None:
        self._registry = registry
        self._topics = topics
        self._values: dict[tuple[TopicKind, int], _Compiled | DecodeError] = {}
        self._keys: dict[int, KeyDecoder | DecodeError] = {}

    def sort(self, topic_partition: TopicPartition, records: Records) -> Iterator[Taken]:
        """Runs in the order of their offsets, which together are the records.

        Raises:
            FailedError: the registry does not answer; this run and what follows can be taken again later.
        """
        kind = self._topics.kinds[topic_partition.topic]
        heads = [value if value is None else value[:HEADER_BYTES] for value in records.values]
        if len(set(heads)) == 1:
            yield self._run(kind, heads[0], records)
            return
        place = 0
        for head, group in groupby(heads):
            stop = place + sum(1 for _ in group)
            yield self._run(kind, head, records.part(place, stop))
            place = stop

    def decode(self, batch: Batch) -> Content:
        """The rows and the rejections of a batch whose records came through `sort`. Asks nobody."""
        kind = self._topics.kinds[batch.topic_partition.topic]
        compiled = None if batch.shape is None else self._values.get((kind, batch.shape.schema_id))
        decoder = compiled.decoder if isinstance(compiled, _Compiled) else None
        return content_of(kind, batch, decoder, self._keys)

    def _run(self, kind: TopicKind, head: bytes | None, records: Records) -> Taken:
        if head is None:
            return Tombstones(records)
        framed = unframe(head)
        if isinstance(framed, DecodeError):
            return Rejected(records, framed)
        compiled = self._compiled(kind, framed.schema_id)
        if isinstance(compiled, DecodeError):
            return Rejected(records, compiled)
        if kind is TopicKind.CHANGES:
            self._learn_keys(records.keys)
        return Run(records, compiled.shape, self._is_urgent(kind, records.values))

    def _is_urgent(self, kind: TopicKind, values: Sequence[bytes | None]) -> bool:
        if kind is not TopicKind.TRANSACTIONS:
            return True
        return counts_captured((value for value in values if value is not None), self._topics.captured)

    def _compiled(self, kind: TopicKind, schema_id: int) -> _Compiled | DecodeError:
        found = self._values.get((kind, schema_id))
        if found is None:
            text = self._registry.schema(schema_id)
            if text is None:
                # Not kept: the registry may learn it (a restore, a repaired database).
                return DecodeError(Reason.UNKNOWN_SCHEMA, f"schema id {schema_id}")
            decoder = decoder_for(kind, text)
            found = (
                decoder
                if isinstance(decoder, DecodeError)
                else _Compiled(batch_decoder_for(kind, decoder), Shape(kind, schema_id, decoder.columns))
            )
            self._values[kind, schema_id] = found
        return found

    def _learn_keys(self, keys: Sequence[bytes | None]) -> None:
        """Make sure that the keys' schemas are known when their batch is decoded; an unknown one is left out."""
        for head in {key[:HEADER_BYTES] for key in keys if key is not None}:
            framed = unframe(head)
            if isinstance(framed, DecodeError) or framed.schema_id in self._keys:
                continue
            text = self._registry.schema(framed.schema_id)
            if text is not None:
                self._keys[framed.schema_id] = key_decoder_for(text)
