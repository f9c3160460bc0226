from collections.abc import Iterator
from dataclasses import replace
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from bankctl.model import compose_order
from bankctl.model.graph import NODES, SECRETS, Need, NodeKind, everything_before, of_kind, start_order, users

COMPOSE = (Path(__file__).resolve().parents[5] / "infra" / "compose" / "compose.yaml").read_text()
COMPONENTS = [node.name for node in of_kind(NodeKind.COMPONENT)]
STARTS_BEFORE = {
    # What compose.yaml does not show: what its images hold, and the order inside of `provision`.
    "kafka": {"jars"},
    "transforms": {"jars"},
    "connect": {"transforms"},
    "registry": {"jars"},
    "minio": {"minio-binary"},
    "snowflake": {"env:snowflake-local"},
    "dbt-warm": {"env:airflow", "env:dbt"},
    "airflow-database": {"env:airflow", "env:dbt"},
    "migrate": {"bank-postgres"},
    "topics": {"kafka"},
    "registry-rules": {"registry"},
    "buckets": {"minio", "event-receiver"},
    "raw-tables": {"snowflake"},
    "connector": {"connect", "kafka", "registry", "bank-postgres", "migrate", "topics", "registry-rules"},
    "airflow-scheduler": {"raw-tables", "buckets"},
    "airflow-dag-processor": {"raw-tables", "buckets"},
    "cdc-consumer": {"topics", "buckets", "registry-rules"},
}
STOPS_AFTER = {
    "bank-postgres": {"connect", "generator"},
    "platform-postgres": {"airflow-api", "airflow-scheduler", "airflow-dag-processor", "registry"},
    "kafka": {"connect", "cdc-consumer"},
    "registry": {"connect", "cdc-consumer"},
    "minio": {"cdc-consumer", "airflow-scheduler"},
    "snowflake": {"airflow-scheduler", "dbt-warm"},
    "event-receiver": {"minio"},
    "airflow-api": {"airflow-scheduler", "airflow-dag-processor", "event-receiver"},
}


def _holds() -> bool:
    return (
        all(names <= everything_before(node) for node, names in STARTS_BEFORE.items())
        and all(names <= set(users(component)) for component, names in STOPS_AFTER.items())
        and compose_order.render(COMPOSE) == COMPOSE
    )


def _edges() -> Iterator[tuple[str, str, str]]:
    for node in NODES.values():
        yield from ((node.name, "needs", name) for name in node.needed)
        yield from ((node.name, "uses", name) for name in node.uses)


def _order() -> tuple[list[frozenset[str]], list[tuple[str, ...]]]:
    return [everything_before(name) for name in NODES], [users(name) for name in COMPONENTS]


def test_the_order_that_guarantees_rest_on_holds() -> None:
    assert _holds()


@pytest.mark.parametrize(("node", "relation", "name"), list(_edges()))
def test_an_edge_that_is_gone_is_noticed(node: str, relation: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order = _order()
    left = [edge for edge in getattr(NODES[node], relation) if (edge.name if isinstance(edge, Need) else edge) != name]
    monkeypatch.setitem(NODES, node, replace(NODES[node], **{relation: tuple(left)}))
    assert not _holds() or _order() == order, f"{node} {relation} {name}"


def test_steps_come_in_an_order_that_suits_them() -> None:
    order = start_order()
    assert set(order) == NODES.keys()
    for name in order:
        assert everything_before(name) - {SECRETS} <= set(order[: order.index(name)]), name


def test_every_name_in_the_graph_is_a_node_of_the_kind_that_it_stands_for() -> None:
    for node in NODES.values():
        assert set(node.needed) <= NODES.keys() | {SECRETS}, node.name
        assert set(node.uses) <= set(COMPONENTS), node.name
        assert set(node.leans_on) <= {*node.uses, *everything_before(node.name)}, f"{node.name} talks to it"


@pytest.mark.parametrize("order", ["start", "stop"])
def test_no_order_goes_in_a_circle(order: str) -> None:
    before = {name: users(name) for name in COMPONENTS}
    if order == "start":
        before = {node.name: node.comes_after for node in NODES.values()}
    assert set(TopologicalSorter(before).static_order()) - {SECRETS} == before.keys()


def test_a_component_stops_when_those_that_use_it_have_stopped() -> None:
    assert users("kafka") == ("connect", "cdc-consumer")
    assert users("bank-postgres") == ("connect", "generator")
    assert "minio" in users("event-receiver")
    assert "event-receiver" not in users("minio")
    assert users("generator") == ()


def test_a_step_comes_after_what_it_works_on_and_a_component_not_after_what_it_talks_to() -> None:
    assert NODES["topics"].comes_after == ("kafka",)
    assert NODES["buckets"].comes_after == ("minio", "event-receiver")
    assert "event-receiver" not in NODES["minio"].comes_after
