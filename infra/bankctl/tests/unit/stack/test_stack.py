from pathlib import Path

import pytest
import yaml

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[5]


def _stack(tmp_path: Path, **settings: object) -> Stack:
    return Stack(ROOT, tmp_path, tmp_path, BankctlSettings.model_validate(settings), None)


def test_natively_everything_is_on_the_loopback_address(tmp_path: Path) -> None:
    stack = _stack(tmp_path, port_offset=1000)
    assert {stack.host(name) for name in names.PORTS} == {"127.0.0.1"}
    assert stack.url("registry") == f"http://127.0.0.1:{names.PORTS['registry'] + 1000}/apis/ccompat/v7"
    stack.require_supervised()


def test_among_containers_hosts_are_the_services_of_compose_and_ports_the_same(tmp_path: Path) -> None:
    stack = _stack(tmp_path, network="names", port_offset=1000)
    services = yaml.safe_load((ROOT / "infra" / "compose" / "compose.yaml").read_text())["services"]
    assert {stack.host(name) for name in names.PORTS} <= services.keys()
    assert stack.bootstrap_servers == f"kafka:{names.PORTS['kafka'] + 1000}"
    assert f"@platform-postgres:{names.PORTS['platform_postgres'] + 1000}/registry" in stack.dsn("registry", "registry")
    assert stack.snowflake().host == "snowflake"
    assert stack.browser_url("airflow") == f"http://127.0.0.1:{names.PORTS['airflow'] + 1000}"


def test_what_acts_on_processes_refuses_where_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="containers") as caught:
        _stack(tmp_path, network="names").require_supervised()
    assert "docker compose" in caught.value.advice


@pytest.mark.parametrize("service", ["generator", "cdc-consumer", "event-receiver"])
def test_a_services_image_listens_where_platform_toml_says(service: str) -> None:
    lines = (ROOT / "services" / service / "Dockerfile").read_text().splitlines()
    port, prefix = names.PORTS[service.replace("-", "_")], service.upper().replace("-", "_")
    assert f"EXPOSE {port}" in lines
    assert f"    {prefix}_HTTP__PORT={port}" in lines
