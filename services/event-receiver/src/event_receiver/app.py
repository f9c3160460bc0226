"""The HTTP side: MinIO's webhook, and what every long runner answers."""

import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import FastAPI, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bank_common.runtime import health
from bank_common.runtime.logging import Logger
from event_receiver.metrics import ReceiverMetrics
from event_receiver.model.events import Hint, Malformed, Poison, parse

EVENTS_PATH: Final = "/minio/events"
_TOO_LARGE: Final = HTTPStatus(413)  # its name differs between Python versions
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "No token that is known"},
    413: {"description": "Too large"},
    422: {"description": "Not a notification"},
}


class Webhook:
    """The handler of webhook requests: checks token and size, reads the notification, marks the wake-up."""

    def __init__(
        self,
        *,
        tokens: Sequence[str],
        max_body_bytes: int,
        bucket: str,
        topics: Collection[str],
        mark: Callable[[Sequence[Hint]], None],
        metrics: ReceiverMetrics,
        log: Logger,
    ) -> None:
        self._tokens = [_digest(token) for token in tokens]
        self._max_body_bytes = max_body_bytes
        self._bucket = bucket
        self._topics = topics
        self._mark = mark
        self._metrics = metrics
        self._log = log

    def knows(self, token: str) -> bool:
        """Tell whether the token is one of ours. Takes as long for a near miss as for a wild guess."""
        given = _digest(token)
        # Added up, not `any`: every token is compared, whichever fits.
        return sum(hmac.compare_digest(given, known) for known in self._tokens) > 0

    async def body(self, request: Request) -> bytes | None:
        """The request's body; None as soon as it is too large, whatever its header says."""
        declared = request.headers.get("content-length", "0")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > self._max_body_bytes:
            return None
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._max_body_bytes:
                return None
        return bytes(body)

    def take(self, body: bytes) -> HTTPStatus:
        """Act on a body; the status to answer."""
        read = parse(body, bucket=self._bucket, topics=self._topics)
        if isinstance(read, Malformed):
            self.rejected("malformed", reason=read.reason)
            return HTTPStatus.UNPROCESSABLE_ENTITY
        hints = [record for record in read.records if isinstance(record, Hint)]
        for _ in hints:
            self._metrics.received("accepted")
        for record in read.records:
            if isinstance(record, Poison):
                self._metrics.received(f"poison_{record.value}")
                self._log.warning("event_poisoned", reason=record.value)
        if hints:
            self._mark(hints)
        return HTTPStatus.OK

    def rejected(self, outcome: str, **context: str) -> None:
        """Count and log a request that is not a notification for us."""
        self._metrics.received(outcome)
        self._log.warning("request_rejected", outcome=outcome, **context)


def _digest(token: str) -> bytes:
    """Hash a token: all digests have one length, so that the comparison does not reveal a token's."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def create_app(
    webhook: Webhook,
    endpoints: health.HealthEndpoints,
    *,
    version: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
) -> FastAPI:
    """The application; `lifespan` runs the worker beside it."""
    app = FastAPI(
        title="event-receiver", version=version, summary="MinIO's webhook to one wake-up of the load", lifespan=lifespan
    )
    bearer = HTTPBearer(auto_error=False, description="A token of EVENT_RECEIVER_TOKENS")

    @app.post(EVENTS_PATH, responses=_ANSWERS, openapi_extra=_BODY, response_class=Response)
    async def events(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]
    ) -> Response:
        """A notification of MinIO. Whatever it says is a hint: the load looks for itself what has landed."""
        if credentials is None or not webhook.knows(credentials.credentials):
            webhook.rejected("unauthorized")
            return Response(status_code=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": "Bearer"})
        body = await webhook.body(request)
        if body is None:
            webhook.rejected("too_large")
            # What was not read can't be left in the connection.
            return Response(status_code=_TOO_LARGE, headers={"Connection": "close"})
        return Response(status_code=webhook.take(body))

    @app.head(EVENTS_PATH, include_in_schema=False)
    @app.head("/", include_in_schema=False)
    async def alive() -> Response:
        """Object stores probe their target so."""
        return Response()

    for path in health.PATHS:
        # An ASGI application is a route as well.
        app.add_route(path, endpoints, methods=["GET", "HEAD"], include_in_schema=False)  # pyright: ignore[reportArgumentType]
    return app
