import pytest
import yaml

from bank_common.runtime.errors import PipelineError
from bankctl.model import compose_environments

TEXT = """\
services:
  # A heading.
  one:
    environment:
      OWN: "1"
      # Why the next ones are as they are.
      # rendered: first
      OLD: gone
      # gone as well
    ports: [kept]

  two:
    environment:
      # rendered: second
volumes: {}  # kept
"""
ENVIRONMENTS = {"first": {"A": "on", "B": "${PORT}"}, "second": {"C": "http://one:${PORT}/path"}}


def test_what_is_below_a_mark_is_replaced_and_all_else_stays() -> None:
    rendered = compose_environments.render(TEXT, ENVIRONMENTS)
    services = yaml.safe_load(rendered)["services"]
    assert services["one"] == {"environment": {"OWN": "1", **ENVIRONMENTS["first"]}, "ports": ["kept"]}
    assert services["two"]["environment"] == ENVIRONMENTS["second"]
    for kept in (
        "  # A heading.\n",
        "      # Why the next ones are as they are.\n",
        "\n\n  two:",
        "volumes: {}  # kept\n",
    ):
        assert kept in rendered
    assert "gone" not in rendered
    assert compose_environments.render(rendered, ENVIRONMENTS) == rendered


@pytest.mark.parametrize("value", ["", "15", "0.5", "off", "False", "null", "a=B", "${X:-0.5}", "admin:admin,r:user"])
def test_every_value_is_read_as_the_text_that_it_is(value: str) -> None:
    rendered = compose_environments.render("one:\n  # rendered: only\n", {"only": {"NAME": value}})
    assert yaml.safe_load(rendered) == {"one": {"NAME": value}}


@pytest.mark.parametrize("environments", [{"first": {}}, ENVIRONMENTS | {"third": {}}])
def test_a_program_without_a_mark_and_a_mark_without_a_program_are_refused(
    environments: dict[str, dict[str, str]],
) -> None:
    with pytest.raises(PipelineError, match=r"differ in (second|third)\."):
        compose_environments.render(TEXT, environments)
