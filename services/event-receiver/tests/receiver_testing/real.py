"""The receiver as a process on the test stack's port, real objects in the real store, and an Airflow that listens."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Self

import httpx
from component_testing.program import ProgramProcess
from component_testing.waiting import until

from bank_common import names
from bank_common.landing.segments import SegmentKey, SegmentMetadata
from bankctl.stack import environment
from bankctl.stack.stack import Stack

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class ListeningAirflow:
    """Airflow's few answers over real HTTP. A run leaves the queue after `polls` looks at it.

    What lands while a run is seen in the queue is that run's work and no later one's: with one look none is seen there.
    """

    def __init__(self, *, polls: int = 2, lose_every: int = 0) -> None:
        self.triggers: list[dict[str, Any]] = []
        self.most_queued = 0
        self._polls, self._lose_every = polls, lose_every
        self._looks: dict[str, int] = {}
        self._lock = threading.Lock()
        airflow = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/auth/token":
                    self._answer(201, {"access_token": "t"})
                elif self.path == "/api/v2/dags/~/dagRuns/list":
                    self._answer(200, {"dag_runs": []})
                elif (status := airflow.take(body)) is None:
                    self.close_connection = True
                else:
                    self._answer(status, {})

            def do_GET(self) -> None:
                _, is_run, run_id = self.path.partition("/dagRuns/")
                self._answer(200, {"state": airflow.look(run_id)} if is_run else {"is_paused": False})

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden method's name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, body: dict[str, Any]) -> int | None:
        """Act on a trigger; the status to answer, or None when the answer is to be lost."""
        with self._lock:
            self.triggers.append(body)
            known = body["dag_run_id"] in self._looks
            self._looks.setdefault(body["dag_run_id"], 0)
            self.most_queued = max(self.most_queued, sum(looks < self._polls for looks in self._looks.values()))
            lost = self._lose_every and len(self.triggers) % self._lose_every == 0
            return None if lost else 409 if known else 200

    def look(self, run_id: str) -> str:
        with self._lock:
            self._looks[run_id] += 1
            return "queued" if self._looks[run_id] < self._polls else "running"

    @property
    def runs(self) -> list[str]:
        with self._lock:
            return list(self._looks)

    def hinted(self, key: str) -> dict[str, Any] | None:
        """The first trigger that names the key."""
        with self._lock:
            return next((trigger for trigger in self.triggers if key in trigger["conf"]["keys"]), None)


class ReceiverProcess(ProgramProcess):
    """`event-receiver run` where the store's notifications go, with another Airflow."""

    def __init__(self, stack: Stack, airflow_url: str) -> None:
        own = environment.event_receiver(stack) | {"EVENT_RECEIVER_AIRFLOW__URL": airflow_url}
        self.url = stack.url("event_receiver")
        self.token = own["EVENT_RECEIVER_TOKENS"]
        super().__init__("event_receiver", "run", environment=own)

    def __enter__(self) -> Self:
        until("the receiver is ready", self._ready)
        return self

    def _ready(self) -> bool:
        self.still_runs()
        try:
            return httpx.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def metric(self, sample: str) -> float:
        lines = httpx.get(f"{self.url}/metrics").text.splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(sample + " ")), 0.0)

    def stop(self, seconds: float = 10) -> str:
        """SIGTERM; what it logged. It has to end with 0 in time."""
        self.terminate()
        return self.ended(seconds)[1]


@contextmanager
def landed(stack: Stack, *keys: str) -> Iterator[None]:
    """Objects with a segment's metadata, as the consumer puts them; gone at the end."""
    metadata = SegmentMetadata("contract", 0, 1, 1, 0, 1, "0" * 64, traceparent=TRACEPARENT).to_headers()
    store = stack.object_store()
    for key in keys:
        store.put_object(names.BUCKET, key, BytesIO(b"PAR1"), 4, metadata=metadata)
    try:
        yield
    finally:
        for key in keys:
            store.remove_object(names.BUCKET, key)


def unused_key() -> str:
    """A segment's key on a partition that no topic has."""
    return str(SegmentKey(names.NOTIFICATIONS_TOPIC, 9999, time.time_ns()))
