"""The warm dbt: what it forks, when it refuses, and that a build goes on without it."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from building_testing.memory import MemoryFence

from bank_dags.building.dbt import Dbt
from bank_dags.building.fence import Hold, Ownership
from bank_dags.building.lock import build_lock
from bank_dags.building.processes import INSIDE
from bank_dags.building.results import BuildResults

OWNER = Ownership(7, "token of this build")
FAKE_DBT = '''
import json, os, pathlib, sys, time, types
from bank_dbt_plan import during
PARSED_BY = None

class dbtRunner:
    """Stands for dbt: parses by remembering who parsed, builds by writing results."""

    def __init__(self, manifest=None):
        self.manifest = manifest

    def invoke(self, arguments):
        if "parse" in arguments:
            project = pathlib.Path(arguments[arguments.index("--project-dir") + 1])
            broken = (project / "dbt_project.yml").read_text() == "broken"
            reason = "no such macro" if broken else None
            return types.SimpleNamespace(success=not broken, result=os.getpid(), exception=reason)
        target = pathlib.Path(arguments[arguments.index("--target-path") + 1])
        (target / "running").write_text(str(os.getpid()))
        during(target)
        found = {"metadata": {"env": {"BANK_BUILD": os.environ["DBT_ENV_CUSTOM_ENV_BANK_BUILD"]}}, "elapsed_time": 1.0,
                 "results": [{"unique_id": f"parsed by {self.manifest}", "status": "success", "message": ""}]}
        (target / "run_results.json").write_text(json.dumps(found))
        return types.SimpleNamespace(success=True, result=None, exception=None)
'''


class WarmSandbox:
    """A project, a dbt that stands for dbt, and its warm process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.project, self.state = folder, folder / "project", folder / "state"
        self.project.mkdir()
        (self.project / "dbt_project.yml").write_text("name: x")
        for package in ("dbt", "dbt/cli", "dbt/adapters", "dbt_common", "dbt_common/events"):
            (folder / "lib" / package).mkdir(parents=True)
        (folder / "lib" / "dbt" / "cli" / "main.py").write_text(FAKE_DBT)
        (folder / "lib" / "dbt" / "adapters" / "snowflake.py").touch()
        (folder / "lib" / "dbt_common" / "events" / "functions.py").write_text("def reset_metadata_vars(): pass\n")
        self.during("pass")
        # Without a warm dbt this is what a build runs: it says that it was cold.
        program = folder / "dbt"
        program.write_text("import sys\nfrom dbt.cli.main import dbtRunner\ndbtRunner('nobody').invoke(sys.argv[1:])\n")
        interpreter = folder / "python"
        interpreter.write_text(f'#!/bin/sh\nPYTHONPATH={folder / "lib"} exec {sys.executable} "$@"\n')
        interpreter.chmod(0o755)
        self.dbt = Dbt(program, self.project, self.state, 2, 60, {"SNOWFLAKE_USER": "BANK_DBT"})
        self.process: subprocess.Popen[bytes] | None = None

    def during(self, body: str) -> None:
        (self.folder / "lib" / "bank_dbt_plan.py").write_text(f"import os, signal, time\ndef during(target): {body}\n")

    def start(self) -> int:
        environment = self.dbt.environment() | {"PYTHONPATH": str(self.folder / "lib")}
        command = [sys.executable, str(INSIDE / "warm.py"), str(self.state / "warm"), str(self.project)]
        self.process = subprocess.Popen(command, env=environment, cwd=self.project)
        eventually(lambda: self.greeting() is not None)
        return self.process.pid

    def greeting(self) -> dict[str, object] | None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(1)
                connection.connect(str(self.state / "warm" / "socket"))
                with connection.makefile("rb") as answer:
                    return json.loads(answer.readline())
        except (OSError, ValueError):
            return None

    def build(self, dbt: Dbt | None = None) -> BuildResults:
        dbt = dbt or self.dbt
        with build_lock(self.state) as lock:
            lock.name()
            with dbt.started(lock) as started:
                return started.build(Hold(MemoryFence(), OWNER))

    def parsed_by(self, dbt: Dbt | None = None) -> str:
        """Who parsed what the build ran with: the warm process' pid, or nobody."""
        self.build(dbt)
        (node,) = json.loads((self.state / "target" / "run_results.json").read_text())["results"]
        return node["unique_id"].removeprefix("parsed by ")


