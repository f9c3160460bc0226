"""The command `snowflake-local`: builds everything, checks it, then serves."""

import contextlib
import json
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from snowflake_local import compat

app = typer.Typer(add_completion=False, no_args_is_help=True, help="A local stand-in for Snowflake.")


def _show_version(wanted: bool) -> None:
    if wanted:
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
    memory_limit: Annotated[str, typer.Option(help="DuckDB's memory.")] = "512MB",
    threads: Annotated[int, typer.Option(help="DuckDB's threads.")] = 2,
) -> None:
    """Serve until SIGTERM.

    Example: snowflake-local serve --data-dir ./warehouse --users-file users.json

    Exits with 1 on a wrong version of a package, a users file that can't be used, or a database that can't be opened.
    """
    _log_as_json()
    try:
        compat.check()
        _serve(data_dir, users_file, host, (port, tls_port), (tls_cert, tls_key), (memory_limit, threads))
    except (compat.IncompatibleVersionError, ValueError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


def _serve(
    data_dir: Path,
    users_file: Path,
    host: str,
    ports: tuple[int, int],
    tls: tuple[Path | None, Path | None],
    limits: tuple[str, int],
) -> None:
    import duckdb
    import uvicorn

    from snowflake_local.auth import Users
    from snowflake_local.server import Application, fill_gaps
    from snowflake_local.store import Warehouse

    if ports[1] and (tls[0] is None or tls[1] is None):
        raise ValueError("--tls-port needs --tls-cert and --tls-key")
    users = Users.read(users_file)
    fill_gaps()
    try:
        warehouse = Warehouse(data_dir, memory_limit=limits[0], threads=limits[1])
    except duckdb.IOException as error:
        raise ValueError(
            f"the databases in {data_dir} can't be opened (is another server using them?): {error}"
        ) from error
    asgi = Application(warehouse, users).asgi()
    common = {"host": host, "log_level": "warning", "log_config": None, "timeout_graceful_shutdown": 5}

    class Plain(uvicorn.Server):
        """Ends with exit code 0 on SIGTERM: uvicorn's own raises the signal again after its shutdown."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self.handle_exit)
            yield

    plain = Plain(uvicorn.Config(asgi, port=ports[0], **common))
    secure = None
    if ports[1]:
        files = {"ssl_certfile": str(tls[0]), "ssl_keyfile": str(tls[1])}
        secure = uvicorn.Server(uvicorn.Config(asgi, port=ports[1], **files, **common))
        thread = threading.Thread(target=secure.run, name="tls", daemon=True)
        thread.start()
    try:
        plain.run()
    finally:
        if secure is not None:
            secure.should_exit = True
            thread.join(5)
        warehouse.close()


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname.lower(),
            "service": "snowflake-local",
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _log_as_json() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("fakesnow.server").setLevel(logging.WARNING)


if __name__ == "__main__":
    app()
