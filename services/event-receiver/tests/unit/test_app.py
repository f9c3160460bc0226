"""The webhook over HTTP, with the worker replaced by a list."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from receiver_testing.notifications import ODD_KEY, SEGMENT, about

from bank_common.names import BUCKET, RAW_TABLE_BY_TOPIC
from bank_common.runtime.health import HealthEndpoints
from bank_common.runtime.logging import get_logger
from bank_common.runtime.service import Readiness
from event_receiver.app import EVENTS_PATH, Webhook, create_app
from event_receiver.metrics import ReceiverMetrics
from event_receiver.model.events import Hint

OLD, NEW = "old-token-0123456789", "new-token-0123456789"


class Receiver:
    """The application without a network."""

    def __init__(self) -> None:
        self.marked: list[Hint] = []
        self.readiness = Readiness(["airflow"])
        registry = CollectorRegistry()
        webhook = Webhook(
            tokens=[OLD, NEW],
            max_body_bytes=4096,
            bucket=BUCKET,
            topics=RAW_TABLE_BY_TOPIC,
            mark=self._mark,
            metrics=ReceiverMetrics(registry),
            log=get_logger("test"),
        )

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            yield

        self.app = create_app(webhook, HealthEndpoints(self.readiness, registry), version="0", lifespan=lifespan)

    def _mark(self, hints: Sequence[Hint]) -> None:
        self.marked.extend(hints)

    def request(self, method: str, path: str, *, content: object = None, token: str | None = None) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                headers = {} if token is None else {"Authorization": token}
                return await client.request(method, path, content=content, headers=headers)  # type: ignore[arg-type]

        return asyncio.run(send())

    def post(self, content: object, token: str | None = f"Bearer {OLD}") -> httpx.Response:
        return self.request("POST", EVENTS_PATH, content=content, token=token)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.mark.parametrize("token", [OLD, NEW])
def test_both_tokens_are_accepted(receiver: Receiver, token: str) -> None:
    answer = receiver.post(SEGMENT, f"Bearer {token}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert len(receiver.marked) == 1


@pytest.mark.parametrize(
    "token",
    [None, "", "Bearer", "Bearer ", f"Basic {OLD}", OLD, f"Bearer {OLD}x", f"Bearer {OLD[:-1]}", f"Bearer {OLD},{NEW}"],
)
def test_anything_else_is_401_without_detail(receiver: Receiver, token: str | None) -> None:
    answer = receiver.post(SEGMENT, token)
    assert (answer.status_code, answer.content) == (401, b"")
    assert receiver.marked == []


def test_a_body_without_a_known_token_is_not_even_read(receiver: Receiver) -> None:
    async def endless() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    assert receiver.post(endless(), "Bearer wrong").status_code == 401


def test_too_large_is_413_by_header_and_by_what_comes(receiver: Receiver) -> None:
    async def undeclared() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b" " * 1000

    for content in (b" " * 4097, undeclared()):
        answer = receiver.post(content)
        assert (answer.status_code, answer.content) == (413, b"")
    assert receiver.post(SEGMENT.ljust(4096)).status_code == 200


def test_malformed_is_422_without_detail(receiver: Receiver) -> None:
    for content in (b"", b"{", b"{}", b'{"Records": [{}]}'):
        answer = receiver.post(content)
        assert (answer.status_code, answer.content) == (422, b"")


def test_poison_is_acknowledged_and_counted_and_wakes_nobody(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    canary = "canary-4711"
    for content in (ODD_KEY, about("x", bucket=canary), about(f"{canary}.parquet")):
        assert receiver.post(content).status_code == 200
    assert receiver.marked == []
    metrics = receiver.request("GET", "/metrics").text
    assert 'bank_receiver_events_total{outcome="poison_key"} 2.0' in metrics
    assert 'bank_receiver_events_total{outcome="poison_bucket"} 1.0' in metrics
    assert canary not in metrics + caplog.text


def test_head_is_answered(receiver: Receiver) -> None:
    for path in ("/", EVENTS_PATH):
        assert receiver.request("HEAD", path).status_code == 200


def test_health_readiness_and_docs(receiver: Receiver) -> None:
    assert receiver.request("GET", "/healthz").status_code == 200
    receiver.readiness.unready("airflow", "no answer")
    waiting = receiver.request("GET", "/readyz")
    assert (waiting.status_code, waiting.text) == (503, "airflow: no answer\n")
    receiver.readiness.ready("airflow")
    assert receiver.request("GET", "/readyz").status_code == 200
    assert receiver.request("GET", "/docs").status_code == 200
    assert EVENTS_PATH in receiver.request("GET", "/openapi.json").json()["paths"]
