"""Installations as the images have them: an environment of bankctl with the extras of one image and nothing else."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bankctl.devstack.artefacts.uv import uv_binary
from bankctl.rooms import COMMANDS, Room

ROOT = Path(__file__).resolve().parents[5]
EXTRAS = {"provisioner": (), "bank": ("--extra", "operate")}
ROOMS = {"provisioner": {Room.PROVISION}, "bank": {Room.PROVISION, Room.OPERATE}}
ASKED = """
import contextlib, io, json, sys
from bank_common.runtime.errors import PipelineError
from bankctl.main import app
answers = {}
for name in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            app([name, "--help"])
        except SystemExit as end:
            answers[name] = end.code
        except PipelineError as error:
            answers[name] = error.message
print(json.dumps([answers, sorted(sys.modules)]))
"""


@dataclass(frozen=True)
class Installation:
    """The environment of one image."""

    image: str
    folder: Path

    @property
    def commands(self) -> list[str]:
        """What it should offer."""
        return [name for name, (room, _) in COMMANDS.items() if room in ROOMS[self.image]]

    def run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of the environment as an image would, with nothing of this one."""
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            env={"PATH": os.environ["PATH"], "BANKCTL_NETWORK": "names", "BANK_ENV_FILE": "", "COLUMNS": "200"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module", params=EXTRAS)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Made from the lock by the same command as in the Dockerfile."""
    folder = tmp_path_factory.mktemp(request.param) / "venv"
    done = subprocess.run(
        [uv_binary(), "sync", "--locked", "--no-dev", "--package", "bankctl", *EXTRAS[request.param],
         "--python", sys.executable],
        env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_COMPILE_BYTECODE": "0"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return Installation(request.param, folder)


def test_the_help_has_its_commands_alone(installation: Installation) -> None:
    shown = installation.run("bank", "--help")
    assert shown.returncode == 0, shown.stderr
    for name, (_, line) in COMMANDS.items():
        assert (line in shown.stdout) == (name in installation.commands), name


def test_its_commands_start_load_no_other_room_and_the_others_are_refused(installation: Installation) -> None:
    done = installation.run("python", "-c", ASKED, *COMMANDS)
    assert done.returncode == 0, done.stderr
    answers, loaded = json.loads(done.stdout)
    assert {name for name, answer in answers.items() if answer == 0} == set(installation.commands)
    for name in COMMANDS.keys() - set(installation.commands):
        assert answers[name].startswith(f"`bank {name}` is not in this installation")
    # Or an import of nothing would pass.
    assert "bankctl.provision.steps" in loaded
    absent = [f"bankctl.{room}" for room in set(Room) - ROOMS[installation.image]]
    if Room.OPERATE not in ROOMS[installation.image]:
        absent.append("bankctl.verify")
    assert [name for name in loaded if name.startswith(tuple(absent))] == []


def test_a_refusal_is_a_sentence(installation: Installation) -> None:
    refused = installation.run("bank", "up")
    assert refused.returncode == 1
    assert "make setup" in refused.stderr
    assert "Traceback" not in refused.stderr
