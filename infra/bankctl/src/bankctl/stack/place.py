"""A place where programs run, as they see it: processes of this machine, or the containers of compose.yaml."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final

LOOPBACK: Final = "127.0.0.1"
_URL_PATHS: Final = {"registry": "/apis/ccompat/v7"}
_CONTAINERS: Final = {
    "registry_management": "registry",
    "kafka_controller": "kafka",
    "minio_console": "minio",
    "snowflake_tls": "snowflake",
    "airflow": "airflow-api",
}
"""The components whose name is not their port's; the name is also the host name in a container network."""


def container(name: str) -> str:
    """The container that has a port of infra/platform.toml."""
    return _CONTAINERS.get(name, name.replace("_", "-"))


class Place(ABC):
    """Where each component is reached, what was set, and where files lie."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """`native` or `compose`."""

    @abstractmethod
    def host(self, name: str) -> str:
        """The host of the component that has a port of infra/platform.toml, as other components reach it."""

    @abstractmethod
    def port(self, name: str) -> int | str:
        """A port of infra/platform.toml, shifted."""

    @abstractmethod
    def setting(self, name: str) -> str:
        """What the variable BANKCTL_<name> was set to, or its default."""

    @abstractmethod
    def data_dir(self, component: str) -> PurePath:
        """A component's data."""

    @abstractmethod
    def secret_path(self, file: str) -> PurePath:
        """The path of a secret that a program reads as a file."""

    @abstractmethod
    def warehouse_login(self, user: str) -> Mapping[str, str]:
        """The login of a warehouse user: the names are those of SNOWFLAKE_* without the prefix."""

    def address(self, name: str) -> str:
        """The `host:port` of that component."""
        return f"{self.host(name)}:{self.port(name)}"

    def url(self, name: str) -> str:
        """An HTTP address by its port's name, without a closing slash; `registry` has the path of its Confluent API."""
        return f"http://{self.address(name)}{_URL_PATHS.get(name, '')}"

    def browser_url(self, name: str) -> str:
        """The HTTP address for a person at this machine: containers publish their ports on the loopback address."""
        return f"http://{LOOPBACK}:{self.port(name)}{_URL_PATHS.get(name, '')}"
