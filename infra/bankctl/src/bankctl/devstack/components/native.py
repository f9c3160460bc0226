"""How the nodes of the graph run on this machine: its components as processes, everything else as tasks."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts import jars, object_store, transforms, uv
from bankctl.devstack.components import airflow, dbt, kafka, local_warehouse, postgres, services
from bankctl.devstack.components.component import Component
from bankctl.devstack.components.object_store import MINIO
from bankctl.model.graph import NODES, Node, NodeKind, of_kind
from bankctl.provision import steps
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
"""Every component, in the order in which people are told of them."""

GROUPS: Final = {"airflow": ("airflow-api", "airflow-scheduler", "airflow-dag-processor", "dbt-warm")}


@dataclass(frozen=True)
class Task:
    """A node that is no process, and its work on this machine."""

    node: Node
    run: Callable[[Stack, Report], None]

    @property
    def name(self) -> str:
        """The name in the graph."""
        return self.node.name


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


def _transforms(stack: Stack, _report: Report) -> None:
    transforms.ensure(stack.cache_dir, stack.root)


def _object_store(stack: Stack, report: Report) -> None:
    object_store.ensure(stack.cache_dir, stack.root, report)


TASKS: Final = {
    name: Task(NODES[name], run)
    for name, run in {
        "jars": _jars,
        "transforms": _transforms,
        "minio-binary": _object_store,
        "env:snowflake-local": _project("infra/snowflake-local"),
        "env:airflow": _project("orchestration/airflow"),
        "env:dbt": _project("analytics/banking_dbt"),
        "airflow-database": _quietly(airflow.migrate_database),
        **{name: _quietly(step) for name, step in steps.STEPS.items()},
    }.items()
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
        if (component.name in included if only else not component.node.on_request)
        and component.name not in excluded
        and not (component.node.stand_in and stack.real_snowflake is not None)
    ]


def tasks_for(
    selected: Collection[Component], starting: Collection[Component], available: Collection[str]
) -> list[Task]:
    """The tasks that come along: what those that are started need, and the provisioning of all that were selected.

    Left out is a task that works on components which neither run (`available`) nor are about to.
    """
    names = {component.name for component in selected}
    needed = {need for component in starting for need in component.node.needed if need in TASKS}
    needed |= {node.name for node in of_kind(NodeKind.PROVISIONING) if names & set(node.uses)}
    grown = True
    while grown:
        more = {need for name in needed for need in TASKS[name].node.needed if need in TASKS} - needed
        needed |= more
        grown = bool(more)
    there = names | set(available)
    return [task for task in TASKS.values() if task.name in needed and set(task.node.uses) <= there]


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
