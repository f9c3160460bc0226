"""`bank credentials`."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bankctl.environment import AIRFLOW_ADMIN
from bankctl.stack import LOOPBACK, Stack


def logins(stack: Stack) -> dict[str, dict[str, str]]:
    """Every address that a person opens, with its login."""
    return {
        "Airflow": {
            "address": stack.browser_url("airflow"),
            "user": AIRFLOW_ADMIN,
            "password": stack.secret("airflow_admin_password"),
        },
        "MinIO console": {
            "address": stack.browser_url("minio_console"),
            "user": stack.secret("minio_root_user"),
            "password": stack.secret("minio_root_password"),
        },
        "Kafka Connect": {"address": f"{stack.browser_url('connect')}/connectors", "user": "", "password": ""},
        "Schema registry": {"address": f"{stack.browser_url('registry')}/subjects", "user": "", "password": ""},
        "Event receiver": {"address": f"{stack.browser_url('event_receiver')}/docs", "user": "", "password": ""},
        "Postgres (bank)": {
            "address": f"{LOOPBACK}:{stack.port('bank_postgres')}/bank",
            "user": "bank_app",
            "password": stack.secret("bank_app_password"),
        },
    }


def credentials(as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False) -> None:
    """Show addresses and logins. They belong to this installation alone and lie in its state directory."""
    all_logins = logins(Stack.from_environment())
    if as_json:
        typer.echo(json.dumps(all_logins))
        return
    table = Table("what", "address", "user", "password", box=None, pad_edge=False)
    for name, login in all_logins.items():
        table.add_row(name, login["address"], login["user"], login["password"])
    Console(soft_wrap=True).print(table)
