"""Sessions by token, and the statements of each whose result a client still has to fetch."""

import asyncio
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.requests import Request

from snowflake_local.sessions.session import Session

IDLE_SECONDS: Final = 4 * 3600.0
"""Snowflake's: a session that said nothing for this long is over."""
_PREFIX: Final = 'Snowflake Token="'


class NoSessionError(Exception):
    """The request's token is of no session: none was given, the session was closed, or the server has restarted."""

    code: Final = "390111"
    message: Final = "Session no longer exists. New login required to access the service."


@dataclass(eq=False)
class Client:
    """A session and its last statement: a request that is sent again must not run again."""

    session: Session
    request_id: str = ""
    query_id: str = ""
    task: "asyncio.Task[dict[str, Any]] | None" = None


@dataclass
class Sessions:
    """All of them."""

    _clients: dict[str, Client] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, session: Session) -> str:
        """A new session's token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._clients[token] = Client(session)
        return token

    def of(self, request: Request) -> Client:
        """The client that a request comes from.

        Raises:
            NoSessionError: its token is not known.
        """
        client = self._clients.get(_token(request))
        if client is None:
            raise NoSessionError
        return client

    def remove(self, request: Request) -> Client | None:
        """Forget a session that its client ends; the caller closes it."""
        with self._lock:
            return self._clients.pop(_token(request), None)

    def numbered(self, number: int) -> Session | None:
        """The session that CURRENT_SESSION() calls so."""
        return next((client.session for client in self.all() if client.session.number == number), None)

    def forget(self, session: Session) -> None:
        """Have a session's client told that it is over; the caller closes it."""
        with self._lock:
            for token in [token for token, client in self._clients.items() if client.session is session]:
                del self._clients[token]

    def remove_idle(self) -> list[Client]:
        """Forget those whose clients never said goodbye; the caller closes them."""
        with self._lock:
            idle = [token for token, client in self._clients.items() if client.session.idle_seconds > IDLE_SECONDS]
            return [self._clients.pop(token) for token in idle]

    def all(self) -> list[Client]:
        """Every client."""
        with self._lock:
            return list(self._clients.values())


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix(_PREFIX).removesuffix('"')
