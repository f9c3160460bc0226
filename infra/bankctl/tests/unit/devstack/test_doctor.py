import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bank_common import names
from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.native import COMPONENTS
from bankctl.devstack.doctor import ephemeral_ports, examine, require_free
from bankctl.stack.paths import repository_root
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    settings = BankctlSettings(state_dir=tmp_path / "state", port_offset=9000)
    return Stack(repository_root(), tmp_path / "state", tmp_path / "cache", settings, None)


def test_every_bad_finding_says_what_to_do(stack: Stack) -> None:
    for finding in examine(stack, COMPONENTS.values()):
        assert finding.good or finding.advice


def test_a_taken_port_is_named_with_its_component_and_the_setting_that_moves_it(stack: Stack) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stack.port("minio")))
        taken.listen()
        with pytest.raises(PipelineError) as caught:
            require_free(stack, [COMPONENTS["minio"]])
    report = str(caught.value)
    assert f"port {stack.port('minio')}" in report
    assert "minio needs it" in report
    assert "BANKCTL_PORT_OFFSET" in report


@pytest.mark.parametrize("odd", ["it's", "two words", 'a"b', "a$b"])
def test_a_path_that_would_be_read_as_syntax_is_refused(stack: Stack, odd: str) -> None:
    odd_stack = replace(stack, state_dir=stack.state_dir / odd)
    (bad,) = [finding for finding in examine(odd_stack, []) if not finding.good]
    assert bad.check == "path of BANKCTL_STATE_DIR"
    assert bad.advice


def test_too_little_disk_is_said_with_the_variable_to_set(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bankctl.devstack.doctor.STATE_BYTES", 2**60)
    bad = [finding for finding in examine(stack, []) if not finding.good]
    assert [finding.check for finding in bad] == ["disk for state"]
    assert "BANKCTL_STATE_DIR" in str(bad[0].advice)


def test_ports_that_the_kernel_may_give_away_are_named_and_stop_nothing(stack: Stack) -> None:
    first, last = ephemeral_ports()
    highest = max(names.PORTS.values())
    below, among = (
        replace(stack, settings=stack.settings.model_copy(update={"port_offset": offset}))
        for offset in (first - 1 - highest, first - highest)
    )
    assert all(finding.good for finding in examine(below, []) if finding.check == "ports")
    (bad,) = [finding for finding in examine(among, []) if not finding.good]
    assert f"{first} to {last}" in bad.seen
    assert f"BANKCTL_PORT_OFFSET={first - 1 - highest} at most" in str(bad.advice)
    require_free(among, [])
