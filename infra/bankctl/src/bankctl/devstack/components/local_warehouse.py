"""The local stand-in for Snowflake; not started when SNOWFLAKE_* names a real account."""

import json
from typing import Final

from bankctl.devstack.components.component import Component, http_probe
from bankctl.model.graph import NODES
from bankctl.stack import certificates
from bankctl.stack.identities import WAREHOUSE_ROLES
from bankctl.stack.secret_store import write_private
from bankctl.stack.stack import LOOPBACK, Stack


def _prepare(stack: Stack) -> None:
    certificates.ensure(stack.state_dir / "secrets")
    users: dict[str, dict[str, str]] = {}
    for user, role in WAREHOUSE_ROLES.items():
        stack.secrets.private_key(user)
        users[user] = {"public_key_file": str(stack.secrets.public_key(user)), "role": role}
    write_private(stack.data_dir("snowflake") / "users.json", json.dumps(users, indent=2))


def _command(stack: Stack) -> list[str]:
    secrets, data = stack.state_dir / "secrets", stack.data_dir("snowflake")
    options = {
        "--data-dir": str(data / "warehouse"),
        "--host": LOOPBACK,
        "--port": str(stack.port("snowflake")),
        "--tls-port": str(stack.port("snowflake_tls")),
        "--tls-cert": str(secrets / "server.pem"),
        "--tls-key": str(secrets / "server.key"),
        "--users-file": str(data / "users.json"),
    }
    program = stack.root / "infra" / "snowflake-local" / ".venv" / "bin" / "snowflake-local"
    return [str(program), "serve", *(part for option in options.items() for part in option)]


SNOWFLAKE: Final = Component(
    node=NODES["snowflake"],
    command=_command,
    prepare=_prepare,
    probe=http_probe(lambda stack: f"{stack.url('snowflake')}/readyz"),
    ports=("snowflake", "snowflake_tls"),
    runs_from=("infra/snowflake-local/src", "infra/snowflake-local/uv.lock"),
)
