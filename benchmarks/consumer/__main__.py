"""What landing costs, on real changes: `make benchmark-consumer` starts the stack that it needs, runs this, stops it.

Fills the bank's topic through the real connector, once. Then, in rounds in which every contender runs once as a process
of its own: this consumer, the same with the reference decode, a plain loop, and the lower bound without decode (see
`contenders`). Before any figure: what each of them landed is read back and must say the same (rows, sum of the money,
last state per key), for this consumer also the same as the source. Then where this consumer's time goes (`stages`),
memory by partitions, and latency.

`--only against --against FOLDER` runs the consumer of other checkouts beside this one's instead, in interleaved rounds.

CPU is that of the whole process, with all its threads, less that of the same process when nothing is left to read.
"""

import argparse
import json
import os
import statistics
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from bankctl.stack.stack import Stack
from benchmarks.consumer import parity
from benchmarks.consumer.checkout import Checkout
from benchmarks.consumer.fill import TOPIC, copy, delete_topic, fill, say, states
from benchmarks.consumer.latency import latency
from benchmarks.consumer.process import ROOT, Cost, command, environment, measured

RUN: Final = f"benchmark-{os.getpid()}"
SMALL: Final = f"{RUN}.small"


class Contender(NamedTuple):
    """Who reads which topic; `slow` ones read the short copy, in fewer rounds."""

    name: str
    label: str
    topic: str
    slow: bool = False


CONTENDERS: Final = (
    Contender("cdc-consumer", "this consumer", TOPIC),
    Contender("bound", "lower bound (c), no decode", TOPIC),
    Contender("reference", "reference decode (a)", SMALL, slow=True),
    Contender("plain", "plain loop (b)", SMALL, slow=True),
)


class Spent(NamedTuple):
    """One run, without its start-up."""

    cpu_us: float
    per_second: float
    peak: float
    steady: float
    startup_cpu: float


