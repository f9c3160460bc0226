"""The DAGs load, and are wired as the README promises."""

import ast
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bank_common import names
from bank_common.runtime.errors import PipelineError, SettingsError
from bank_dags.dag_times import BUILD_TIMEOUT, LOAD_INTERVAL, LOAD_TIMEOUT, DagTime
from bank_dags.settings import BankDagsSettings
from bank_dags.tasks import LoadOutcome

DAGS_FOLDER = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(DAGS_FOLDER), collect_dags=True)


def test_exactly_these_dags_load_without_an_error(bag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {names.LOAD_DAG, names.BUILD_DAG}


def test_the_load_runs_on_the_sweeps_interval_one_at_a_time_and_never_catches_up(bag) -> None:
    dag = bag.dags[names.LOAD_DAG]
    assert dag.schedule == timedelta(seconds=45)
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_the_build_runs_on_the_asset_alone_one_at_a_time(bag) -> None:
    dag = bag.dags[names.BUILD_DAG]
    (asset,) = dag.timetable.asset_condition.objects
    assert asset.name == names.RAW_ASSET
    assert (dag.max_active_runs, dag.catchup) == (1, False)


def test_only_the_load_may_say_that_the_asset_changed_and_it_decides_when(bag) -> None:
    """No static outlet: an asset that is one changes with every successful run, heartbeats included (M10)."""
    from airflow.sdk import AssetAlias

    outlets = {task.task_id: task.outlets for dag in bag.dags.values() for task in dag.tasks}
    assert [type(outlet) for outlet in outlets["load"]] == [AssetAlias]
    assert outlets["build"] == outlets["halted_chains"] == []


def test_no_task_is_tried_again_for_the_next_run_repeats_it(bag) -> None:
    assert {name: sorted(dag.task_ids) for name, dag in bag.dags.items()} == {
        names.LOAD_DAG: ["halted_chains", "load"],
        names.BUILD_DAG: ["build"],
    }
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.retries == 0
            assert task.execution_timeout is not None
    load = bag.dags[names.LOAD_DAG].task_dict["load"]
    assert load.execution_timeout > timedelta(seconds=600), "above the fence's LOCK_TIMEOUT"


@pytest.mark.parametrize("path", sorted(DAGS_FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_a_dag_file_only_wires(path: Path) -> None:
    assert not path.stem.startswith("dbt_"), "dbt would import it"
    tree = ast.parse(path.read_text())
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert not [text for text in texts if text.upper().startswith(("SELECT", "INSERT", "COPY", "UPDATE"))]
    assert len(path.read_text().splitlines()) < 60


@pytest.mark.parametrize("path", sorted(DAGS_FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_parsing_a_dag_file_loads_no_heavy_client(path: Path) -> None:
    code = (
        f"import sys, runpy; runpy.run_path({str(path)!r}); "
        "found = {'snowflake.connector', 'obstore', 'pyarrow', 'pandas'} & set(sys.modules); "
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


PARSE = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder={folder!r}, collect_dags=True)
read = [name for name in sys.modules if name.endswith(".settings") and name.startswith(("bank_common", "bank_dags"))]
sys.exit(str(bag.import_errors or read) if bag.import_errors or read or len(bag.dags) != 2 else 0)
"""


def test_the_dags_are_parsed_without_any_variable_of_ours_and_without_settings() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BANK_DAGS_")}
    code = PARSE.format(folder=str(DAGS_FOLDER))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_bad_setting_stops_the_tasks_with_its_name_and_no_dag_disappears(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    from bank_dags import tasks

    monkeypatch.setenv(LOAD_INTERVAL.variable, "0")
    parsed = DagBag(dag_folder=str(DAGS_FOLDER), collect_dags=True)
    assert parsed.import_errors == {}
    assert parsed.dags[names.LOAD_DAG].schedule == timedelta(seconds=LOAD_INTERVAL.default)
    with pytest.raises(SettingsError, match=LOAD_INTERVAL.variable):
        tasks.load_raw("x__1", None, sweep=True)


@pytest.mark.parametrize("time", [LOAD_INTERVAL, LOAD_TIMEOUT, BUILD_TIMEOUT], ids=lambda time: time.variable)
@pytest.mark.parametrize("text", ["", "7.5", "many", "-7", "\u0667", "0"])
def test_a_time_is_the_settings_own_or_its_default(time: DagTime, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(time.variable, text)
    assert time.read() == timedelta(seconds=time.default)
    monkeypatch.setenv(time.variable, str(time.least))
    field = time.variable.removeprefix("BANK_DAGS_").lower()
    assert time.read() == timedelta(seconds=getattr(BankDagsSettings.load(), field))


OUTCOMES = {
    "nothing to do": (LoadOutcome(0, 0, 4, False, None), "AirflowSkipException", False),
    "loaded": (LoadOutcome(3, 9, 5, True, None), "DownstreamTasksSkipped", True),
    "heartbeats": (LoadOutcome(1, 2, 5, False, None), "DownstreamTasksSkipped", False),
    "work is left": (LoadOutcome(3, 9, 5, True, None, left=True), "DagRunTriggerException", True),
    "left, and a chain is halted": (
        LoadOutcome(3, 9, 5, True, None, left=True, halted=("x",)),
        "DagRunTriggerException",
        True,
    ),
    "a chain is halted": (LoadOutcome(3, 9, 5, True, None, halted=("x",)), None, True),
    "only a halted chain": (LoadOutcome(0, 0, 5, False, None, halted=("x",)), None, False),
}


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
def test_what_a_load_tells_airflow(bag, outcome: tuple, swept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """How the task ends, and whether the asset's event goes out with it: always before the next run is asked for."""
    from types import SimpleNamespace

    from airflow.sdk import exceptions

    from bank_dags import tasks

    did, ending, event = outcome
    monkeypatch.setattr(tasks, "load_raw", lambda *_, sweep: did if sweep is swept else pytest.fail("another run"))
    events: list[object] = []
    accessor = SimpleNamespace(add=lambda asset, extra: events.append((asset.name, extra)))
    pushed: list[tuple[str, list[str]]] = []
    ti = SimpleNamespace(xcom_push=lambda key, value: pushed.append((key, value)))
    load = bag.dags[names.LOAD_DAG].task_dict["load"].python_callable
    run = SimpleNamespace(run_id="x__1", run_type="scheduled" if swept else "manual", conf={"traceparent": "t"})
    if ending is None:
        assert load(dag_run=run, ti=ti, outlet_events=_Always(accessor)) == list(did.halted)
        with pytest.raises(PipelineError, match="x"):
            bag.dags[names.LOAD_DAG].task_dict["halted_chains"].python_callable(list(did.halted))
    else:
        with pytest.raises(getattr(exceptions, ending)) as caught:
            load(dag_run=run, ti=ti, outlet_events=_Always(accessor))
        assert pushed == ([("return_value", list(did.halted))] if did.halted else []), "what halted_chains is red by"
        if did.left:
            assert (caught.value.trigger_dag_id, caught.value.conf) == (names.LOAD_DAG, run.conf)
            assert caught.value.dag_run_id.startswith("next__")
    assert bool(events) is event


class _Always:
    """`outlet_events` of one alias."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __getitem__(self, _key: object) -> object:
        return self._value
