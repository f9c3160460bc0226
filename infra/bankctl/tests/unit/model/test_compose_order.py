import pytest
import yaml

from bankctl.model import compose_order
from bankctl.model.graph import NODES, NodeKind

TEXT = """\
x-container: &container
  depends_on:
    kept: {condition: service_healthy}

services:

  # -- a heading

  cdc-consumer:
    image: one
    depends_on:
      # An old reason.
      kafka: {condition: service_healthy}

  # A comment on the next one.
  kafka:
    <<: *container
    depends_on:
      secrets: {condition: service_completed_successfully}

  buckets-of-a-person:
    depends_on:
      kafka: {condition: service_healthy}

  registry:
    depends_on:
      kafka: {condition: service_healthy}
    image: two

volumes:
  kafka: {}
"""


def test_each_known_service_waits_for_what_the_graph_says_and_the_rest_stays() -> None:
    rendered = compose_order.render(TEXT)
    services = yaml.safe_load(rendered)["services"]
    assert services["cdc-consumer"] == {
        "image": "one",
        "depends_on": {"provision": {"condition": "service_completed_successfully"}},
    }
    assert "depends_on" not in rendered[rendered.index("  kafka:\n") : rendered.index("  buckets-of-a-person")]
    assert services["buckets-of-a-person"] == yaml.safe_load(TEXT)["services"]["buckets-of-a-person"]
    assert services["registry"]["image"] == "two"
    assert list(services["registry"]["depends_on"]) == ["platform-databases"]
    for kept in ("# -- a heading", "# A comment on the next one.", "kept: {condition", "volumes:\n  kafka: {}\n"):
        assert kept in rendered
    assert compose_order.render(rendered) == rendered


def test_a_reason_stands_where_the_need_does() -> None:
    rendered = compose_order.render("services:\n".join(["\n", "\n  provision:\n    image: one\n"]))
    reason = rendered.index("      # MinIO asks a notification's target whether it is there.\n")
    assert rendered.index("      event-receiver: {condition: service_healthy}\n") > reason
    assert "      snowflake: {condition: service_healthy, required: false}\n" in rendered


@pytest.mark.parametrize("service", [*(n.name for n in NODES.values() if n.kind is NodeKind.COMPONENT), "provision"])
def test_nothing_is_waited_for_twice_and_everything_that_is_needed_is(service: str) -> None:
    def everything(name: str) -> set[str]:
        direct = set(compose_order.depends_on(name)) if name != "secrets" else set()
        return direct.union(*(everything(other) for other in direct))

    for name in compose_order.depends_on(service):
        others = set(compose_order.depends_on(service)) - {name}
        assert not any(name in everything(other) for other in others), name
    if service != "provision":
        kinds = {name: NODES[name].kind if name in NODES else NodeKind.STEP for name in NODES[service].needed}
        services = {
            "provision" if kind is NodeKind.PROVISIONING else name
            for name, kind in kinds.items()
            if kind is not NodeKind.ARTEFACT
        }
        assert services <= everything(service)
