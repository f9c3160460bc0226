"""Traces: W3C context, carried by hand where a hop has no carrier of its own. Silent without an endpoint.

A batch that holds records of many traces starts its own and links to them; see `links`.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span

from bank_common.runtime.settings import TelemetrySettings

TRACEPARENT: Final = "traceparent"
MESSAGE_PREFIX: Final = "traceparent"
"""Prefix of the logical message that carries a transaction's context through the write-ahead log."""


def start(service: str, settings: TelemetrySettings) -> None:
    """Install an exporter when an endpoint is set; otherwise every span is a no-op. Needs the `runtime` extra."""
    if settings.otlp_endpoint is None:
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.otlp_endpoint)))
    trace.set_tracer_provider(provider)


def stop() -> None:
    """Send what is still buffered. Does nothing when `start` installed nothing."""
    shutdown = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        shutdown()


def current_traceparent() -> str | None:
    """Return the context of the running span as a `traceparent` header, or None where nothing is recorded."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get(TRACEPARENT)


def context_of(traceparent: str | None) -> Context | None:
    """Read a caller's context from its header; None for a missing or malformed one: a trace is no reason to fail."""
    if traceparent is None:
        return None
    context = propagate.extract({TRACEPARENT: traceparent})
    return context if trace.get_current_span(context).get_span_context().is_valid else None


def links(traceparents: Iterable[str | None]) -> list[Link]:
    """Make a link for each distinct, valid context: a batch links to the traces of its records."""
    contexts = (context_of(value) for value in dict.fromkeys(traceparents))
    return [Link(trace.get_current_span(context).get_span_context()) for context in contexts if context is not None]


def span(
    name: str,
    *,
    parent: str | None = None,
    linked: Iterable[str | None] = (),
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> AbstractContextManager[Span]:
    """Start a span below `parent` (a `traceparent`; None: the running one), linked to the contexts of a batch."""
    tracer = trace.get_tracer("bank")
    return tracer.start_as_current_span(
        name, context=context_of(parent), links=links(linked), attributes=dict(attributes or {})
    )
