"""`make benchmark-steady`: steady traffic, rest, or single probes on a stack of its own, against what is promised."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from typing import Any

from benchmarks.steady import probes
from benchmarks.steady.figures import DIRECT_P50, DIRECT_P99, Phase, Verdict, quantile, verdicts
from benchmarks.steady.phase import Instant, component_seconds, rest_phase, traffic_phase
from harness.native_driver import NativeDriver
from harness.reconcile import until_converged
from harness.sight import MART, RAW

SEED = ("--seed", "7", "--customers", "20", "--transactions", "200")
LOOKS = 40


def say(line: str) -> None:
    """Print a line at once."""
    print(f"  {line}", flush=True)


def table(phases: Sequence[Phase]) -> str:
    """Format the figures, one column a phase."""
    lines = ["".join([f"{'':<34}", *(f"{phase.name:>12}" for phase in phases)])]

    def row(name: str, *values: str) -> None:
        lines.append("".join([f"{name:<34}", *(f"{value:>12}" for value in values)]))

    for stage in ("raw", "mart"):
        lags = [getattr(phase, stage).document() for phase in phases]
        for figure in ("p50", "p99", "max", "first_half_p99", "second_half_p99"):
            row(f"{stage} lag {figure.replace('_', ' ')}, s", *(f"{lag[figure]:.1f}" for lag in lags))
    row("committed", *(str(phase.commits) for phase in phases))
    row("committed late by at most, s", *(f"{phase.late_seconds:.2f}" for phase in phases))
    row("never seen in the mart", *(str(phase.unseen) for phase in phases))
    row("segments a second", *(f"{phase.segments / phase.seconds:.2f}" for phase in phases))
    row("rows a second", *(f"{phase.rows / phase.seconds:.1f}" for phase in phases))
    for name in ("loads", "builds"):
        runs = [getattr(phase, name).document() for phase in phases]
        row(name, *("/".join(f"{count} {state[:4]}" for state, count in run["states"].items()) for run in runs))
        row(f"{name}: queued to success, s", *(f"{run['median_seconds']:.1f}" for run in runs))
        row(f"{name}: running, s", *(f"{run['median_running_seconds']:.1f}" for run in runs))
    row("CPU, % of all processors: stack", *(f"{phase.stack_percent:.1f}" for phase in phases))
    components = {name: None for phase in phases for name in phase.cpu_percent}
    for name in components:
        row(f"  {name}", *(f"{phase.cpu_percent.get(name, 0.0):.1f}" for phase in phases))
    row("  (this benchmark)", *(f"{phase.reader_percent:.1f}" for phase in phases))
    row("  (all that the machine did)", *(f"{phase.machine_percent:.1f}" for phase in phases))
    return "\n".join(lines)


def cost_of_a_look(stack: NativeDriver) -> float:
    """CPU seconds that the warehouse spends on one look of the reader."""
    start = Instant.now(stack)
    for _ in range(LOOKS):
        stack.rows(RAW, 2**62)
        stack.rows(MART)
    return component_seconds(start, Instant.now(stack)).get("snowflake", 0.0) / LOOKS


def report(phases: Sequence[Phase], target_lag: float) -> None:
    """The table, where the CPU went, and the verdicts."""
    print(f"\ntarget lag {target_lag:g} s, {os.cpu_count()} processors\n{table(phases)}\n")
    for phase in phases:
        print(f"hottest processes, {phase.name}, CPU seconds: {phase.hot}")
    print("\n".join(str(verdict) for phase in phases for verdict in verdicts(phase, target_lag)), flush=True)


def _as_json(document: dict[str, Any]) -> str:
    """Format as one line. JSON has no NaN: a value that was not seen is null."""
    return json.dumps(json.loads(json.dumps(document), parse_constant=lambda _name: None))


def steady(stack: NativeDriver, options: argparse.Namespace) -> None:
    """Traffic at each rate, then rest; reports each phase when it is over, then all, and one line of JSON."""
    phases: list[Phase] = []
    for rate in (float(word) for word in options.rates.split(",") if word):
        print(f"\n{rate:g} transactions a second for {options.minutes:g} minutes", flush=True)
        phases.append(traffic_phase(stack, rate, options.minutes * 60, every=options.every, say=say))
        report(phases[-1:], options.target_lag)
    if options.rest_minutes:
        print(f"\nat rest for {options.rest_minutes:g} minutes", flush=True)
        time.sleep(options.settle_seconds)
        phases.append(rest_phase(stack, options.rest_minutes * 60, say=say))
    report(phases, options.target_lag)
    share = 100 * cost_of_a_look(stack) / options.every / (os.cpu_count() or 1)
    print(f"the reader's looks cost the warehouse {share:.1f} % of all processors (in the figures above)\n")
    print(_as_json({"target_lag_seconds": options.target_lag, "phases": {it.name: it.document() for it in phases}}))


def direct(stack: NativeDriver, options: argparse.Namespace) -> None:
    """Single probes; prints each stage, the verdicts and one line of JSON."""
    results = probes.run(stack, options.probes, say=say)
    mart = [seen["mart"] for seen in results]
    print(f"\ntarget lag {options.target_lag:g} s\n{probes.table(results)}\n")
    for share, most in ((0.5, DIRECT_P50), (0.99, DIRECT_P99)):
        seen = quantile(mart, share)
        print(Verdict(f"commit to mart, p{100 * share:.0f} <= {most:g} s", f"{seen:.1f} s", seen <= most))
    print(_as_json({"target_lag_seconds": options.target_lag, "probes": results}))


def main() -> None:
    """Start a stack, measure, and leave it for `make` to take down."""
    parser = argparse.ArgumentParser(prog="make benchmark-steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of each rate")
    parser.add_argument("--rates", default="1,20,200", help="transactions a second, one phase each")
    parser.add_argument("--rest-minutes", type=float, default=10, help="without traffic, at the end")
    parser.add_argument("--settle-seconds", type=float, default=15, help="before the rest is measured")
    parser.add_argument("--target-lag", type=float, default=10, help="seconds")
    parser.add_argument("--probes", type=int, default=0, help="so many single changes instead, with target lag 0")
    parser.add_argument("--every", type=float, default=0.5, help="seconds between two looks at the warehouse")
    options = parser.parse_args()
    if options.probes:
        options.target_lag = 0.0
    os.environ["BANKCTL_TARGET_LAG_SECONDS"] = f"{options.target_lag:g}"
    stack = NativeDriver()
    print("starting the stack", flush=True)
    stack.up()
    stack.generate(*SEED)
    until_converged(stack)
    (direct if options.probes else steady)(stack, options)


if __name__ == "__main__":
    main()
