"""compose.yaml says of each container what `bank up` says of each process."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from bankctl.devstack.components import postgres
from bankctl.devstack.components.local_warehouse import SNOWFLAKE
from bankctl.model import compose_variables, connector_config, platform_file
from bankctl.model.graph import NODES
from bankctl.stack import container_secrets, containers, programs
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[5]
FOLDER = ROOT / "infra" / "compose"
VARIABLES = compose_variables.variables(platform_file.load(ROOT / "infra" / "platform.toml"))
BY_FILE = ("_FILE", "_CMD")


def _expanded(value: Any) -> str:
    """A value as compose reads it with the rendered variables and nothing else set."""
    text = str(value)
    while (start := text.find("${")) >= 0:
        name, _, default = text[start + 2 : text.index("}", start)].partition(":-")
        text = text[:start] + VARIABLES.get(name, default) + text[text.index("}", start) + 1 :]
    return text


def _services() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("state")
    return Stack(ROOT, folder, folder, BankctlSettings(network="names", state_dir=folder), None)


@pytest.mark.parametrize(
    ("container", "program"), [(node.name, node.program) for node in NODES.values() if node.program]
)
def test_a_container_is_told_what_its_program_is_told_everywhere(container: str, program: str, stack: Stack) -> None:
    told, given = containers.environment(program), _services()[container]["environment"]
    assert {name: given.get(name) for name in told} == told
    secrets = [value.file for value in programs.PROGRAMS[program](stack).values() if isinstance(value, programs.InFile)]
    named = [value for value in told.values() if "/run/secrets/" in value]
    assert {value.rpartition("/")[2] for value in named} <= container_secrets.folders(stack)[program].keys()
    assert len(named) >= len(secrets)


def test_a_process_and_its_container_are_told_the_same(stack: Stack) -> None:
    places = ("AUTH_MANAGER_PASSWORDS_FILE", "BASE_LOG_FOLDER", "PRIVATE_KEY_FILE", "QUEUE_DIR_DURABLE", "INSTANCE_ID")
    for program, told in programs.PROGRAMS.items():
        natively, contained = told(stack), containers.environment(program)
        plain = {
            name: value for name, value in natively.items() if isinstance(value, str) and not name.endswith(places)
        }
        assert plain == {name: _expanded(contained[name]) for name in plain}


def test_secrets_come_from_files_only() -> None:
    for container, service in _services().items():
        for name, value in service.get("environment", {}).items():
            if (
                any(word in name for word in ("PASSWORD", "SECRET", "TOKEN", "FERNET", "CONN"))
                and "CONNECT" not in name
            ):
                assert name.endswith(BY_FILE), (container, name)
                assert value.removeprefix("cat ").startswith("/run/secrets/"), (container, name)


def test_the_databases_are_set_as_those_of_native(stack: Stack) -> None:
    native = {"bank-postgres": postgres.SOURCE, "platform-postgres": postgres.PLATFORM_SETTINGS}
    for container, own in native.items():
        command = [argument.removeprefix("-c").partition("=") for argument in _services()[container]["command"][1:]]
        given = {name: _expanded(value) for name, _, value in command}
        assert given.pop("port") == str(stack.port(container.replace("-", "_")))
        common = {name: value for name, value in postgres.COMMON.items() if name not in postgres.ADDRESSES}
        assert given == {name: value.strip("'") for name, value in (common | own).items()}


def test_connect_has_what_its_connector_refers_to_and_the_object_store_its_secrets(stack: Stack) -> None:
    connect = containers.environment("connect")
    assert {name.removesuffix("_FILE") for name in connect} == set(connector_config.WORKER_VARIABLES)
    handed = dict(line.split("=", 1) for line in container_secrets.folders(stack)["minio"]["minio.env"].splitlines())
    assert {name: value.strip('"') for name, value in handed.items()} == container_secrets.object_store(stack)


def test_the_warehouse_is_served_as_natively_and_has_the_files_it_names(stack: Stack) -> None:
    native = SNOWFLAKE.command(stack)[2:]
    native_options = dict(zip(native[::2], native[1::2], strict=True))
    given = dict(_expanded(part).split("=", 1) for part in _services()["snowflake"]["command"][1:])
    assert given.keys() == native_options.keys()
    assert {name: value for name, value in given.items() if name.endswith("port")} == {
        name: value for name, value in native_options.items() if name.endswith("port")
    }
    files = {value.removeprefix("/run/secrets/") for value in given.values() if value.startswith("/run/secrets/")}
    assert files <= container_secrets.folders(stack)["snowflake"].keys()


def test_every_container_is_confined(stack: Stack) -> None:
    for name, service in _services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["networks"] == ["bank"], name
        assert {"memory", "pids"} <= service["deploy"]["resources"]["limits"].keys(), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert not os.path.isabs(service.get("build", {}).get("dockerfile", "")), name


def test_the_command_judges_motion_by_what_the_pipeline_was_given(stack: Stack) -> None:
    own, loads = _services()["bank"]["environment"], _services()["airflow-scheduler"]["environment"]
    for setting in ("LOAD_INTERVAL_SECONDS", "TARGET_LAG_SECONDS"):
        assert own[f"BANKCTL_{setting}"] == loads[f"BANK_DAGS_{setting}"]


def test_what_ends_is_started_again_but_for_steps() -> None:
    services = _services()
    waited_for = {
        name
        for service in services.values()
        for name, need in (service.get("depends_on") or {}).items()
        if need["condition"] == "service_completed_successfully"
    }
    # Both kinds, or this would hold of nothing. `bank` is a person's command.
    assert {"secrets", "provision"} <= waited_for < services.keys()
    for name, service in services.items():
        assert service["restart"] == ("no" if name in {*waited_for, "bank"} else "unless-stopped"), name


def test_a_container_sees_its_own_secrets_only(stack: Stack) -> None:
    known = container_secrets.folders(stack)
    for name, service in _services().items():
        mounts = [mount for mount in service.get("volumes", []) if isinstance(mount, dict)]
        seen = {mount["volume"]["subpath"] for mount in mounts if mount["source"] == "handout"}
        own = "airflow" if name.startswith(("airflow-", "dbt-")) else name
        assert seen == ({own} if own in known else set()), name
        whole = [mount for mount in service.get("volumes", []) if str(mount).startswith(("state:", "handout:"))]
        image = service["image"].removeprefix("${BANK_IMAGE_PREFIX:-banking-data-pipeline}/").partition(":")[0]
        assert not whole or image in ("provisioner", "bank"), name
        assert (image == "bank") == (name == "bank"), name


def test_the_handed_out_files_are_readable_whoever_the_container_runs_as(stack: Stack, tmp_path: Path) -> None:
    container_secrets.write(stack, tmp_path)
    containers = container_secrets.write(stack, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(containers)
    for path in tmp_path.rglob("*"):
        if path.is_dir():
            assert path.stat().st_mode & 0o777 == 0o755
        else:
            assert path.stat().st_mode & 0o777 == (0o600 if path.name == programs.AIRFLOW_PASSWORDS else 0o444)
    assert (tmp_path / "generator" / "postgres_password").read_text() == stack.secret("bank_app_password")
