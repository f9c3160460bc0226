"""The health endpoints of every program: /healthz (alive), /readyz (503 with the reasons) and /metrics.

`HealthEndpoints` decides each answer and is an ASGI application; `HealthServer` serves the same answers from a thread,
for a program that has no event loop. Needs the `runtime` extra (prometheus-client).
"""

import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, Final, NamedTuple, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from bank_common.runtime.errors import PipelineError
from bank_common.runtime.service import Liveness, Readiness
from bank_common.runtime.settings import HttpSettings

PATHS: Final = ("/healthz", "/readyz", "/metrics")
_TEXT: Final = "text/plain; charset=utf-8"
_Message = MutableMapping[str, Any]


class Answer(NamedTuple):
    """What a path is answered with."""

    status: HTTPStatus
    body: bytes
    content_type: str = _TEXT


class HealthEndpoints:
    """The three paths over one program's readiness, liveness and metrics."""

    def __init__(self, readiness: Readiness, registry: CollectorRegistry, liveness: Liveness | None = None) -> None:
        """Without a `liveness` the program is alive as long as it answers."""
        self._readiness = readiness
        self._registry = registry
        self._liveness = liveness

    def answer(self, path: str) -> Answer:
        """Answer a GET of a path; 404 for one that is none of these."""
        match path:
            case "/healthz":
                stuck = self._liveness.report() if self._liveness is not None else None
                return _answer(HTTPStatus.SERVICE_UNAVAILABLE, stuck) if stuck else _answer(HTTPStatus.OK, "ok")
            case "/readyz":
                reasons = self._readiness.report()
                if not reasons:
                    return _answer(HTTPStatus.OK, "ready")
                lines = "\n".join(f"{name}: {reason}" for name, reason in reasons.items())
                return _answer(HTTPStatus.SERVICE_UNAVAILABLE, lines)
            case "/metrics":
                return Answer(HTTPStatus.OK, generate_latest(self._registry), CONTENT_TYPE_LATEST)
            case _:
                return _answer(HTTPStatus.NOT_FOUND, "not found")

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        _receive: Callable[[], Awaitable[_Message]],
        send: Callable[[_Message], Awaitable[None]],
    ) -> None:
        """Answer as an ASGI application; route `PATHS` to it."""
        status, body, content_type = self.answer(scope["path"])
        headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": int(status), "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


def _answer(status: HTTPStatus, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode())


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _SilentHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the overridden method's name
        """Probes every few seconds are no news."""


class HealthServer:
    """Serves `HealthEndpoints` from a thread of its own."""

    def __init__(self, settings: HttpSettings, endpoints: HealthEndpoints) -> None:
        self._settings = settings
        self._endpoints = endpoints
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
        host, port = self._settings.host, self._settings.port
        try:
            self._server = make_server(host, port, self._app, server_class=_Server, handler_class=_SilentHandler)
        except OSError as error:
            raise address_taken(self._settings, error) from None
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def _app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, body, content_type = self._endpoints.answer(environ.get("PATH_INFO", ""))
        start_response(f"{int(status)} {status.phrase}", [("Content-Type", content_type)])
        return [body]


def address_taken(settings: HttpSettings, error: OSError, variable: str = "…_HTTP__PORT") -> PipelineError:
    """Say that a program can't listen on its address; `variable` sets another port."""
    return PipelineError(
        f"Can't listen on {settings.host}:{settings.port}: {error.strerror or error}.",
        advice=f"Stop what uses the port, or set another one ({variable}).",
    )
