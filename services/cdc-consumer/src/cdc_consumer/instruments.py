"""The consumer's metrics, as `bank_common.metrics` names them."""

from prometheus_client import CollectorRegistry

from bank_common import metrics as m
from bank_common.service import build_metric
from cdc_consumer.segment import Segment
from cdc_consumer.topics import Chain


class Instruments:
    """One method per thing that happens."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._records = build_metric(m.CONSUMER_RECORDS, registry)
        self._segments = build_metric(m.CONSUMER_SEGMENTS, registry)
        self._rows = build_metric(m.CONSUMER_ROWS, registry)
        self._bytes = build_metric(m.CONSUMER_BYTES, registry)
        self._races = build_metric(m.CONSUMER_RACES_LOST, registry)
        self._store_errors = build_metric(m.CONSUMER_STORE_ERRORS, registry)
        self._buffered = build_metric(m.CONSUMER_BUFFERED_BYTES, registry)
        self._lag = build_metric(m.CONSUMER_LAG, registry)
        self._flush = build_metric(m.CONSUMER_FLUSH, registry)

    def records_read(self, chain: Chain, records: int) -> None:
        """Records were taken into a line."""
        self._records.labels(*chain).inc(records)

    def segment_created(self, chain: Chain, segment: Segment, seconds: float) -> None:
        """A segment is in the chain."""
        self._segments.labels(*chain).inc()
        self._rows.labels(*chain).inc(segment.metadata.rows)
        self._bytes.labels(*chain).inc(len(segment.body))
        self._flush.observe(seconds)

    def race_lost(self, chain: Chain) -> None:
        """Another owner was first."""
        self._races.labels(*chain).inc()

    def store_failed(self) -> None:
        """A call to the object store failed."""
        self._store_errors.inc()

    def buffered(self, size: int) -> None:
        """What all lines hold together."""
        self._buffered.set(size)

    def lag(self, chain: Chain, records: int) -> None:
        """How far the chain is behind its log."""
        self._lag.labels(*chain).set(records)

    def not_ours(self, chain: Chain) -> None:
        """The chain's lag is another owner's to tell."""
        self._lag.remove(*chain)
