import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.metrics import ALL, CONSUMER_SEGMENTS
from bank_common.runtime.service import HealthServer, Liveness, Readiness, Shutdown, build_metric
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
    with HealthServer(HttpSettings(port=0), readiness, registry) as server:
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
    with HealthServer(HttpSettings(port=0), readiness, CollectorRegistry(), liveness) as server:
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
        HealthServer(HttpSettings(port=port), readiness, CollectorRegistry()),
    ):
        pass


def test_metric_names_are_unique_and_ours() -> None:
    names = [metric.name for metric in ALL]
    assert len(names) == len(set(names)) > 5
    assert all(name.startswith("bank_") for name in names)


def test_sigterm_requests_a_stop() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        shutdown = Shutdown().install()
        assert not shutdown.requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert shutdown.wait(5)
        assert shutdown.requested
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
