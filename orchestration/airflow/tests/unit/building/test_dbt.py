"""dbt as a process: what it is given, how its end is read, and how it is ended."""

import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from building_testing.memory import MemoryFence

from bank_dags.building.dbt import Dbt
from bank_dags.building.fence import Hold, Ownership
from bank_dags.building.lock import build_lock
from bank_dags.building.processes import ColdDbt
from bank_dags.building.results import BUILD_VARIABLE, BuildError, BuildResults

OWNER = Ownership(7, "token of this build")

RESULTS = """
def results(*nodes, token=None):
    import os
    token = token or os.environ["DBT_ENV_CUSTOM_ENV_BANK_BUILD"]
    found = {"metadata": {"env": {"BANK_BUILD": token}}, "elapsed_time": 1.5,
             "results": [dict(zip(("unique_id", "status", "message"), node)) for node in nodes]}
    (target / "run_results.json").write_text(json.dumps(found))
"""


def build(dbt: Dbt, *choice: str) -> BuildResults:
    with build_lock(dbt.state_dir) as lock:
        assert lock.name() is not None
        with dbt.started(lock) as started:
            return started.build(Hold(MemoryFence(), OWNER), choice)


@pytest.fixture
def project(tmp_path: Path):
    """Makes a program that stands for dbt and does what a test writes."""

    def make(body: str, timeout_seconds: float = 30) -> Dbt:
        program = tmp_path / "dbt"
        program.write_text(
            f"#!{sys.executable}\nimport json, os, pathlib, signal, sys, time\n"
            "target = pathlib.Path(sys.argv[sys.argv.index('--target-path') + 1])\n"
            f"{RESULTS}\n{textwrap.dedent(body)}"
        )
        program.chmod(0o755)
        interpreter = tmp_path / "python"
        # What the launcher imports ahead, so that its environment has a dbt.
        for package in ("dbt", "dbt/cli", "dbt/adapters", "dbt_common", "dbt_common/events"):
            (tmp_path / "lib" / package).mkdir(parents=True, exist_ok=True)
        for module in ("cli/main", "adapters/snowflake"):
            (tmp_path / "lib" / "dbt" / f"{module}.py").touch()
        (tmp_path / "lib" / "dbt_common" / "events" / "functions.py").write_text("def reset_metadata_vars(): pass\n")
        interpreter.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path / "lib"} exec {sys.executable} "$@"\n')
        interpreter.chmod(0o755)
        return Dbt(program, tmp_path, tmp_path / "state", 2, timeout_seconds, {"SNOWFLAKE_USER": "BANK_DBT"})

    return make


def test_a_good_build_is_read_from_its_results(project) -> None:
    built = build(project("results(('model.a', 'success', ''), ('test.b', 'pass', None), ('test.c', 'warn', 'x'))"))
    assert built.counts == {"success": 1, "pass": 1, "warn": 1}
    assert built.failures == ()


def test_failing_nodes_are_named_with_their_messages(project) -> None:
    dbt = project(
        "results(('model.a', 'error', 'no such column'), ('test.b', 'fail', 'Got 3 results'),\n"
        "        ('model.c', 'skipped', None))\nsys.exit(1)"
    )
    with pytest.raises(BuildError) as caught:
        build(dbt)
    text = str(caught.value)
    assert "3 dbt nodes" in text
    assert "model.a: no such column" in text
    assert "test.b: Got 3 results" in text
    assert "model.c" not in text


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("print('Runtime Error: no profile'); sys.exit(2)", "Runtime Error: no profile"),
        ("sys.exit(0)", "exit code 0 before it built anything"),
        ("results(('m', 'success', ''), token='another')", "another dbt run"),
        ("(target / 'run_results.json').write_text('{')", "can't be read"),
        ("results()", "built nothing"),
        ("results(('m', 'success', '')); sys.exit(2)", "exit code 2"),
    ],
)
def test_without_results_of_its_own_a_build_has_failed(project, body: str, seen: str) -> None:
    with pytest.raises(BuildError, match=seen):
        build(project(body))


def test_results_of_an_earlier_build_are_never_taken_for_this_ones(project) -> None:
    build(project("results(('m', 'success', ''))"))
    with pytest.raises(BuildError, match="before it built anything"):
        build(project("sys.exit(0)"))


def test_dbts_environment_has_its_user_and_none_of_airflows_secrets(
    project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "canary")
    monkeypatch.setenv("BANK_DAGS_STORE__SECRET_KEY", "canary")
    monkeypatch.setenv("SNOWFLAKE_USER", "BANK_LOADER")
    build(project("(target / 'env').write_text(json.dumps(dict(os.environ))); results(('m', 'success', ''))"))
    environment = json.loads((tmp_path / "state" / "target" / "env").read_text())
    assert "canary" not in environment.values()
    assert environment["SNOWFLAKE_USER"] == "BANK_DBT"
    assert environment[BUILD_VARIABLE] == OWNER.token
    assert (environment["BANK_BUILD_NUMBER"], environment["BANK_BUILD_OWNER"]) == ("7", OWNER.token)


