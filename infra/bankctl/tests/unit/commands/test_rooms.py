"""Each command belongs to a room; without the room's extra it is not offered, and says where it is."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bank_common.runtime.errors import PipelineError
from bankctl import commands, rooms
from bankctl.main import app
from bankctl.rooms import COMMANDS, Room

ROOT = Path(__file__).resolve().parents[5]


def _named(room: Room) -> set[str]:
    return {name for name, (own, _) in COMMANDS.items() if own is room}


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """An installation without these rooms' extras."""
    missing = {rooms._BROUGHT[room] for room in request.param}
    monkeypatch.setattr(rooms, "find_spec", lambda module: None if module in missing else object())


def test_every_command_has_a_module_and_every_module_is_a_command() -> None:
    modules = {path.stem.replace("_", "-") for path in Path(*commands.__path__).glob("[!_]*.py")}
    assert modules == COMMANDS.keys()


@pytest.mark.parametrize(
    ("without", "there"),
    [
        ((), set(Room)),
        ((Room.DEVSTACK,), {Room.PROVISION, Room.OPERATE}),
        ((Room.DEVSTACK, Room.OPERATE), {Room.PROVISION}),
    ],
    indirect=["without"],
)
@pytest.mark.usefixtures("without")
def test_the_commands_of_the_rooms_that_are_there_are_offered(there: set[Room]) -> None:
    assert set(rooms.offered()) == {name for room in there for name in _named(room)}


@pytest.mark.parametrize("without", [(Room.DEVSTACK, Room.OPERATE)], indirect=True)
@pytest.mark.usefixtures("without")
@pytest.mark.parametrize(("command", "said"), [("status", "run --rm bank status"), ("up", "make setup")])
def test_a_command_of_another_room_says_where_it_is(command: str, said: str) -> None:
    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, PipelineError)
    assert said in result.exception.advice


@pytest.mark.parametrize(
    ("image", "room"), [("The image provisioner", Room.PROVISION), ("The image bank", Room.OPERATE)]
)
def test_the_import_contract_of_an_image_names_the_commands_of_its_room(image: str, room: Room) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["name"].startswith(f"{image}:"))
    prefix = "bankctl.commands."
    named = {name.removeprefix(prefix) for name in contract["source_modules"] if name.startswith(prefix)}
    assert named == {command.replace("-", "_") for command in _named(room)}
    assert f"bankctl.{room}" in contract["source_modules"]
