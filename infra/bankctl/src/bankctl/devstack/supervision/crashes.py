"""Crash detection: finds a component that died, so that nobody waits for it in vain."""

from collections.abc import Collection

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.supervision import processes
from bankctl.stack.logs import log_tail
from bankctl.stack.stack import Stack


class ComponentDiedError(PipelineError):
    """A component ended, or did not become ready; the message has the last lines of its log."""

    def __init__(self, component: str, stack: Stack, what: str) -> None:
        self.component = component
        tail = log_tail(stack.log_file(component))
        super().__init__(
            f"{component} {what}. The last lines of its log:\n{tail}\n",
            advice=f"`bank logs {component}` shows all of it; `bank up` starts it again, `bank down` stops the rest.",
        )


def raise_if_dead(stack: Stack, among: Collection[str] | None = None) -> None:
    """Look at every recorded component once, or at those `among` the given names.

    Raises:
        ComponentDiedError: one of them does not run any more; the message holds the end of its log.
    """
    for run_file in sorted((stack.state_dir / "run").glob("*.json")):
        if among is not None and run_file.stem not in among:
            continue
        record = processes.recorded(run_file)
        # A record that is gone again was taken away by `bank down`, not by a crash.
        if record is not None and record.process() is None and run_file.exists():
            raise ComponentDiedError(run_file.stem, stack, "ended by itself")
