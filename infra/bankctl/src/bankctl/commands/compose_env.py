"""`bank compose-env`."""

import typer

from bankctl.model import compose_variables
from bankctl.provision.rendering import platform
from bankctl.stack.paths import repository_root
from bankctl.stack.settings import BankctlSettings


def compose_env() -> None:
    """Print what infra/compose/.env holds, with all ports shifted by BANKCTL_PORT_OFFSET.

    Example: BANKCTL_PORT_OFFSET=1000 bank compose-env > shifted.env; docker compose --env-file shifted.env …
    """
    text = compose_variables.render(platform(repository_root()), BankctlSettings.load().port_offset)
    typer.echo(text, nl=False)
