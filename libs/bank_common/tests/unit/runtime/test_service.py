import os
import signal

from bank_common.runtime.metrics import ALL
from bank_common.runtime.service import Shutdown


def test_metric_names_are_unique_and_ours() -> None:
    names = [metric.name for metric in ALL]
    assert len(names) == len(set(names)) > 5
    assert all(name.startswith("bank_") for name in names)


def test_sigterm_requests_a_stop() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    try:
        shutdown = Shutdown().install()
        assert not shutdown.requested
        os.kill(os.getpid(), signal.SIGTERM)
        assert shutdown.wait(5)
        assert shutdown.requested
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])
