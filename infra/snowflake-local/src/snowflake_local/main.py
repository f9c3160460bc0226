"""The command `snowflake-local`: builds everything, checks it, then serves."""

import contextlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from snowflake_local import compat, logs

app = typer.Typer(add_completion=False, no_args_is_help=True, help="A local stand-in for Snowflake.")


class _Limits(NamedTuple):
    memory: str
    threads: int
    abandon_after: float
    answer_within: float


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"snowflake-local {version('snowflake-local')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A local stand-in for Snowflake behind the real connector protocol."""


@app.command()
def serve(
    data_dir: Annotated[Path, typer.Option(help="Where databases and stages lie.")],
    users_file: Annotated[Path, typer.Option(help='{"NAME": {"public_key_file": "…", "role": "…"}}')],
    host: Annotated[str, typer.Option(help="Loopback, unless a container network needs otherwise.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="HTTP.")] = 18800,
    tls_port: Annotated[int, typer.Option(help="HTTPS; 0: none.")] = 0,
    tls_cert: Annotated[Path | None, typer.Option(help="The certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, PEM.")] = None,
    memory_limit: Annotated[str, typer.Option(help="DuckDB's memory; beyond it, it writes to disk.")] = "256MB",
    threads: Annotated[int, typer.Option(help="DuckDB's threads.")] = 2,
    abandon_after: Annotated[
        float, typer.Option(help="Seconds of silence after which a waiter may end another's transaction.")
    ] = 20.0,
    answer_within: Annotated[
        float, typer.Option(help="Seconds after which a client is told to come back for its result.")
    ] = 45.0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve until SIGTERM.

    Example: snowflake-local serve --data-dir ./warehouse --users-file users.json

    Exits with 1 on a wrong version of a package, a users file or certificate that can't be used, a port that is
    taken, or a database that can't be opened.
    """
    try:
        logs.configure(log_level)
        compat.check()
        limits = _Limits(memory_limit, threads, abandon_after, answer_within)
        _serve(data_dir, users_file, host, (port, tls_port), (tls_cert, tls_key), limits)
    except (compat.IncompatibleVersionError, ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _serve(
    data_dir: Path,
    users_file: Path,
    host: str,
    ports: tuple[int, int],
    tls: tuple[Path | None, Path | None],
    limits: _Limits,
) -> None:
    from snowflake_local.protocol.application import Application
    from snowflake_local.protocol.auth import Users
    from snowflake_local.protocol.listener import Endpoint, serve
    from snowflake_local.sessions.locks import TableLocks
    from snowflake_local.storage.local_warehouse import LocalWarehouse

    if ports[1] and (tls[0] is None or tls[1] is None):
        raise ValueError("--tls-port needs --tls-cert and --tls-key")
    endpoints = [Endpoint(host, ports[0])]
    if ports[1]:
        endpoints.append(Endpoint(host, ports[1], *tls))
    users = Users.read(users_file)
    with contextlib.closing(LocalWarehouse(data_dir, memory_limit=limits.memory, threads=limits.threads)) as warehouse:
        locks = TableLocks(abandoned_seconds=limits.abandon_after)
        application = Application(warehouse, users, locks, limits.answer_within)
        serve(application.asgi(), endpoints, contextlib.closing(application))


if __name__ == "__main__":
    app()