def test_what_is_chosen_reaches_dbt(project, tmp_path: Path) -> None:
    body = "(target / 'args').write_text(json.dumps(sys.argv)); results(('m', 'success', ''))"
    build(project(body), "--select", "dim_accounts")
    assert json.loads((tmp_path / "state" / "target" / "args").read_text())[-2:] == ["--select", "dim_accounts"]


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="BANK_DAGS_DBT_EXECUTABLE"):
        build(Dbt(tmp_path / "none", tmp_path, tmp_path / "state", 1, 5, {}))


def test_a_started_dbt_that_is_not_asked_to_build_ends_and_builds_nothing(project, tmp_path: Path) -> None:
    dbt = project("(target / 'ran').touch()")
    with build_lock(dbt.state_dir) as lock, dbt.started(lock) as started:
        process = started.process.process
    assert process.returncode
    assert not (tmp_path / "state" / "target" / "ran").exists()


def test_a_dbt_whose_task_was_killed_before_it_asked_ends_and_builds_nothing(project, tmp_path: Path) -> None:
    dbt = project("(target / 'ran').touch()")
    with build_lock(dbt.state_dir) as lock, dbt.started(lock) as started:
        process = started.process.process
        process.stdin.close()
        assert process.wait(20) == 1
    assert not (tmp_path / "state" / "target" / "ran").exists()


def test_a_dbt_whose_task_is_killed_while_it_builds_is_interrupted_and_gives_the_lock_back(
    project, tmp_path: Path
) -> None:
    body = "(target / 'runs').touch()\ntry: time.sleep(600)\nexcept KeyboardInterrupt: (target / 'cancelled').touch()"
    dbt = project(body)
    with build_lock(dbt.state_dir) as lock:
        lock.name()
        with dbt.started(lock) as started:
            started.process.build(dbt.arguments([]), {})
            deadline = time.monotonic() + 30
            while not (tmp_path / "state" / "target" / "runs").exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            with build_lock(dbt.state_dir) as other:
                assert other.name() is None
            started.process.process.stdin.close()
            started.process.process.wait(20)
    assert (tmp_path / "state" / "target" / "cancelled").exists()


def test_an_owner_who_lost_the_fence_ends_its_dbt(project, tmp_path: Path) -> None:
    dbt = project("try: time.sleep(600)\nexcept KeyboardInterrupt: (target / 'cancelled').touch()")
    with build_lock(dbt.state_dir) as lock, dbt.started(lock) as started:
        # Nobody's fence: the first heartbeat finds that it is lost.
        hold = Hold(MemoryFence(owner="another"), OWNER, every_seconds=0.01)
        with hold, pytest.raises(BuildError, match="lost its fence"):
            started.build(hold)
        assert started.process.process.returncode is not None


def test_the_imports_are_made_ahead_and_without_the_collector(project, tmp_path: Path) -> None:
    dbt = project(
        "results(('m', 'success' if gc_was_off and 'dbt.adapters.snowflake' in sys.modules else 'error', ''))"
    )
    module = tmp_path / "lib" / "dbt" / "cli" / "main.py"
    module.write_text("import builtins, gc\nbuiltins.gc_was_off = not gc.isenabled()\n")
    assert build(dbt).counts == {"success": 1}


def test_the_arrow_reader_is_made_before_dbt_starts(project) -> None:
    """Its logger deadlocks when two of dbt's threads make it at once (see the launcher)."""
    body = """
    ready = "snowflake.connector.nanoarrow_arrow_iterator" in sys.modules
    results(("m", "success" if ready else "error", "the reader was not made"))
    """
    assert build(project(body)).counts == {"success": 1}


def test_a_build_that_takes_too_long_is_interrupted_although_its_task_ignores_interrupts(
    project, tmp_path: Path
) -> None:
    body = "try: time.sleep(600)\nexcept KeyboardInterrupt: (target / 'cancelled').touch()"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(BuildError, match="did not end within 6 s"):
            build(project(body, timeout_seconds=6))
    finally:
        signal.signal(signal.SIGINT, before)
    assert (tmp_path / "state" / "target" / "cancelled").exists()


def test_a_dbt_that_ignores_the_interrupt_is_killed() -> None:
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    ColdDbt(process).stop()
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL


def test_dbt_itself_holds_the_lock_while_it_builds(project) -> None:
    """So a dbt that outlives its killed task proves that it lives."""
    body = """
    import fcntl
    own = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    inherited = any(path.endswith("/build.lock") for path in own)
    with open(target.parent / "build.lock") as again:
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
            locked = False
        except BlockingIOError:
            locked = True
    results(("m", "success" if inherited and locked else "error", f"inherited {inherited}, locked {locked}"))
    """
    assert build(project(body)).counts == {"success": 1}
