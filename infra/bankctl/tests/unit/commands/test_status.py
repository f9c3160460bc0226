import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bank_common.runtime.motion import BUILD, LOAD, Motion, not_judged
from bankctl.devstack.supervision import status as component_status
from bankctl.devstack.supervision.status import ComponentStatus
from bankctl.main import app
from bankctl.operate import motion

GOOD = ComponentStatus("kafka", True, "", False, 7, (9092,), 3.0, 2**20)
BAD = ComponentStatus("minio", False, "died", False, None, (9000,), 0.0, 0)
ABSENT = ComponentStatus("generator", False, "not running", True, None, (), 0.0, 0)
MOVING = Motion(LOAD, True, "nothing waits", 0.0, 90.0)
RED = Motion(BUILD, False, "load 7 waits for a build since 99 s", 99.0, 48.0)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    surveyed: dict[str, Any] = {"components": [GOOD], "hops": [MOVING]}
    monkeypatch.setenv("BANKCTL_STATE_DIR", str(tmp_path))
    monkeypatch.setattr(component_status, "survey", lambda _stack: surveyed["components"])
    monkeypatch.setattr(motion, "survey", lambda _stack: surveyed["hops"])
    return surveyed


@pytest.mark.parametrize(
    ("components", "hops", "arguments", "code"),
    [
        ([GOOD, ABSENT], [MOVING], [], 0),
        ([GOOD, BAD], [MOVING], [], 1),
        ([GOOD], [MOVING, RED], [], 1),
        ([GOOD], [not_judged(LOAD, "no answer")], [], 1),
        ([GOOD, BAD], [MOVING], ["--hops"], 0),
        ([GOOD], [MOVING, RED], ["--hops"], 1),
    ],
)
def test_the_exit_code_is_of_components_and_hops(
    seen: dict[str, Any], components: list[ComponentStatus], hops: list[Motion], arguments: list[str], code: int
) -> None:
    seen |= {"components": components, "hops": hops}
    for more in ([], ["--json"]):
        assert CliRunner().invoke(app, ["status", *arguments, *more]).exit_code == code


def test_the_document_has_components_and_hops(seen: dict[str, Any]) -> None:
    seen["hops"] = [MOVING, RED]
    document = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert document["components"]["kafka"]["healthy"] is True
    assert document["total_memory_bytes"] == 2**20
    assert document["hops"]["build"] == {
        "moving": False,
        "reason": RED.sentence,
        "waited_seconds": 99.0,
        "allowed_seconds": 48.0,
    }


def test_among_containers_the_hops_are_shown_alone(seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANKCTL_NETWORK", "names")
    seen |= {"components": [BAD], "hops": [MOVING]}
    shown = CliRunner().invoke(app, ["status"])
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == ["landing to RAW  moving: nothing waits"]
