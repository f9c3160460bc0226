"""The graph of the stack: its components and the work that is no process, what each needs first, whom each uses.

The order of a native start and stop and compose's `depends_on` are derived from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from graphlib import TopologicalSorter
from typing import Final


class NodeKind(Enum):
    """The kind of a node."""

    COMPONENT = "a process of the stack"
    ARTEFACT = "something fetched or built on this machine; images hold it already"
    STEP = "work that ends, and runs where something that starts needs it"
    PROVISIONING = "a step that makes its components what the pipeline needs, whenever one of them starts"


@dataclass(frozen=True, slots=True)
class Need:
    """A node that comes first, and why where the name alone does not say it."""

    name: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A component, or work that is no process.

    `needs` come first: a component is ready, a step done. `uses` are the components that a step works on, and those
    that a component talks to although it starts without them: it only stops before them. The silence of a component
    says nothing while one that it `leans_on` is silent.
    """

    name: str
    kind: NodeKind = NodeKind.COMPONENT
    needs: tuple[str | Need, ...] = ()
    uses: tuple[str, ...] = ()
    leans_on: tuple[str, ...] = ()
    program: str = ""
    """Whose environment it gets (bankctl.stack.programs); empty where its configuration holds all."""
    on_request: bool = False
    """Not part of a plain start: only when it is named."""
    stand_in: bool = False
    """Stands in for an account: not there when there is one."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The names of its needs."""
        return tuple(need.name if isinstance(need, Need) else need for need in self.needs)

    @property
    def comes_after(self) -> tuple[str, ...]:
        """Everything that comes before it at a start: its needs, and what a step works on."""
        return self.needed if self.kind is NodeKind.COMPONENT else (*self.uses, *self.needed)


SECRETS: Final = "secrets"
"""The step that makes the installation's secrets. Natively each is made when it is first asked for."""

_AIRFLOW_LOADS: Final = tuple(
    Need(name, "A load that starts before its tables and its bucket exist would only fail and be tried again.")
    for name in ("raw-tables", "buckets")
)

NODES: Final = {
    node.name: node
    for node in (
        # -- fetched or built
        Node("jars", NodeKind.ARTEFACT),
        Node("transforms", NodeKind.ARTEFACT, needs=("jars",)),
        Node("minio-binary", NodeKind.ARTEFACT),
        Node("env:snowflake-local", NodeKind.ARTEFACT),
        Node("env:airflow", NodeKind.ARTEFACT),
        Node("env:dbt", NodeKind.ARTEFACT),
        # -- components, in the order in which people are told of them
        Node("bank-postgres", needs=(SECRETS,)),
        Node("platform-postgres", needs=(SECRETS,)),
        Node("kafka", needs=("jars",)),
        Node(
            "registry",
            needs=("jars", "platform-databases"),
            leans_on=("platform-postgres",),
        ),
        Node(
            "connect",
            needs=(SECRETS, "kafka", "transforms"),
            # Its connector reads the one and asks the other, and is applied when both are there.
            uses=("bank-postgres", "registry"),
            leans_on=("kafka",),
            program="connect",
        ),
        # The receiver takes its last notifications.
        Node("minio", needs=(SECRETS, "minio-binary"), uses=("event-receiver",), program="minio"),
        Node("snowflake", needs=(SECRETS, "env:snowflake-local"), stand_in=True),
        Node(
            "airflow-api",
            needs=("airflow-database",),
            leans_on=("platform-postgres",),
            program="airflow",
        ),
        Node(
            "airflow-scheduler",
            needs=(
                "airflow-database",
                Need("airflow-api", "Tasks report to the API server: a run that starts before it answers would fail."),
                *_AIRFLOW_LOADS,
            ),
            # The API server tells its heartbeat, and both live by the database.
            leans_on=("airflow-api", "platform-postgres"),
            program="airflow",
        ),
        Node(
            "airflow-dag-processor",
            needs=("airflow-database", *_AIRFLOW_LOADS),
            # The API server tells its heartbeat.
            uses=("airflow-api",),
            leans_on=("airflow-api", "platform-postgres"),
            program="airflow",
        ),
        # A build that runs works there.
        Node("dbt-warm", needs=(SECRETS, "env:airflow", "env:dbt"), uses=("snowflake",), program="airflow"),
        # It waits for Airflow by itself, and MinIO may need it before.
        Node("event-receiver", needs=(SECRETS,), uses=("airflow-api",), program="event-receiver"),
        Node(
            "cdc-consumer",
            needs=("topics", "buckets", "registry-rules", "kafka", "registry", "minio"),
            leans_on=("kafka", "registry", "minio"),
            program="cdc-consumer",
        ),
        Node(
            "generator",
            needs=("migrate",),
            leans_on=("bank-postgres",),
            program="generator",
            on_request=True,
        ),
        # -- steps
        Node("platform-databases", NodeKind.STEP, uses=("platform-postgres",)),
        Node(
            "airflow-database",
            NodeKind.STEP,
            needs=("platform-databases", "env:airflow", "env:dbt"),
            uses=("platform-postgres",),
            program="airflow",
        ),
        Node("migrate", NodeKind.PROVISIONING, uses=("bank-postgres",)),
        Node("topics", NodeKind.PROVISIONING, uses=("kafka",)),
        Node("registry-rules", NodeKind.PROVISIONING, uses=("registry",)),
        Node(
            "buckets",
            NodeKind.PROVISIONING,
            needs=(Need("event-receiver", "MinIO asks a notification's target whether it is there."),),
            uses=("minio",),
        ),
        Node("raw-tables", NodeKind.PROVISIONING, uses=("snowflake",)),
        Node(
            "connector",
            NodeKind.PROVISIONING,
            needs=("migrate", "topics", "registry-rules"),
            uses=("connect", "kafka", "registry", "bank-postgres"),
        ),
    )
}


def users(name: str) -> tuple[str, ...]:
    """The components that use this one, or needed it, themselves or through steps: it stops after them."""
    return tuple(
        node.name for node in of_kind(NodeKind.COMPONENT) if name in node.uses or name in everything_before(node.name)
    )


def everything_before(name: str) -> frozenset[str]:
    """All that comes before a node at a start, directly or not."""
    if name not in NODES:  # the secrets
        return frozenset()
    direct = NODES[name].comes_after
    return frozenset(direct).union(*map(everything_before, direct))


def start_order() -> tuple[str, ...]:
    """The nodes, each after all that comes before it."""
    before = {node.name: [name for name in node.comes_after if name in NODES] for node in NODES.values()}
    return tuple(TopologicalSorter(before).static_order())


def of_kind(*kinds: NodeKind) -> Iterator[Node]:
    """The nodes of these kinds, in the order of the graph."""
    return (node for node in NODES.values() if node.kind in kinds)
