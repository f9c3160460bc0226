"""Stores batches: encode, create, count, trace. Whoever owns the line decides what an outcome means for it."""

from collections.abc import Callable

from bank_common import tracing
from bank_common.logging import Logger
from cdc_consumer.chain import Appended, ChainStore
from cdc_consumer.instruments import Instruments
from cdc_consumer.line import Batch
from cdc_consumer.segment import encode


class Lander:
    """Turns a batch into an object of its chain."""

    def __init__(self, chains: ChainStore, instruments: Instruments, clock: Callable[[], float], log: Logger) -> None:
        self._chains = chains
        self._instruments = instruments
        self._clock = clock
        self._log = log

    def land(self, batch: Batch, topic_id: str) -> Appended:
        """Create the batch's segment; the same batch may be landed again after a failure.

        Raises:
            FailedError: the store failed.
        """
        started = self._clock()
        where = {"topic": batch.chain.topic, "partition": batch.chain.partition}
        with tracing.span("land segment", linked=batch.traceparents, attributes={**where, "start": batch.start}):
            traceparent = tracing.current_traceparent() or next(iter(batch.traceparents), None)
            segment = encode(batch, topic_id, traceparent)
            outcome = self._chains.append(segment)
        if outcome is Appended.LOST_RACE:
            self._instruments.race_lost(batch.chain)
            self._log.warning("race_lost", **where, offset=batch.start)
            return outcome
        self._instruments.segment_created(batch.chain, segment, self._clock() - started)
        self._log.info(
            "segment_stored",
            **where,
            offset=batch.start,
            end=batch.end,
            rows=segment.metadata.rows,
            bytes=len(segment.body),
            reason=batch.reason.value,
            answer_was_lost=outcome is Appended.FOUND,
        )
        return outcome
