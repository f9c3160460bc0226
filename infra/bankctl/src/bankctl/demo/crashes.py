"""Notices a component that died, so that nobody waits for what can't come."""

from bankctl.stack import Stack
from bankctl.supervision.processes import recorded
from bankctl.supervision.up import ComponentDiedError


def raise_if_dead(stack: Stack) -> None:
    """Look at every recorded component once.

    Raises:
        ComponentDiedError: one of them does not run any more; the message holds the end of its log.
    """
    for run_file in sorted((stack.state_dir / "run").glob("*.json")):
        found = recorded(run_file)
        # A record that is gone again was taken away by `bank down`, not by a crash.
        if found is not None and found.process() is None and run_file.exists():
            raise ComponentDiedError(run_file.stem, stack, "ended by itself")
