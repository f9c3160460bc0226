"""Runs steps as early as their needs allow, side by side; the first failure stops what has not begun."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from graphlib import TopologicalSorter


@dataclass(frozen=True)
class GraphStep:
    """A piece of work; `needs` names steps that come before it (unknown names are taken as done)."""

    name: str
    run: Callable[["Cancelled"], None] = field(compare=False)
    needs: tuple[str, ...] = ()


class Cancelled:
    """Tells running steps to give up: another one failed, or the operator pressed Ctrl-C."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask for the end."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait at most that long; True when the end was asked for."""
        return self._event.wait(seconds)


def run(
    steps: Iterable[GraphStep],
    *,
    workers: int = 16,
    failed: Callable[[GraphStep, BaseException], None] | None = None,
) -> None:
    """Run all steps; `failed` is told of the first failure at once, while what is under way still ends.

    Raises:
        Exception: whatever the first failing step raised, after the steps that were running have ended.
        graphlib.CycleError: the needs form a circle.
    """
    by_name = {step.name: step for step in steps}
    order = TopologicalSorter({name: [n for n in step.needs if n in by_name] for name, step in by_name.items()})
    order.prepare()
    cancelled = Cancelled()
    failure: BaseException | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="step") as pool:
        active: dict[Future[None], str] = {}
        try:
            while order.is_active() and failure is None:
                for name in order.get_ready():
                    active[pool.submit(by_name[name].run, cancelled)] = name
                done, _ = wait(active, timeout=0.5, return_when=FIRST_COMPLETED)
                for future in done:
                    name = active.pop(future)
                    if (error := future.exception()) is None:
                        order.done(name)
                    elif failure is None:
                        failure = error
                        if failed is not None:
                            failed(by_name[name], error)
        finally:
            cancelled.cancel()
    if failure is not None:
        raise failure