class Benchmark:
    """One run of all of it."""

    def __init__(self, stack: Stack, folder: Path, given: argparse.Namespace) -> None:
        self.stack = stack
        self.folder = folder
        self.given = given
        self.records: dict[str, int] = {}
        self._runs = 0

    def run(self, contender: str, topic: str, *arguments: str, checkout: Checkout | None = None) -> tuple[str, Cost]:
        """Run a contender on a new bucket; its name is also the group's."""
        self._runs += 1
        name = f"{RUN}-{self._runs}"
        self.stack.object_store().make_bucket(name)
        return name, self.again(contender, topic, name, *arguments, checkout=checkout)

    def again(self, contender: str, topic: str, name: str, *arguments: str, checkout: Checkout | None = None) -> Cost:
        """Run a contender on a bucket and a group that exist."""
        environ = environment(self.stack, name, topic, self.folder)
        if checkout is not None:
            environ |= checkout.environment
        return measured([*command(contender), *arguments], environ, self.folder / f"{contender}.log")

    def spent(self, contender: str, topic: str, checkout: Checkout | None = None) -> Spent:
        """Run a contender, and once more with nothing left to read: the difference is what the records cost."""
        name, whole = self.run(contender, topic, checkout=checkout)
        nothing = self.again(contender, topic, name, checkout=checkout)
        self.remove(name)
        count = self.records[topic]
        return Spent(
            (whole.cpu - nothing.cpu) / count * 1e6,
            count / (whole.wall - nothing.wall),
            whole.peak,
            whole.steady,
            nothing.cpu,
        )

    def remove(self, bucket: str) -> None:
        """Remove a bucket with what it holds."""
        store = self.stack.object_store()
        for entry in store.list_objects(bucket, recursive=True):
            store.remove_object(bucket, str(entry.object_name))
        store.remove_bucket(bucket)

    # -- parity ----------------------------------------------------------------------------------------------------

    def require_parity(self) -> None:
        """Let each contender land once, and compare. Raises SystemExit: they differ."""
        name, _ = self.run("cdc-consumer", TOPIC)
        own = parity.summary(self.stack, name, TOPIC)
        source = states(self.stack)
        self._require(own.states == source, f"{len(own.states):,} last states landed, the source has {len(source):,}")
        self._require(own.rows == self.records[TOPIC], f"{own.rows:,} of {self.records[TOPIC]:,} rows landed")
        parity.save_columns(self.stack, name, TOPIC, self.folder)
        self.remove(name)
        name, _ = self.run("bound", TOPIC)
        self._require(parity.summary(self.stack, name, TOPIC) == own, "the lower bound wrote something else")
        self.remove(name)
        results: dict[str, parity.Summary] = {}
        for contender in ("consumer", "reference", "plain"):
            name, _ = self.run(contender, SMALL)
            results[contender] = parity.summary(self.stack, name, SMALL)
            self.remove(name)
        self._require(
            all(summary == results["consumer"] for summary in results.values()), "reference or plain loop differ"
        )
        self._require(results["consumer"].rows == self.records[SMALL], "rows are missing in the copy")
        say(
            f"parity: {own.rows:,} rows, {own.money:,} in money, {len(own.states):,} last states equal to the "
            f"source's; {results['consumer'].rows:,} rows of the copy equal among consumer, reference and plain loop"
        )

    def _require(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise SystemExit(f"no parity, no figures: {otherwise}")

    # -- figures ---------------------------------------------------------------------------------------------------

    def compare(self) -> None:
        """The contenders in rounds."""
        results: dict[str, list[Spent]] = {contender.name: [] for contender in CONTENDERS}
        for number in range(self.given.rounds):
            for contender in CONTENDERS:
                if not contender.slow or number < self.given.slow_rounds:
                    results[contender.name].append(self.spent(contender.name, contender.topic))
        own = results["cdc-consumer"]
        say(f"{'':27} us of CPU per record        x this    records/s  RSS peak  steady  start-up")
        say(f"{'':27} median  lowest highest   (median)     (median)      (MB)    (MB)  CPU s   records, rounds")
        for contender in CONTENDERS:
            runs = results[contender.name]
            cpu = [run.cpu_us for run in runs]
            ratio = statistics.median(run.cpu_us / mine.cpu_us for run, mine in zip(runs, own, strict=False))
            say(
                f"{contender.label:27} {statistics.median(cpu):6.2f}  {min(cpu):6.2f}  {max(cpu):6.2f}    {ratio:7.2f} "
                f"{_median(runs, 'per_second'):12,.0f} {_median(runs, 'peak'):9.0f} {_median(runs, 'steady'):7.0f} "
                f"{_median(runs, 'startup_cpu'):6.2f}   {self.records[contender.topic]:,}, {len(runs)}"
            )

    def against(self) -> None:
        """This checkout's consumer and those of others, in rounds that each begin with another one."""
        checkouts = [Checkout.of(ROOT), *map(Checkout.of, self.given.against)]
        summaries: list[parity.Summary] = []
        for checkout in checkouts:
            checkout.require_own_code(environment(self.stack, RUN, TOPIC) | checkout.environment)
            name, _ = self.run("cdc-consumer", TOPIC, checkout=checkout)
            summaries.append(parity.summary(self.stack, name, TOPIC))
            self.remove(name)
            self._require(summaries[-1].rows == self.records[TOPIC], f"{checkout.label} landed {summaries[-1].rows:,}")
            self._require(summaries[-1] == summaries[0], f"{checkout.label} landed something else")
        say(f"parity: {self.records[TOPIC]:,} rows, the same of {', '.join(checkout.label for checkout in checkouts)}")
        results: dict[str, list[Spent]] = {checkout.label: [] for checkout in checkouts}
        for number in range(self.given.rounds):
            first = number % len(checkouts)
            for checkout in checkouts[first:] + checkouts[:first]:
                results[checkout.label].append(self.spent("cdc-consumer", TOPIC, checkout))
        own = results[checkouts[0].label]
        own_median = _median(own, "cpu_us")
        say(f"{'':12} us of CPU per record      this / it: of the medians, of each round    records/s  RSS steady (MB)")
        say(f"{'':12} median  lowest highest                 (lowest, highest)")
        for label, runs in results.items():
            cpu = [run.cpu_us for run in runs]
            ratios = [mine.cpu_us / run.cpu_us for mine, run in zip(own, runs, strict=True)]
            say(
                f"{label:12} {statistics.median(cpu):6.2f}  {min(cpu):6.2f}  {max(cpu):6.2f}   "
                f"{own_median / statistics.median(cpu):6.3f}  {statistics.median(ratios):6.3f} "
                f"({min(ratios):.3f}, {max(ratios):.3f})    "
                f"{_median(runs, 'per_second'):12,.0f} {_median(runs, 'steady'):9.0f}   rounds {len(runs)}"
            )

    def stages(self) -> None:
        """Where this consumer's time goes, stage by stage."""
        runs: list[dict[str, float]] = []
        file = self.folder / "stages.json"
        for _ in range(self.given.rounds):
            name, _ = self.run("stages", TOPIC, str(file))
            self.remove(name)
            runs.append(json.loads(file.read_text(encoding="utf-8")))
        costs = {
            stage: [run.get(stage, 0) / self.records[TOPIC] * 1e6 for run in runs]
            for stage in sorted(runs[0], key=runs[0].__getitem__, reverse=True)
        }
        costs["all of it"] = [sum(run) for run in zip(*costs.values(), strict=True)]
        say(f"{'':45} us of CPU per record\n{'':45} median  lowest highest")
        for stage, cost in costs.items():
            say(f"{stage:45} {statistics.median(cost):6.2f}  {min(cost):6.2f}  {max(cost):6.2f}")

    def memory(self) -> None:
        """The consumer's memory by partitions, on copies of the same records."""
        for partitions in (1, 10, 100):
            topic = f"{RUN}.{partitions}"
            self.records[topic] = copy(self.stack, topic, partitions, self.given.memory_records)
            name, cost = self.run("consumer", topic)
            self.remove(name)
            delete_topic(self.stack, topic)
            say(
                f"memory, {partitions:3} partitions, {self.records[topic]:,} records: "
                f"peak {cost.peak:.0f} MB, steady {cost.steady:.0f} MB"
            )


def _median(runs: list[Spent], name: str) -> float:
    return statistics.median(getattr(run, name) for run in runs)


def machine() -> str:
    """The machine that the figures are of."""
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores, {model}; broker and object store run on them too"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description="What landing costs, on real changes.")
    parser.add_argument("--changes", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-records", type=int, default=150_000, help="what the slow contenders read")
    parser.add_argument("--slow-rounds", type=int, default=2)
    parser.add_argument("--memory-records", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=int, default=12, help="how long changes come, for the latency")
    parser.add_argument("--only", default="compare,stages,memory,latency", help="parts; `against` is one as well")
    parser.add_argument(
        "--against",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="another checkout (again and again), for the part `against`",
    )
    given = parser.parse_args()
    if ("against" in given.only.split(",")) != bool(given.against):
        parser.error("--only against and --against FOLDER go together")
    stack, parts = Stack.from_environment(), set(given.only.split(","))
    say(f"machine: {machine()}")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        benchmark = Benchmark(stack, Path(folder), given)
        benchmark.records[TOPIC] = fill(stack, given.changes)
        if "compare" in parts:
            benchmark.records[SMALL] = copy(stack, SMALL, 3, given.slow_records)
            try:
                benchmark.require_parity()
                benchmark.compare()
            finally:
                delete_topic(stack, SMALL)
        if "against" in parts:
            benchmark.against()
        if "stages" in parts:
            benchmark.stages()
        if "memory" in parts:
            benchmark.memory()
        if "latency" in parts:
            for rate in (500, 5_000):
                latency(stack, benchmark.folder, rate, given.seconds)


if __name__ == "__main__":
    main()
