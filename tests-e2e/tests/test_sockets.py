"""Nothing of the stack can be reached from another machine, and nothing listens where no one knows of it."""

from ipaddress import ip_address

import psutil
import pytest

from bank_common import names
from harness.driven import DrivenStack
from harness.native import NativeStack

# Containers publish on loopback only: infra/bankctl/tests/unit/compose holds it.
pytestmark = [pytest.mark.e2e, pytest.mark.native]


def _listening(stack: NativeStack) -> set[tuple[str, str, int]]:
    """Component, address and port of every listening socket of every process of the stack."""
    found = set()
    for component, healthy in stack.health().items():
        assert healthy, component
        process = stack.process(component)
        for member in (process, *process.children(recursive=True)):
            try:
                sockets = member.net_connections("inet")
            except psutil.NoSuchProcess:
                continue
            found |= {(component, *socket.laddr) for socket in sockets if socket.status == psutil.CONN_LISTEN}
    return found


def test_every_listening_socket_is_on_loopback_and_on_a_known_port(stack: DrivenStack) -> None:
    assert isinstance(stack, NativeStack)
    known = {stack.stack.port(name) for name in names.PORTS}
    found = _listening(stack)
    assert {port for _, _, port in found} >= known - {stack.stack.port("generator")}
    for component, address, port in found:
        bare = ip_address(address)
        assert (getattr(bare, "ipv4_mapped", None) or bare).is_loopback, (component, address, port)
        assert port in known, (component, address, port)
