"""Single components in containers, for tests that need no other."""

import socket

from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from harness.images import PREFIX, TAG

_READY_SECONDS = 90
_INSIDE, _EXTERNAL = 9092, 9094


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker(DockerContainer):
    """The project's broker. It tells clients where it is, so its port on this machine is chosen before it starts."""

    def __init__(self, alias: str = "kafka") -> None:
        super().__init__(f"{PREFIX}/kafka-broker:{TAG}")
        self._port = _free_port()
        self.with_bind_ports(_EXTERNAL, self._port)
        self.with_env("KAFKA_LISTENERS", f"PLAINTEXT://:{_INSIDE},EXTERNAL://:{_EXTERNAL}")
        advertised = f"PLAINTEXT://{alias}:{_INSIDE},EXTERNAL://127.0.0.1:{self._port}"
        self.with_env("KAFKA_ADVERTISED_LISTENERS", advertised)
        self.waiting_for(HealthcheckWaitStrategy().with_startup_timeout(_READY_SECONDS))

    @property
    def bootstrap_servers(self) -> str:
        """The address for clients on this machine."""
        return f"127.0.0.1:{self._port}"


class Connect(DockerContainer):
    """The project's Connect worker, on a broker of the same network."""

    PORT = 8083

    def __init__(self, broker_alias: str = "kafka") -> None:
        super().__init__(f"{PREFIX}/kafka-connect:{TAG}")
        self.with_exposed_ports(self.PORT)
        self.with_env("CONNECT_BOOTSTRAP_SERVERS", f"{broker_alias}:{_INSIDE}")
        self.waiting_for(HealthcheckWaitStrategy().with_startup_timeout(_READY_SECONDS))

    @property
    def url(self) -> str:
        """The URL of its REST API."""
        return f"http://{self.get_container_host_ip()}:{self.get_exposed_port(self.PORT)}"


class ObjectStore(DockerContainer):
    """The project's MinIO with credentials of the test's own."""

    PORT = 9000

    def __init__(self, user: str, password: str) -> None:
        super().__init__(f"{PREFIX}/minio:{TAG}")
        self.with_exposed_ports(self.PORT)
        self.with_env("MINIO_ROOT_USER", user).with_env("MINIO_ROOT_PASSWORD", password)
        self.waiting_for(HealthcheckWaitStrategy().with_startup_timeout(_READY_SECONDS))

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{self.get_container_host_ip()}:{self.get_exposed_port(self.PORT)}"
