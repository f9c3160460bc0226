"""Runs a contender as a process of its own and measures it from outside."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from bankctl.stack.stack import Stack
from benchmarks.consumer.contenders import COLUMNS, TOPIC
from benchmarks.consumer.fill import say

PREFIX: Final = "CDC_CONSUMER_"
SAMPLE_SECONDS: Final = 0.05
ROOT: Final = Path(__file__).parents[2]


class Cost(NamedTuple):
    """Of one process: seconds, seconds of CPU of all its threads, and megabytes of memory."""

    wall: float
    cpu: float
    peak: float
    steady: float


def environment(stack: Stack, name: str, topic: str, columns: Path | None = None, **settings: str) -> dict[str, str]:
    """A contender's environment: default settings, but a bucket and a group of that name."""
    lines = stack.env_file("cdc-consumer").read_text(encoding="utf-8").splitlines()
    rendered = dict(line.split("=", 1) for line in lines if line.startswith(PREFIX))
    required = ("KAFKA__BOOTSTRAP_SERVERS", "REGISTRY__URL", "STORE__ENDPOINT")
    own = {
        "STORE__ACCESS_KEY": stack.secret("minio_root_user"),
        "STORE__SECRET_KEY": stack.secret("minio_root_password"),
        "HTTP__PORT": str(stack.port("cdc_consumer")),
        "BUCKET": name,
        "GROUP_ID": name,
        **settings,
    }
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(PREFIX)},
        **{PREFIX + key: rendered[PREFIX + key].strip("'\"") for key in required},
        **{PREFIX + key: value for key, value in own.items()},
        TOPIC: topic,
        **({} if columns is None else {COLUMNS: str(columns)}),
    }


def command(contender: str) -> list[str]:
    """What starts a contender, in ROOT; `cdc-consumer` is the program itself with the platform's topics."""
    if contender == "cdc-consumer":
        return [sys.executable, "-m", "cdc_consumer", "run", "--until-caught-up"]
    if contender == "stages":
        return [sys.executable, "-m", "benchmarks.consumer.stages"]
    return [sys.executable, "-m", "benchmarks.consumer.contenders", contender]


def measured(arguments: Sequence[str], environ: Mapping[str, str], log: Path) -> Cost:
    """Run it to its end.

    Raises:
        SystemExit: it failed; the end of its log is shown.
    """
    started = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(arguments, cwd=ROOT, env=environ, stdout=output, stderr=output)
    samples: list[float] = []
    while True:
        samples.append(resident(process.pid))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        time.sleep(SAMPLE_SECONDS)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        say(log.read_text(encoding="utf-8")[-2000:])
        raise SystemExit(f"{' '.join(arguments[-2:])} ended with {process.returncode}")
    second_half = samples[len(samples) // 2 : -1] or samples
    # Not ru_maxrss: a child's begins with the memory of the process that forked it.
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(samples), statistics.median(second_half))


def resident(pid: int) -> float:
    """The memory of a process, in megabytes; 0 when it has just ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2
