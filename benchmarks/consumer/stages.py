"""Where the CPU of landing goes: this consumer with its stages timed from outside, the clients' threads counted too.

`python -m benchmarks.consumer.stages FILE` lands like the contender `consumer` and writes seconds of CPU by stage to
the file, as JSON, from the subscription to the end. A stage's figure is its own: what a stage within it takes is
counted for that one. The main thread's time is `time.thread_time`, that of the other threads is the kernel's count, in
hundredths of a second.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

from benchmarks.consumer.contenders import TOPIC, consumer
from cdc_consumer.adapters import kafka
from cdc_consumer.adapters.object_store import S3ObjectStore
from cdc_consumer.consume import batcher
from cdc_consumer.consume.loop import Consumer
from cdc_consumer.segments import decoded_batch, segment
from cdc_consumer.settings import ConsumerSettings

LOOP: Final = "the loop: commits, metrics, log lines"
OTHER_THREADS: Final = "other threads"
THREADS: Final = {
    "rdk": "librdkafka's threads: receive, check, unpack",
    "tok": "object_store's threads: sign, send",
}
"""By how the kernel's name of a thread begins."""


class Stages:
    """CPU seconds of the main thread, each counted for the innermost stage that it was spent in."""

    def __init__(self) -> None:
        self.seconds = defaultdict[str, float](float)
        self._stage = LOOP
        self._since = time.thread_time()

    def enter(self, stage: str) -> str:
        """From now on time is this stage's; gives the stage before."""
        now = time.thread_time()
        self.seconds[self._stage] += now - self._since
        before, self._stage, self._since = self._stage, stage, now
        return before

    def of(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time counted for a stage."""

        @wraps(function)
        def counted(*arguments: Any, **named: Any) -> Any:
            before = self.enter(stage)
            try:
                return function(*arguments, **named)
            finally:
                self.enter(before)

        return counted


def threads() -> dict[str, float]:
    """CPU seconds so far of every thread but the main one."""
    seconds = defaultdict[str, float](float)
    for task in Path("/proc/self/task").iterdir():
        if task.name != str(os.getpid()):
            head, _, tail = (task / "stat").read_text(encoding="utf-8").rpartition(")")
            ticks = sum(map(int, tail.split()[11:13]))
            seconds[THREADS.get(head.partition("(")[2][:3], OTHER_THREADS)] += ticks / os.sysconf("SC_CLK_TCK")
    return seconds


def profiled(file: Path) -> int:
    """Land, and write where the time went."""
    stages = Stages()
    before: dict[str, float] = {}

    class Timed(kafka.Consumer):
        consume = stages.of("consume(): messages as Python objects", kafka.Consumer.consume)

        def subscribe(self, *arguments: Any, **named: Any) -> None:
            super().subscribe(*arguments, **named)
            stages.enter(LOOP)
            stages.seconds.clear()
            before.update(threads())

        def close(self) -> None:
            stages.enter(LOOP)
            others = {name: spent - before.get(name, 0) for name, spent in threads().items()}
            file.write_text(json.dumps({**stages.seconds, **others}), encoding="utf-8")
            super().close()

    kafka.Consumer = Timed
    for owner, name, stage in (
        (kafka.KafkaLog, "poll", "messages to columns"),
        (Consumer, "_buffer_records", "batch and buffer"),
        (batcher, "decode_batch", "decode"),
        (decoded_batch, "with_own_columns", "the segment's table"),
        (segment, "parquet", "Parquet: encode, compress"),
        (segment.hashlib, "sha256", "SHA-256 of the object"),
        (S3ObjectStore, "create", "PUT, the caller's side"),
    ):
        setattr(owner, name, stages.of(stage, getattr(owner, name)))
    return consumer(ConsumerSettings.load(), os.environ[TOPIC])


if __name__ == "__main__":
    sys.exit(profiled(Path(sys.argv[1])))
