"""The containers of compose.yaml as a place: what only an installation knows is left to compose as variables."""

from pathlib import PurePosixPath
from typing import Final

from bank_common import names
from bankctl.model.compose_variables import port_variable
from bankctl.stack.container_secrets import MOUNT
from bankctl.stack.identities import WAREHOUSE_ROLES
from bankctl.stack.place import Place, container
from bankctl.stack.programs import PROGRAMS, InFile
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import STAND_IN_ACCOUNT

_PREFIX: Final = "BANKCTL_"


class Containers(Place):
    """Ports are in compose's `.env`, settings in BANKCTL_* of who runs compose, secrets in the mounted folder."""

    def __init__(self) -> None:
        # As declared: nobody's environment gets into a file that is committed.
        self._defaults = BankctlSettings.model_construct()

    @property
    def kind(self) -> str:
        """See `Place`."""
        return "compose"

    def host(self, name: str) -> str:
        """See `Place`."""
        return container(name)

    def port(self, name: str) -> str:
        """See `Place`."""
        return f"${{{port_variable(name)}}}"

    def setting(self, name: str) -> str:
        """See `Place`."""
        return f"${{{_PREFIX}{name}:-{self._defaults.text(name)}}}"

    def data_dir(self, component: str) -> PurePosixPath:
        """See `Place`: the images have it there."""
        return PurePosixPath("/var/lib", component)

    def secret_path(self, file: str) -> PurePosixPath:
        """See `Place`."""
        return MOUNT / file

    def warehouse_login(self, user: str) -> dict[str, str]:
        """See `Place`: to the stand-in; compose.snowflake.yaml puts an account's in its place."""
        return {
            "ACCOUNT": STAND_IN_ACCOUNT,
            "USER": user,
            "PRIVATE_KEY_FILE": str(self.secret_path(f"{user.lower()}.pem")),
            "ROLE": WAREHOUSE_ROLES[user],
            "WAREHOUSE": names.WAREHOUSE,
            "DATABASE": names.WAREHOUSE_DATABASE,
            "HOST": self.host("snowflake"),
            "PORT": self.port("snowflake"),
            "PROTOCOL": "http",
        }


def environment(program: str) -> dict[str, str]:
    """A program's variables as they stand in compose.yaml: a secret is named by its file, never by its text."""
    place = Containers()
    return dict(_variable(place, name, value) for name, value in PROGRAMS[program](place).items())


def _variable(place: Place, name: str, value: str | InFile) -> tuple[str, str]:
    if isinstance(value, str):
        return name, value
    path = place.secret_path(value.file)
    # Airflow runs a command for a secret, our settings read a file.
    return (f"{name}_CMD", f"cat {path}") if name.startswith("AIRFLOW__") else (f"{name}_FILE", str(path))
