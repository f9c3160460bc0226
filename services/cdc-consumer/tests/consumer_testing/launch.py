"""Runs the consumer's composition root with the topics of a test: the topic set is no setting in production."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bank_common.envelope.topic_kind import TopicKind
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.main import app, serve
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.settings import ConsumerSettings


class Kill(NamedTuple):
    """The process ends itself by SIGKILL when it reaches the failpoint for the n-th time."""

    failpoint: Failpoint
    time: int


class Launch(NamedTuple):
    """What one process is to land, and whether it is to die."""

    kinds: Mapping[str, str]
    captured: tuple[str, ...]
    kill: Kill | None
    until_caught_up: bool


def run(launch: Launch, environment: Mapping[str, str], log: Path) -> None:
    """Be a consumer from here on; called in a process of its own."""
    _become(environment, log)
    topics = LandedTopics({name: TopicKind(kind) for name, kind in launch.kinds.items()}, frozenset(launch.captured))
    seen: list[Failpoint] = []

    def kill_at(failpoint: Failpoint) -> None:
        seen.append(failpoint)
        if launch.kill == (failpoint, seen.count(failpoint)):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.exit(serve(ConsumerSettings.load(), topics, kill_at, until_caught_up=launch.until_caught_up))


def run_command(arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
    """Be a `cdc-consumer` with these arguments from here on; called in a process of its own."""
    _become(environment, output)
    app(list(arguments))


def _become(environment: Mapping[str, str], output: Path) -> None:
    """Take over an environment, and write to a file."""
    opened = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(opened, 1)
    os.dup2(opened, 2)
    os.environ.clear()
    os.environ.update(environment)
