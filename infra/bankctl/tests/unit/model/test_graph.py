from graphlib import TopologicalSorter

import pytest

from bankctl.model.graph import NODES, SECRETS, NodeKind, of_kind, users

COMPONENTS = [node.name for node in of_kind(NodeKind.COMPONENT)]


def test_every_name_in_the_graph_is_a_node_of_the_kind_that_it_stands_for() -> None:
    for node in NODES.values():
        assert set(node.needed) <= NODES.keys() | {SECRETS}, node.name
        assert set(node.uses) <= set(COMPONENTS), node.name
        assert set(node.leans_on) <= set(node.uses), f"{node.name} talks to what it leans on"


@pytest.mark.parametrize("order", ["start", "stop"])
def test_no_order_goes_in_a_circle(order: str) -> None:
    before = {name: users(name) for name in COMPONENTS}
    if order == "start":
        before = {node.name: node.comes_after for node in NODES.values()}
    assert set(TopologicalSorter(before).static_order()) - {SECRETS} == before.keys()


def test_a_component_stops_when_those_that_use_it_have_stopped() -> None:
    assert users("kafka") == ("connect", "cdc-consumer")
    assert users("bank-postgres") == ("connect", "generator")
    assert users("event-receiver") == ("minio",)
    assert users("generator") == ()


def test_a_step_comes_after_what_it_works_on_and_a_component_not_after_what_it_talks_to() -> None:
    assert NODES["topics"].comes_after == ("kafka",)
    assert NODES["buckets"].comes_after == ("minio", "event-receiver")
    assert "event-receiver" not in NODES["minio"].comes_after
