"""What every long runner has: a clean stop on SIGTERM, readiness with reasons, and the HTTP endpoints that show them.

Needs the `runtime` extra (prometheus-client). A FastAPI program mounts the same `Readiness` and registry in its app.
"""

import signal
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from types import FrameType, TracebackType
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_wsgi_app

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.metrics import Metric
from bank_common.runtime.settings import HttpSettings


class Shutdown:
    """Turns SIGTERM and SIGINT into a flag that the main loop looks at; a second signal changes nothing."""

    def __init__(self) -> None:
        self._requested = threading.Event()

    def install(self) -> Self:
        """Take over SIGTERM and SIGINT; call from the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._requested.set()

    def request(self) -> None:
        """Ask for the stop from inside the program."""
        self._requested.set()

    @property
    def requested(self) -> bool:
        """Whether the program should stop now."""
        return self._requested.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the request at most that long; True when it came."""
        return self._requested.wait(seconds)


class Readiness:
    """The dependencies of a program, each ready or with the reason why not. Thread-safe."""

    def __init__(self, dependencies: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str | None] = dict.fromkeys(dependencies, "starting")

    def ready(self, dependency: str) -> None:
        """Note that a dependency answers."""
        with self._lock:
            self._reasons[dependency] = None

    def unready(self, dependency: str, reason: str) -> None:
        """Note that a dependency does not answer, and why."""
        with self._lock:
            self._reasons[dependency] = reason

    def report(self) -> dict[str, str]:
        """Return what is not ready, with its reason; empty when the program is ready."""
        with self._lock:
            return {name: reason for name, reason in self._reasons.items() if reason is not None}


class Liveness:
    """Whether the main loop still runs. Thread-safe."""

    def __init__(self, clock: Callable[[], float], limit_seconds: float) -> None:
        self._clock = clock
        self._limit_seconds = limit_seconds
        self._last = clock()

    def beat(self) -> None:
        """Note an iteration of the loop."""
        self._last = self._clock()

    def report(self) -> str | None:
        """Return why the program is not alive, or None."""
        age = self._clock() - self._last
        return f"the loop's last turn was {age:.0f} s ago" if age > self._limit_seconds else None


def build_metric(metric: Metric, registry: CollectorRegistry) -> Any:
    """Register a metric of `bank_common.runtime.metrics` with Prometheus' client."""
    kind: Callable[..., Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}[metric.kind]
    return kind(metric.name, metric.help, metric.labels, registry=registry)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden method's name
        """Probes every few seconds are no news."""


class HealthServer:
    """Serves /healthz (alive), /readyz (503 with the reasons) and /metrics from a thread of its own."""

    def __init__(
        self,
        settings: HttpSettings,
        readiness: Readiness,
        registry: CollectorRegistry,
        liveness: Liveness | None = None,
    ) -> None:
        """Without a `liveness` the program is alive as long as this server answers."""
        self._settings = settings
        self._liveness = liveness
        self._readiness = readiness
        self._metrics = make_wsgi_app(registry)
        self._server: WSGIServer | None = None

    @property
    def port(self) -> int:
        """The port it listens on: the one asked for, or the one the system chose for 0."""
        if self._server is None:
            raise RuntimeError("the health server is not running")
        return self._server.server_port

    def __enter__(self) -> Self:
        """Bind and serve.

        Raises:
            PipelineError: the address can't be bound, with the variable to change.
        """
        try:
            self._server = make_server(
                self._settings.host, self._settings.port, self._app, server_class=_Server, handler_class=_SilentHandler
            )
        except OSError as error:
            raise PipelineError(
                f"Can't listen on {self._settings.host}:{self._settings.port}: {error.strerror or error}.",
                advice="Stop what uses the port, or set another one (…_HTTP__PORT).",
            ) from None
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            return self._metrics(environ, start_response)
        if path == "/healthz":
            stuck = self._liveness.report() if self._liveness else None
            return _text(start_response, "503 Service Unavailable" if stuck else "200 OK", stuck or "ok")
        if path == "/readyz":
            reasons = self._readiness.report()
            if not reasons:
                return _text(start_response, "200 OK", "ready")
            lines = "\n".join(f"{name}: {reason}" for name, reason in reasons.items())
            return _text(start_response, "503 Service Unavailable", lines)
        return _text(start_response, "404 Not Found", "not found")


def _text(start_response: Callable[..., Any], status: str, body: str) -> list[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [body.encode() + b"\n"]
