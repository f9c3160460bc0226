"""A recorded process that is gone is a crash; one that runs, or whose record was taken away, is not."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from bankctl.devstack.supervision import identity
from bankctl.devstack.supervision.crashes import ComponentDiedError, raise_if_dead
from bankctl.stack.settings import BankctlSettings
from bankctl.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, tmp_path, tmp_path, BankctlSettings(), None)


def _record(stack: Stack, component: str, *, dead: bool) -> None:
    own = identity.of(os.getpid())
    assert own is not None
    stack.run_file(component).parent.mkdir(exist_ok=True)
    stack.run_file(component).write_text(json.dumps(asdict(own) | ({"ticks": 1} if dead else {})))


def test_a_dead_component_is_named_with_the_end_of_its_log(stack: Stack) -> None:
    _record(stack, "kafka", dead=True)
    stack.log_file("kafka").parent.mkdir()
    stack.log_file("kafka").write_text("first\nout of memory\n")
    with pytest.raises(ComponentDiedError, match=r"kafka ended by itself[\s\S]*out of memory"):
        raise_if_dead(stack)


def test_a_running_component_and_none_at_all_are_no_crash(stack: Stack) -> None:
    raise_if_dead(stack)
    _record(stack, "kafka", dead=False)
    raise_if_dead(stack)


def test_only_what_is_asked_for_is_looked_at(stack: Stack) -> None:
    _record(stack, "kafka", dead=True)
    raise_if_dead(stack, among=("minio",))
    with pytest.raises(ComponentDiedError, match="kafka ended by itself"):
        raise_if_dead(stack, among=("kafka", "minio"))
