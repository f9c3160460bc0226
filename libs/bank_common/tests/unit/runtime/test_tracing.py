from bank_common.runtime import tracing
from bank_common.runtime.settings import TelemetrySettings

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_an_endpoint_nothing_is_recorded() -> None:
    tracing.start("test", TelemetrySettings())
    with tracing.span("work") as span:
        assert not span.is_recording()
        assert tracing.current_traceparent() is None


def test_the_callers_context_is_carried_even_when_nothing_is_recorded() -> None:
    with tracing.span("work", parent=PARENT):
        carried = tracing.current_traceparent()
    assert carried is not None
    assert carried.split("-")[1] == PARENT.split("-")[1]


def test_links_are_distinct_and_malformed_contexts_are_dropped() -> None:
    links = tracing.links([PARENT, None, "garbage", PARENT])
    assert [f"{link.context.trace_id:032x}" for link in links] == [PARENT.split("-")[1]]
