"""A TCP proxy before a real component, that fails as told: refuses, goes silent, or loses answers."""

import socket
import threading
from urllib.parse import urlsplit


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
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

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
            while data := client.recv(65536):
                if self.refuse:
                    break
                if data.startswith(b"PUT ") and self._takes_one():
                    lose.set()
                server.sendall(data)
        except OSError:
            pass
        finally:
            if not lose.is_set():
                server.close()
                client.close()

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
            client.close()
            server.close()

    def _takes_one(self) -> bool:
        with self._lock:
            if not self.lose_put_answers:
                return False
            self.lose_put_answers -= 1
            return True
