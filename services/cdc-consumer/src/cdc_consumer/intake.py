"""A Kafka record -> an event for its line. One decoder per schema id; tells what is urgent."""

from typing import NamedTuple

from cdc_consumer.decode import Decoder, EncodedKey, Key, KeyDecoder, decoder_for, key_decoder_for, unframe
from cdc_consumer.events import ChangeEvent, DecodeError, Event, NotificationEvent, Reason, TransactionEvent
from cdc_consumer.line import Shape
from cdc_consumer.ports import Record, SchemaRegistry
from cdc_consumer.topics import Kind, LandedTopics


class Taken(NamedTuple):
    """A decoded record. `urgent` when it changes what RAW says, or makes a transaction of RAW tables whole."""

    event: Event
    shape: Shape
    urgent: bool


class Tombstone(NamedTuple):
    """A record without a value: it counts as read and makes no row."""


class _Compiled(NamedTuple):
    decoder: Decoder
    shape: Shape


class Intake:
    """Decodes records; the registry is asked once for each schema id."""

    def __init__(self, registry: SchemaRegistry, topics: LandedTopics) -> None:
        self._registry = registry
        self._topics = topics
        self._values: dict[tuple[Kind, int], _Compiled | DecodeError] = {}
        self._keys: dict[int, KeyDecoder | DecodeError] = {}

    def take(self, record: Record) -> Taken | Tombstone | DecodeError:
        """Decode one record.

        Raises:
            FailedError: the registry does not answer; the record can be taken again later.
        """
        if record.value is None:
            return Tombstone()
        framed = unframe(record.value)
        if isinstance(framed, DecodeError):
            return framed
        kind = self._topics.kinds[record.topic]
        compiled = self._compiled(kind, framed.schema_id)
        if isinstance(compiled, DecodeError):
            return compiled
        key = self._key(record.key) if kind is Kind.CHANGES else None
        event = compiled.decoder.decode(framed.body, key)
        if isinstance(event, DecodeError):
            return event
        return Taken(event, compiled.shape, self._is_urgent(event))

    def _is_urgent(self, event: Event) -> bool:
        match event:
            case ChangeEvent() | NotificationEvent():
                return True
            case TransactionEvent(collections=collections):
                return any(name in self._topics.captured and count > 0 for name, count in collections or ())

    def _compiled(self, kind: Kind, schema_id: int) -> _Compiled | DecodeError:
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
                else _Compiled(decoder, Shape(kind, schema_id, decoder.columns))
            )
            self._values[kind, schema_id] = found
        return found

    def _key(self, data: bytes | None) -> Key:
        if data is None:
            return None
        framed = unframe(data)
        if isinstance(framed, DecodeError):
            return DecodeError(framed.reason, f"key: {framed.detail}")
        decoder = self._keys.get(framed.schema_id)
        if decoder is None:
            text = self._registry.schema(framed.schema_id)
            if text is None:
                return DecodeError(Reason.UNKNOWN_SCHEMA, f"key: schema id {framed.schema_id}")
            decoder = key_decoder_for(text)
            self._keys[framed.schema_id] = decoder
        return decoder if isinstance(decoder, DecodeError) else EncodedKey(decoder, framed.body)
