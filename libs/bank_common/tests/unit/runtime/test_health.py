"""The health endpoints, over HTTP from a thread and as an ASGI application."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.health import PATHS, HealthEndpoints, HealthServer
from bank_common.runtime.metrics import CONSUMER_SEGMENTS
from bank_common.runtime.service import Liveness, Readiness, build_metric
from bank_common.runtime.settings import HttpSettings


def _get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def readiness() -> Readiness:
    return Readiness(["kafka", "store"])


@pytest.fixture
def port(readiness: Readiness) -> Iterator[int]:
    registry = CollectorRegistry()
    build_metric(CONSUMER_SEGMENTS, registry).labels("t", "0").inc()
    with HealthServer(HttpSettings(port=0), HealthEndpoints(readiness, registry)) as server:
        yield server.port


def test_readiness_names_what_is_missing(port: int, readiness: Readiness) -> None:
    assert _get(port, "/healthz")[0] == 200
    readiness.ready("kafka")
    readiness.unready("store", "connection refused")
    assert _get(port, "/readyz") == (503, "store: connection refused\n")
    readiness.ready("store")
    assert _get(port, "/readyz")[0] == 200


def test_a_loop_that_stands_still_is_not_alive(readiness: Readiness) -> None:
    now = [0.0]
    liveness = Liveness(lambda: now[0], limit_seconds=10)
    with HealthServer(HttpSettings(port=0), HealthEndpoints(readiness, CollectorRegistry(), liveness)) as server:
        now[0] = 9
        assert _get(server.port, "/healthz") == (200, "ok\n")
        now[0] = 11
        assert _get(server.port, "/healthz") == (503, "the loop's last turn was 11 s ago\n")
        liveness.beat()
        assert _get(server.port, "/healthz")[0] == 200


def test_metrics_are_served(port: int) -> None:
    assert 'bank_consumer_segments_total{partition="0",topic="t"} 1.0' in _get(port, "/metrics")[1]
    assert _get(port, "/nothing")[0] == 404


def test_a_taken_port_is_a_clear_error(port: int, readiness: Readiness) -> None:
    with (
        pytest.raises(PipelineError, match=str(port)),
        HealthServer(HttpSettings(port=port), HealthEndpoints(readiness, CollectorRegistry())),
    ):
        pass


def call(endpoints: HealthEndpoints, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    """Ask as an ASGI server does."""
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("a probe has no body")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(endpoints({"type": "http", "method": method, "path": path}, receive, send))
    start, body = sent
    return start["status"], dict(start["headers"]), body["body"]


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_an_event_loop_serves_the_same_answers(readiness: Readiness, path: str) -> None:
    endpoints = HealthEndpoints(readiness, CollectorRegistry())
    expected = endpoints.answer(path)
    status, headers, body = call(endpoints, "GET", path)
    assert (status, body) == (expected.status, expected.body)
    assert headers[b"content-type"] == expected.content_type.encode()
    assert call(endpoints, "HEAD", path) == (status, headers, b"")
