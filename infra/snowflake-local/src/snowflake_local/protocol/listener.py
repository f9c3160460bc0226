"""The listener: both ports in one loop. Sockets are bound first: a port in use stops the start. SIGTERM ends it."""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from anyio import to_thread
from starlette.applications import Starlette

from snowflake_local.logs import event

_DRAIN_SECONDS: Final = 3
_THREADS: Final = 256
"""More than sessions: those that wait for a lock must not keep its holder from running its COMMIT."""
_KEEP_ALIVE_SECONDS: Final = 3600
"""A connection that we close while its client sends makes the client send twice."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on; with TLS when there is a certificate."""

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None

    def bind(self) -> socket.socket:
        """Bind its socket.

        Raises:
            OSError: the port is taken or not allowed; the message names it.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # Named as TCP: asyncio turns Nagle's delay off (40 ms a statement) for such sockets only.
        bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self.host, self.port))
        except OSError as error:
            bound.close()
            reason = error.strerror or error
            raise OSError(
                f"can't listen on {self.host}:{self.port}: {reason}. Stop what uses it, or choose another port."
            ) from error
        return bound

    def config(self, asgi: Starlette) -> uvicorn.Config:
        """Make uvicorn's settings for it.

        Raises:
            ValueError: the certificate or its key can't be read; the message names them.
        """
        config = uvicorn.Config(
            asgi,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            ssl_certfile=self.certificate,
            ssl_keyfile=self.key,
        )
        try:
            config.load()
        except OSError as error:
            raise ValueError(f"the certificate {self.certificate} or key {self.key} can't be used: {error}") from error
        return config


class _Server(uvicorn.Server):
    """Leaves the signals to `serve`: uvicorn's own raises them again after its shutdown, which is no exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(asgi: Starlette, endpoints: list[Endpoint], before_end: "contextlib.AbstractContextManager[object]") -> None:
    """Serve on all of them until SIGTERM or SIGINT; `before_end` is left when no new request is taken any more.

    Raises:
        OSError: a port can't be had; nothing was served.
        ValueError: a certificate can't be used; nothing was served.
    """
    servers = [_Server(endpoint.config(asgi)) for endpoint in endpoints]
    sockets = [endpoint.bind() for endpoint in endpoints]
    asyncio.run(_until_signalled(servers, sockets, endpoints, before_end))


async def _until_signalled(
    servers: list[_Server],
    sockets: list[socket.socket],
    endpoints: list[Endpoint],
    before_end: "contextlib.AbstractContextManager[object]",
) -> None:
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = [asyncio.create_task(server.serve([bound])) for server, bound in zip(servers, sockets, strict=True)]
    for endpoint in endpoints:
        event(logging.INFO, "listening", host=endpoint.host, port=endpoint.port, tls=endpoint.certificate is not None)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    start = time.monotonic()
    event(logging.INFO, "stopping")
    with before_end:
        for server in servers:
            server.should_exit = True
    await asyncio.gather(*running)
    event(logging.INFO, "stopped", seconds=time.monotonic() - start)
