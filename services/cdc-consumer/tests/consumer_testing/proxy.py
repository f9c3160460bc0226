"""A TCP proxy before a real component, that fails as told: refuses, loses answers, or ends within a request."""

import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HEAD_END = b"\r\n\r\n"


@dataclass
class Break:
    """Within the n-th PUT from now on: when this share of it has gone on, `act`; nothing of it goes on after that."""

    puts: int
    share: float
    act: Callable[[], None]


class FaultyProxy:
    """Forwards bytes between a port of its own and `target`."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.refuse = False
        self.lose_put_answers = 0
        self.lost = 0
        self.within_put: Break | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def __enter__(self) -> "FaultyProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection: each request goes on; its answer comes back unless it is to be lost."""
        if self.refuse:
            client.close()
            return
        server = socket.create_connection(self._target)
        lose = threading.Event()
        back = threading.Thread(target=self._answers, args=(server, client, lose), daemon=True)
        back.start()
        try:
            self._requests(client, server, lose)
        except OSError:
            pass
        finally:
            if not lose.is_set():
                _hang_up(server, client)

    def _requests(self, client: socket.socket, server: socket.socket, lose: threading.Event) -> None:
        broken: Break | None = None
        left = 0
        while data := client.recv(65536):
            if self.refuse:
                return
            if data.startswith(b"PUT "):
                if self._loses_one():
                    lose.set()
                broken = self._breaks()
                left = int(_size(data) * broken.share) if broken else 0
            server.sendall(data[:left] if broken else data)
            left -= len(data)
            if broken and left <= 0:
                broken.act()
                return

    def _answers(self, server: socket.socket, client: socket.socket, lose: threading.Event) -> None:
        try:
            while data := server.recv(65536):
                if lose.is_set() and b"100 Continue" not in data:
                    with self._lock:
                        self.lost += 1
                    break
                client.sendall(data)
        except OSError:
            pass
        finally:
            _hang_up(server, client)

    def _loses_one(self) -> bool:
        with self._lock:
            if not self.lose_put_answers:
                return False
            self.lose_put_answers -= 1
            return True

    def _breaks(self) -> Break | None:
        """What is to happen within the PUT that has just begun."""
        with self._lock:
            if self.within_put is None:
                return None
            self.within_put.puts -= 1
            if self.within_put.puts:
                return None
            taken, self.within_put = self.within_put, None
            return taken


def _hang_up(*ends: socket.socket) -> None:
    """Closing alone would wait for the other thread that reads."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _size(begun: bytes) -> int:
    """The size of a request, from its first bytes."""
    head = begun.index(_HEAD_END) + len(_HEAD_END)
    length = _LENGTH.search(begun[:head])
    return head + (int(length[1]) if length else 0)
