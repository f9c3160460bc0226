from collections.abc import Collection
from dataclasses import dataclass

import pytest

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.components.component import Component
from bankctl.devstack.components.native import COMPONENTS, TASKS, chosen, tasks_for
from bankctl.model.graph import NODES, NodeKind, of_kind
from bankctl.stack.paths import repository_root


@dataclass
class LocalStack:
    real_snowflake: object | None = None


def _chosen(*only: str, without: Collection[str] = (), real: bool = False) -> list[str]:
    stack = LocalStack(object() if real else None)
    return [component.name for component in chosen(only, without, stack)]  # type: ignore[arg-type]


def _components(*names: str) -> list[Component]:
    return [COMPONENTS[name] for name in names]


def _tasks(selected: list[Component], starting: list[Component], available: Collection[str]) -> set[str]:
    return {task.name for task in tasks_for(selected, starting, available)}


def test_a_plain_up_is_everything_but_what_must_be_asked_for() -> None:
    assert _chosen() == [name for name in COMPONENTS if name != "generator"]
    assert _chosen("generator") == ["generator"]


def test_only_and_without_take_groups() -> None:
    assert _chosen("airflow") == ["airflow-api", "airflow-scheduler", "airflow-dag-processor", "dbt-warm"]
    assert not any(name.startswith("airflow") for name in _chosen(without=["airflow"]))


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(PipelineError, match="kafkka") as caught:
        _chosen("kafkka")
    assert "kafka" in caught.value.advice


def test_with_a_real_account_the_stand_in_is_not_started() -> None:
    assert "snowflake" not in _chosen(real=True)


def test_provisioning_comes_along_where_its_components_run() -> None:
    kafka = _components("kafka")
    assert _tasks(kafka, kafka, []) == {"jars", "topics"}
    minio = _components("minio")
    assert _tasks(minio, minio, []) == {"minio-binary", "buckets"}
    connect = _components("connect")
    assert "connector" not in _tasks(connect, connect, ["kafka"])
    assert "connector" in _tasks(connect, connect, ["kafka", "registry", "bank-postgres"])


def test_a_running_component_is_provisioned_again_but_nothing_is_fetched_for_it() -> None:
    running = ["airflow-api", "platform-postgres", "kafka"]
    assert _tasks(_components(*running), [], running) == {"topics"}


def test_every_node_runs_here_as_a_process_or_as_a_task() -> None:
    assert set(COMPONENTS) == {node.name for node in of_kind(NodeKind.COMPONENT)}
    assert set(TASKS) == {node.name for node in NODES.values()} - set(COMPONENTS)


def test_what_a_component_runs_from_is_there() -> None:
    root = repository_root()
    paths = {path for component in COMPONENTS.values() for path in component.runs_from}
    assert all((root / path).exists() for path in paths), paths


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("cdc-consumer", "services/cdc-consumer/src"),
        ("event-receiver", "services/event-receiver/src"),
        ("generator", "services/generator/src"),
        ("airflow-api", "orchestration/airflow/src"),
        ("airflow-scheduler", "orchestration/airflow/src"),
        ("airflow-dag-processor", "orchestration/airflow/src"),
        ("dbt-warm", "orchestration/airflow/src"),
        ("snowflake", "infra/snowflake-local/src"),
    ],
)
def test_a_program_of_ours_runs_from_its_code_and_its_locked_packages(name: str, code: str) -> None:
    runs_from = COMPONENTS[name].runs_from
    assert code in runs_from
    assert any(path.endswith("uv.lock") for path in runs_from)
    assert ("libs/bank_common/src" in runs_from) == (name != "snowflake")
