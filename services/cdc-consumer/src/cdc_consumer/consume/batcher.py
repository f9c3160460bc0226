"""The batcher: raw records -> batches of one value schema, and which of them are urgent.

Only the first five bytes of a record are read here. Whether the rest fits its schema shows when the batch is decoded,
before it is written.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from bank_common.envelope.decoding import (
    ArrowDecoder,
    KeyDecoder,
    arrow_decoder_for,
    counts_captured,
    decoder_for,
    key_decoder_for,
    unframe,
)
from bank_common.envelope.events import DecodeError, DecodeErrorReason
from bank_common.envelope.topic_kind import TopicKind
from bank_common.envelope.wire import HEADER_BYTES
from bank_common.landing.segments import TopicPartition
from cdc_consumer.model.partition_buffer import SegmentBatch, ValueSchema
from cdc_consumer.model.records import Records
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import SchemaRegistry
from cdc_consumer.segments.decoded_batch import DecodedBatch, decode_batch


class SchemaBatch(NamedTuple):
    """Consecutive records of one value schema. `urgent`: one of them changes RAW, or ends a transaction there."""

    records: Records
    value_schema: ValueSchema
    urgent: bool


class RejectedBatch(NamedTuple):
    """Consecutive undecodable records, all for the same reason."""

    records: Records
    error: DecodeError


class TombstoneBatch(NamedTuple):
    """Consecutive tombstones: records without a value, which make no row."""

    records: Records


IncomingBatch = SchemaBatch | RejectedBatch | TombstoneBatch


class _Compiled(NamedTuple):
    decoder: ArrowDecoder
    value_schema: ValueSchema


class Batcher:
    """Makes batches and decodes them; asks the registry once for each schema id."""

    def __init__(self, registry: SchemaRegistry, topics: LandedTopics) -> None:
        self._registry = registry
        self._topics = topics
        self._values: dict[tuple[TopicKind, int], _Compiled | DecodeError] = {}
        self._keys: dict[int, KeyDecoder | DecodeError] = {}

    def batches(self, topic_partition: TopicPartition, records: Records) -> Iterator[IncomingBatch]:
        """Split records into batches, in the order of their offsets.

        Raises:
            FailedError: the registry does not answer; the records from here on can be given again later.
        """
        kind = self._topics.kinds[topic_partition.topic]
        heads = [value if value is None else value[:HEADER_BYTES] for value in records.values]
        if len(set(heads)) == 1:
            yield self._batch(kind, heads[0], records)
            return
        start = 0
        for head, group in groupby(heads):
            stop = start + sum(1 for _ in group)
            yield self._batch(kind, head, records.part(start, stop))
            start = stop

    def decode(self, batch: SegmentBatch) -> DecodedBatch:
        """Decode a batch whose records came through `batches`. Does no I/O."""
        kind = self._topics.kinds[batch.topic_partition.topic]
        compiled = None if batch.value_schema is None else self._values.get((kind, batch.value_schema.schema_id))
        decoder = compiled.decoder if isinstance(compiled, _Compiled) else None
        return decode_batch(kind, batch, decoder, self._keys)

    def _batch(self, kind: TopicKind, head: bytes | None, records: Records) -> IncomingBatch:
        if head is None:
            return TombstoneBatch(records)
        framed = unframe(head)
        if isinstance(framed, DecodeError):
            return RejectedBatch(records, framed)
        compiled = self._compiled(kind, framed.schema_id)
        if isinstance(compiled, DecodeError):
            return RejectedBatch(records, compiled)
        if kind is TopicKind.CHANGES:
            self._learn_keys(records.keys)
        return SchemaBatch(records, compiled.value_schema, self._is_urgent(kind, records.values))

    def _is_urgent(self, kind: TopicKind, values: Sequence[bytes | None]) -> bool:
        if kind is not TopicKind.TRANSACTIONS:
            return True
        return counts_captured((value for value in values if value is not None), self._topics.captured)

    def _compiled(self, kind: TopicKind, schema_id: int) -> _Compiled | DecodeError:
        compiled = self._values.get((kind, schema_id))
        if compiled is None:
            text = self._registry.schema(schema_id)
            if text is None:
                # Not kept: the registry may learn it (a restore, a repaired database).
                return DecodeError(DecodeErrorReason.UNKNOWN_SCHEMA, f"schema id {schema_id}")
            decoder = decoder_for(kind, text)
            compiled = (
                decoder
                if isinstance(decoder, DecodeError)
                else _Compiled(arrow_decoder_for(kind, decoder), ValueSchema(kind, schema_id, decoder.columns))
            )
            self._values[kind, schema_id] = compiled
        return compiled

    def _learn_keys(self, keys: Sequence[bytes | None]) -> None:
        """Look up the schemas of the keys before their batch is decoded; an unknown one is left out."""
        for head in {key[:HEADER_BYTES] for key in keys if key is not None}:
            framed = unframe(head)
            if isinstance(framed, DecodeError) or framed.schema_id in self._keys:
                continue
            text = self._registry.schema(framed.schema_id)
            if text is not None:
                self._keys[framed.schema_id] = key_decoder_for(text)
