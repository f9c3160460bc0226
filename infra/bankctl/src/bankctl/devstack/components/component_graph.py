"""The component graph: components, the tasks that build or fetch what they need, and the provisioning tasks."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts import jars, object_store, uv
from bankctl.devstack.components import airflow, dbt, kafka, local_warehouse, postgres, services
from bankctl.devstack.components.component import Component
from bankctl.devstack.components.object_store import MINIO
from bankctl.provision import databases, steps
from bankctl.stack.stack import Stack

Report = Callable[[str], None]

COMPONENTS: Final = {
    component.name: component
    for component in (
        postgres.BANK,
        postgres.PLATFORM,
        kafka.BROKER,
        kafka.REGISTRY,
        kafka.CONNECT,
        MINIO,
        local_warehouse.SNOWFLAKE,
        airflow.API,
        airflow.SCHEDULER,
        airflow.DAG_PROCESSOR,
        dbt.WARM,
        services.EVENT_RECEIVER,
        services.CDC_CONSUMER,
        services.GENERATOR,
    )
}
"""Every component; `down` stops them in the reverse order."""

GROUPS: Final = {"airflow": ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "dbt-warm")}


@dataclass(frozen=True)
class Task:
    """Work that is no process: `components` must run before it (artefacts have none).

    With `provisions` it makes its components what the pipeline needs, and comes along whenever one of them starts;
    else it runs only where something selected needs it.
    """

    name: str
    run: Callable[[Stack, Report], None]
    components: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    provisions: bool = False


def _project(folder: str) -> Callable[[Stack, Report], None]:
    def run(stack: Stack, report: Report) -> None:
        uv.sync(stack.root / folder, report)

    return run


def _quietly(function: Callable[[Stack], None]) -> Callable[[Stack, Report], None]:
    def run(stack: Stack, _report: Report) -> None:
        function(stack)

    return run


def _jars(stack: Stack, report: Report) -> None:
    jars.ensure(stack.cache_dir, stack.root / "infra/kafka/jars.lock", report)


def _object_store(stack: Stack, report: Report) -> None:
    object_store.ensure(stack.cache_dir, stack.root, report)


TASKS: Final = {
    task.name: task
    for task in (
        Task("jars", _jars),
        Task("minio-binary", _object_store),
        Task("env:snowflake-local", _project("infra/snowflake-local")),
        Task("env:airflow", _project("orchestration/airflow")),
        Task("env:dbt", _project("analytics/banking_dbt")),
        Task("platform-databases", _quietly(databases.create_platform_databases), ("platform-postgres",)),
        Task(
            "airflow-database",
            _quietly(airflow.migrate_database),
            ("platform-postgres",),
            ("platform-databases", "env:airflow", "env:dbt"),
        ),
        Task("migrate", _quietly(steps.migrate), ("bank-postgres",), provisions=True),
        Task("topics", _quietly(steps.topics), ("kafka",), provisions=True),
        Task("registry-rules", _quietly(steps.registry_rules), ("registry",), provisions=True),
        Task("buckets", _quietly(steps.buckets), ("minio",), ("event-receiver",), provisions=True),
        Task("raw-tables", _quietly(steps.raw_tables), ("snowflake",), provisions=True),
        Task(
            "connector",
            _quietly(steps.connector),
            ("connect", "kafka", "registry", "bank-postgres"),
            ("migrate", "topics", "registry-rules"),
            provisions=True,
        ),
    )
}


def chosen(only: Collection[str], without: Collection[str], stack: Stack) -> list[Component]:
    """The components that `up` was asked for, groups resolved.

    Raises:
        PipelineError: a name is unknown; the message lists the known ones.
    """
    included, excluded = _resolve(only), _resolve(without)
    return [
        component
        for component in COMPONENTS.values()
        if (component.name in included if only else not component.on_request)
        and component.name not in excluded
        and not (component is local_warehouse.SNOWFLAKE and stack.real_snowflake is not None)
    ]


def tasks_for(
    selected: Collection[Component], starting: Collection[Component], available: Collection[str]
) -> list[Task]:
    """The tasks that come along: what those that are started need, and the provisioning of all that were selected.

    Left out is a task whose components neither run (`available`) nor are about to.
    """
    names = {component.name for component in selected}
    needed = {need for component in starting for need in component.needs if need in TASKS}
    needed |= {task.name for task in TASKS.values() if task.provisions and names & set(task.components)}
    grown = True
    while grown:
        more = {need for name in needed for need in TASKS[name].needs if need in TASKS} - needed
        needed |= more
        grown = bool(more)
    there = names | set(available)
    return [task for task in TASKS.values() if task.name in needed and set(task.components) <= there]


def _resolve(given: Collection[str]) -> set[str]:
    names: set[str] = set()
    for name in given:
        members = GROUPS.get(name, (name,))
        unknown = [member for member in members if member not in COMPONENTS]
        if unknown:
            known = ", ".join([*COMPONENTS, *GROUPS])
            raise PipelineError(f"There is no component {unknown[0]!r}.", advice=f"Components: {known}.")
        names.update(members)
    return names
