"""Sockets: nothing of the stack can be reached from another machine, and every listening port is a known one."""

from ipaddress import ip_address

import psutil
import pytest

from bank_common import names
from harness.native_driver import NativeDriver
from harness.stack_driver import StackDriver

# Containers publish on loopback only: infra/bankctl/tests/unit/compose holds it.
pytestmark = [pytest.mark.e2e, pytest.mark.native]


def _listening(stack: NativeDriver) -> set[tuple[str, str, int]]:
    """Component, address and port of every listening socket of every process of the stack."""
    listening = set()
    for component, healthy in stack.health().items():
        assert healthy, component
        process = stack.process(component)
        for member in (process, *process.children(recursive=True)):
            try:
                sockets = member.net_connections("inet")
            except psutil.NoSuchProcess:
                continue
            listening |= {(component, *socket.laddr) for socket in sockets if socket.status == psutil.CONN_LISTEN}
    return listening


def test_every_listening_socket_is_on_loopback_and_on_a_known_port(stack: StackDriver) -> None:
    assert isinstance(stack, NativeDriver)
    known = {stack.stack.port(name) for name in names.PORTS}
    listening = _listening(stack)
    assert {port for _, _, port in listening} >= known - {stack.stack.port("generator")}
    for component, address, port in listening:
        bare = ip_address(address)
        assert (getattr(bare, "ipv4_mapped", None) or bare).is_loopback, (component, address, port)
        assert port in known, (component, address, port)
