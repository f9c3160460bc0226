"""`bank jars`."""

import typer

from bankctl.devstack.artefacts.jars_lock import write
from bankctl.stack.paths import repository_root

app = typer.Typer(no_args_is_help=True, help="The lock of the Java artefacts.")


@app.callback()
def _group() -> None:
    """The lock of the Java artefacts."""


@app.command()
def lock() -> None:
    """Resolve infra/kafka/pom.xml with Maven and write jars.lock. For maintainers."""
    folder = repository_root() / "infra" / "kafka"
    typer.echo(f"{write(folder / 'pom.xml', folder / 'jars.lock')} artefacts locked.")
