"""A recorded process that is gone is a crash; one that runs, or whose record was taken away, is not."""

import json
import os
from pathlib import Path

import psutil
import pytest

from bankctl.settings import BankctlSettings
from bankctl.stack import Stack
from bankctl.supervision.crashes import ComponentDiedError, raise_if_dead


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path, tmp_path, tmp_path, BankctlSettings(), None)


def _record(stack: Stack, component: str, pid: int, started: float) -> None:
    stack.run_file(component).parent.mkdir(exist_ok=True)
    stack.run_file(component).write_text(json.dumps({"pid": pid, "started": started}))


def test_a_dead_component_is_named_with_the_end_of_its_log(stack: Stack) -> None:
    _record(stack, "kafka", os.getpid(), started=1.0)
    stack.log_file("kafka").parent.mkdir()
    stack.log_file("kafka").write_text("first\nout of memory\n")
    with pytest.raises(ComponentDiedError, match=r"kafka ended by itself[\s\S]*out of memory"):
        raise_if_dead(stack)


def test_a_running_component_and_none_at_all_are_no_crash(stack: Stack) -> None:
    raise_if_dead(stack)
    _record(stack, "kafka", os.getpid(), psutil.Process().create_time())
    raise_if_dead(stack)


def test_only_what_is_asked_for_is_looked_at(stack: Stack) -> None:
    _record(stack, "kafka", os.getpid(), started=1.0)
    raise_if_dead(stack, among=("minio",))
    with pytest.raises(ComponentDiedError, match="kafka ended by itself"):
        raise_if_dead(stack, among=("kafka", "minio"))
