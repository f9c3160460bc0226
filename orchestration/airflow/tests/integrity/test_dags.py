"""The DAGs load, and are wired as ARCHITECTURE promises."""

import ast
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bank_common import names

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
    assert outlets["build"] == []


def test_each_dag_is_one_task_that_the_next_run_repeats(bag) -> None:
    for dag in bag.dags.values():
        (task,) = dag.tasks
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


def test_a_bad_setting_is_an_import_error_that_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.dag_processing.dagbag import DagBag

    monkeypatch.setenv("BANK_DAGS_LOAD_INTERVAL_SECONDS", "0")
    broken = DagBag(dag_folder=str(DAGS_FOLDER), collect_dags=True)
    assert len(broken.import_errors) == 2
    assert all("BANK_DAGS_LOAD_INTERVAL_SECONDS" in text for text in broken.import_errors.values())
