"""A dbt that works for somebody ends with them: its input, or its socket, says when they are gone."""

import os
import signal
import threading
import time

INTERRUPT_SECONDS = 4.0
"""How long dbt may take to cancel its queries after an interrupt; then it is killed."""


def end_with(descriptor: int) -> None:
    """Watch a descriptor whose other end belongs to who asked for the build: at its end, interrupt and then kill.

    Whatever they write is not read. Call it after a fork, never before one: it starts a thread.
    """
    threading.Thread(target=_watch, args=(descriptor,), name="end-with", daemon=True).start()


def _watch(descriptor: int) -> None:
    try:
        while os.read(descriptor, 4096):
            pass
    except OSError:
        # A reset connection is an end like any other.
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(INTERRUPT_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
