"""Runs the consumer's composition root with the topics given as JSON: the topic set is no setting in production.

With `kill`, the process ends itself by SIGKILL at a named step, when it reaches it for the n-th time.
"""

import json
import os
import signal
import sys

from cdc_consumer.checkpoints import Step
from cdc_consumer.main import serve
from cdc_consumer.settings import ConsumerSettings
from cdc_consumer.topics import Kind, LandedTopics

given = json.loads(sys.argv[1])
topics = LandedTopics({name: Kind(kind) for name, kind in given["kinds"].items()}, frozenset(given["captured"]))
seen: list[Step] = []


def kill_at(step: Step) -> None:
    """The process's end, at the step and the time that the test gave."""
    seen.append(step)
    kill = given["kill"]
    if kill and step is Step(kill["step"]) and seen.count(step) == kill["time"]:
        os.kill(os.getpid(), signal.SIGKILL)


sys.exit(serve(ConsumerSettings.load(), topics, kill_at))
