"""The generator's metrics, as `bank_common.runtime.metrics` names them."""

from prometheus_client import CollectorRegistry

from bank_common.runtime import metrics as m
from bank_common.runtime.service import build_metric
from generator.model.outcomes import Committed, Outcome


class GeneratorMetrics:
    """The counters of transactions and row changes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._transactions = build_metric(m.GENERATOR_TRANSACTIONS, registry)
        self._changes = build_metric(m.GENERATOR_CHANGES, registry)

    def counted(self, kind: str, outcome: Outcome) -> None:
        """Count a transaction with a known outcome."""
        if isinstance(outcome, Committed):
            self._transactions.labels(kind, "committed").inc()
            for (table, operation), rows in outcome.changes.items():
                self._changes.labels(table, operation).inc(rows)
        else:
            self._transactions.labels(kind, outcome.reason).inc()

    def unknown(self, kind: str) -> None:
        """Count a transaction whose connection broke during its commit."""
        self._transactions.labels(kind, "unknown").inc()
