import socket
from typing import cast

import pytest

from bankctl.provision.databases import NoConnectionError, create_database
from bankctl.stack.stack import Stack


class _Away:
    """A stack whose servers are away."""

    def __init__(self, free_port: int) -> None:
        self._port = free_port

    def host(self, _name: str) -> str:
        return "127.0.0.1"

    def port(self, _name: str) -> int:
        return self._port

    def secret(self, _name: str) -> str:
        return "x"


def test_a_server_that_is_away_is_named_with_its_address() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        with pytest.raises(NoConnectionError, match=f"bank-postgres at 127.0.0.1:{port} takes no connection"):
            create_database(cast(Stack, _Away(port)), "bank_postgres", "bank")
