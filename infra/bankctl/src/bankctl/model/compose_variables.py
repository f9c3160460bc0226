"""Renders `infra/compose/.env`: the ports and image versions that compose.yaml takes from platform.toml.

A port is the same number inside the network and on the loopback address, so that both sides describe one stack.
"""

from bankctl.model.platform_file import Platform

_HEADER = "# Rendered from infra/platform.toml by `bank render`; do not edit. Shifted ports: `bank compose-env`.\n"


def port_variable(name: str) -> str:
    """The variable that holds a port of platform.toml."""
    return f"BANK_PORT_{name.upper()}"


def variables(platform: Platform, port_offset: int = 0) -> dict[str, str]:
    """Every variable that compose.yaml needs."""
    ports = {port_variable(name): str(port + port_offset) for name, port in platform.ports.items()}
    return {
        "BANK_PORT_OFFSET": str(port_offset),
        **ports,
        "BANK_POSTGRES_IMAGE": f"postgres:{platform.versions['postgres_image']}-trixie",
    }


def render(platform: Platform, port_offset: int = 0) -> str:
    """The file's text."""
    return _HEADER + "".join(f"{name}={value}\n" for name, value in variables(platform, port_offset).items())