def eventually(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[WarmSandbox]:
    made = WarmSandbox(tmp_path)
    yield made
    if made.process is not None:
        made.process.send_signal(signal.SIGCONT)
        made.process.kill()
        made.process.wait()


def test_a_build_is_a_fork_of_the_process_that_parsed(sandbox: WarmSandbox) -> None:
    warm = sandbox.start()
    assert sandbox.parsed_by() == str(warm)
    assert int((sandbox.state / "target" / "running").read_text()) != warm
    assert sandbox.parsed_by() == str(warm)


def test_only_its_user_can_open_the_socket(sandbox: WarmSandbox) -> None:
    sandbox.start()
    modes = [stat.S_IMODE((sandbox.state / name).stat().st_mode) for name in ("warm", "warm/socket")]
    assert modes == [0o700, 0o600]


def test_without_one_a_build_starts_a_dbt_of_its_own(sandbox: WarmSandbox) -> None:
    assert sandbox.parsed_by() == "nobody"


def test_a_frozen_one_delays_a_build_and_does_not_stop_it(sandbox: WarmSandbox) -> None:
    os.kill(sandbox.start(), signal.SIGSTOP)
    assert sandbox.parsed_by() == "nobody"


def test_one_that_is_frozen_after_its_greeting_builds_nothing_when_it_wakes(sandbox: WarmSandbox) -> None:
    warm = sandbox.start()
    with build_lock(sandbox.state) as lock, sandbox.dbt.started(lock) as started:
        os.kill(warm, signal.SIGSTOP)
        started.build(Hold(MemoryFence(), OWNER))
    running = sandbox.state / "target" / "running"
    running.unlink()
    os.kill(warm, signal.SIGCONT)
    # It answers the next one, so it has dealt with the one that it slept through.
    assert sandbox.parsed_by() == str(warm)


def test_a_killed_one_is_not_missed(sandbox: WarmSandbox) -> None:
    os.kill(sandbox.start(), signal.SIGKILL)
    assert sandbox.parsed_by() == "nobody"


def test_a_change_of_the_project_is_parsed_anew(sandbox: WarmSandbox) -> None:
    warm = sandbox.start()
    (sandbox.project / "dbt_project.yml").write_text("name: y")
    assert sandbox.parsed_by() in ("nobody", str(warm))
    (sandbox.project / "dbt_project.yml").write_text("broken")
    eventually(lambda: (sandbox.greeting() or {}).get("state") == "failed")
    assert "no such macro" in str((sandbox.greeting() or {}).get("reason"))
    assert sandbox.parsed_by() == "nobody"
    (sandbox.project / "dbt_project.yml").write_text("name: z")
    eventually(lambda: (sandbox.greeting() or {}).get("state") == "ready")
    assert sandbox.parsed_by() == str(warm)


def test_another_login_is_parsed_anew(sandbox: WarmSandbox) -> None:
    warm = sandbox.start()
    other = Dbt(sandbox.dbt.executable, sandbox.project, sandbox.state, 2, 60, {"SNOWFLAKE_USER": "ANOTHER"})
    assert sandbox.parsed_by(other) == "nobody"
    eventually(lambda: sandbox.greeting() is not None)
    assert sandbox.parsed_by(other) == str(warm)


def test_a_build_whose_caller_is_gone_is_interrupted_and_the_lock_is_free(sandbox: WarmSandbox) -> None:
    sandbox.during("time.sleep(600)")
    sandbox.start()
    with build_lock(sandbox.state) as lock:
        lock.name()
        with sandbox.dbt.started(lock) as started:
            assert started.process is not None
            environment = sandbox.dbt.environment() | {"DBT_ENV_CUSTOM_ENV_BANK_BUILD": "t"}
            assert started.process.build(sandbox.dbt.arguments([]), environment)
            eventually((sandbox.state / "target" / "running").exists)
    with build_lock(sandbox.state) as again:
        eventually(lambda: again.name() is not None)


def test_a_killed_build_is_an_error_and_no_wait(sandbox: WarmSandbox) -> None:
    sandbox.during("os.kill(os.getpid(), signal.SIGKILL)")
    sandbox.start()
    with pytest.raises(Exception, match="exit code -9"):
        sandbox.build()


def test_a_build_goes_on_when_its_parent_is_killed(sandbox: WarmSandbox) -> None:
    sandbox.during(f"os.kill({sandbox.start()}, signal.SIGKILL)")
    assert sandbox.parsed_by() != "nobody"


def test_there_is_one_of_it(sandbox: WarmSandbox) -> None:
    warm = sandbox.start()
    command = [sys.executable, str(INSIDE / "warm.py"), str(sandbox.state / "warm"), str(sandbox.project)]
    environment = os.environ | {"PYTHONPATH": str(sandbox.folder / "lib")}
    second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert "another warm dbt" in second.stderr
    assert sandbox.parsed_by() == str(warm)
