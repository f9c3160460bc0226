"""The test stack that `make contract` starts."""

import os

from bankctl.stack.stack import Stack


def running_stack() -> Stack:
    """The running test stack.

    Raises:
        RuntimeError: there is none; these tests never skip themselves.
    """
    if "BANKCTL_STATE_DIR" not in os.environ:
        raise RuntimeError("no test stack: run `make contract`")
    return Stack.from_environment()
