"""The stack: its state directory, its ports, and the address of each part, natively or among containers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from bank_common import names
from bank_common.clients.snowflake import connection_arguments
from bank_common.runtime.errors import PipelineError
from bank_common.runtime.settings import SnowflakeSettings
from bankctl.stack import shell
from bankctl.stack.paths import cache_directory, repository_root
from bankctl.stack.place import LOOPBACK, Place, container
from bankctl.stack.secret_store import SecretStore
from bankctl.stack.settings import BankctlSettings

STAND_IN_ACCOUNT: Final = "local"
_SUPERUSER: Final = "postgres"
_INSTANCES: Final = {"bank": "bank_postgres", "airflow": "platform_postgres", "registry": "platform_postgres"}


@dataclass(frozen=True)
class Stack(Place):
    """The description that every command works on; reading it starts nothing."""

    root: Path
    state_dir: Path
    cache_dir: Path
    settings: BankctlSettings
    real_snowflake: SnowflakeSettings | None
    told: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)
    """The variables that `.env` sets for the stack's programs."""

    @classmethod
    def from_environment(cls) -> "Stack":
        """Describe the stack of BANKCTL_*, BANK_CACHE_DIR, for a real account SNOWFLAKE_*, and `.env`.

        Raises:
            PipelineError: a variable is wrong (named), or this is no checkout.
        """
        root, settings = repository_root(), BankctlSettings.load()
        state_dir, told = (root / settings.state_dir).resolve(), shell.read_env_file().programs
        return cls(root, state_dir, cache_directory(), settings, _real_snowflake(), told)

    def told_to(self, prefix: str) -> dict[str, str]:
        """What `.env` says to the program whose variables begin like this; it wins over what `bank up` would say."""
        return {name: value for name, value in self.told.items() if name.startswith(prefix)}

    # -- places ------------------------------------------------------------------------------------------------

    def data_dir(self, component: str) -> Path:
        """A component's data."""
        return self.state_dir / "data" / component

    def log_file(self, component: str) -> Path:
        """A component's log."""
        return self.state_dir / "log" / f"{component}.log"

    def run_file(self, component: str) -> Path:
        """The record of a component's process."""
        return self.state_dir / "run" / f"{component}.json"

    def env_file(self, program: str) -> Path:
        """A program's rendered environment."""
        return self.state_dir / "env" / f"{program}.env"

    def secret_path(self, file: str) -> Path:
        """The path of a secret that a program reads as a file."""
        return self.state_dir / "secrets" / file

    @cached_property
    def secrets(self) -> SecretStore:
        """The installation's secrets."""
        return SecretStore(self.state_dir / "secrets")

    def secret(self, name: str) -> str:
        """One secret's text; it is generated when it is not there yet."""
        return self.secrets.read(name)

    # -- settings ----------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """See `Place`."""
        return "native"

    def setting(self, name: str) -> str:
        """What the variable BANKCTL_<name> was set to, or its default."""
        return self.settings.text(name)

    # -- addresses ---------------------------------------------------------------------------------------------

    def port(self, name: str) -> int:
        """A port of infra/platform.toml, shifted."""
        return names.PORTS[name] + self.settings.port_offset

    @property
    def supervised(self) -> bool:
        """True when the components are processes of `bank up`; else something else runs them (compose)."""
        return self.settings.network == "loopback"

    def require_supervised(self) -> None:
        """Refuse to act on processes where there are none.

        Raises:
            PipelineError: something else runs the components.
        """
        if not self.supervised:
            raise PipelineError(
                "The components of this stack are containers.",
                advice="Use `docker compose` up, down, ps and logs on infra/compose/compose.yaml.",
            )

    def host(self, name: str) -> str:
        """The host of the component that has a port of infra/platform.toml, as other components reach it."""
        return LOOPBACK if self.supervised else container(name)

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's `host:port`."""
        return self.address("kafka")

    def dsn(self, database: str, role: str = _SUPERUSER) -> str:
        """A Postgres URI of `bank` (the source), `airflow` or `registry` (the platform's) for a role."""
        instance = _INSTANCES[database]
        secret = f"{instance}_superuser_password" if role == _SUPERUSER else f"{role}_password"
        return f"postgresql://{role}:{self.secret(secret)}@{self.address(instance)}/{database}"

    def object_store(self, http_client: Any = None) -> Any:
        """A `minio.Minio` client with the root user's rights (provisioning and inspection); `http_client` is a
        urllib3.PoolManager with timeouts of its own."""
        from minio import Minio

        return Minio(
            self.address("minio"),
            access_key=self.secret("minio_root_user"),
            secret_key=self.secret("minio_root_password"),
            secure=False,
            region="us-east-1",
            http_client=http_client,
        )

    def snowflake(self, user: str = names.ADMIN_USER) -> SnowflakeSettings:
        """The login of a warehouse user: to the account of SNOWFLAKE_*, else to the stand-in."""
        if self.real_snowflake is not None:
            return self.real_snowflake
        roles = {names.LOADER_USER: names.LOADER_ROLE, names.TRANSFORMER_USER: names.TRANSFORMER_ROLE}
        return SnowflakeSettings(
            account=STAND_IN_ACCOUNT,
            user=user,
            private_key_file=self.secrets.private_key(user),
            role=roles.get(user, "ACCOUNTADMIN"),
            warehouse=names.WAREHOUSE,
            database=names.WAREHOUSE_DATABASE,
            host=self.host("snowflake"),
            port=self.port("snowflake"),
            protocol="http",
        )

    def warehouse_login(self, user: str) -> dict[str, str]:
        """See `Place`: an account finds its own address."""
        login: Mapping[str, object] = self.snowflake(user).model_dump(exclude_none=True)
        own_address = () if "host" in login else ("port", "protocol")
        return {name.upper(): str(value) for name, value in login.items() if name not in own_address}

    def connect_warehouse(self, user: str = names.ADMIN_USER, **overrides: Any) -> Any:
        """A `snowflake.connector` connection; the caller closes it.

        Raises:
            PipelineError: the warehouse does not answer, or refuses the login.
        """
        import snowflake.connector
        from snowflake.connector import errors

        try:
            # Its type is a decorator's, without those of its arguments.
            return snowflake.connector.connect(  # pyright: ignore[reportUnknownMemberType]
                **(connection_arguments(self.snowflake(user)) | overrides)
            )
        except (errors.OperationalError, errors.DatabaseError) as error:
            raise PipelineError(
                f"The warehouse can't be reached: {error.msg or error}",
                advice="`bank status` shows whether it runs; with a real account check SNOWFLAKE_*.",
            ) from error


def _real_snowflake() -> SnowflakeSettings | None:
    prefix = "SNOWFLAKE_"
    given = {
        name.removeprefix(prefix).lower(): value
        for name, value in os.environ.items()
        if value and name.startswith(prefix) and name.removeprefix(prefix).lower() in SnowflakeSettings.model_fields
    }
    if "account" not in given or given.get("host") == LOOPBACK:
        return None
    missing = [
        f"{prefix}{name.upper()}" for name in ("user", "private_key_file", "role", "warehouse") if name not in given
    ]
    if missing:
        raise PipelineError(
            f"SNOWFLAKE_ACCOUNT is set, but not {', '.join(missing)}.",
            advice="Set them for a real account, or unset SNOWFLAKE_ACCOUNT to use the local stand-in.",
        )
    return SnowflakeSettings.model_validate(given)
