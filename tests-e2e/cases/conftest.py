"""What every case stands on: a native stack that is converged before it and converges again after it, unattended."""

from collections.abc import Iterator

import pytest

from harness.native_driver import NativeDriver
from harness.reconcile import until_converged
from harness.stack_driver import StackDriver
from harness.waiting import until

CONVERGES_SECONDS = 240
ASTRAY = {
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_SESSION_TOKEN": "astray",
    "DBT_EMPTY": "1",
    "DBT_TARGET": "astray",
    "AIRFLOW_CONFIG": "/astray/airflow.cfg",
    "PGHOSTADDR": "192.0.2.1",
    "PGSSLMODE": "verify-full",
    "JAVA_TOOL_OPTIONS": "-Xmx1m",
    "TZ": "Asia/Tokyo",
}
"""What a person's shell may have, and the stack's programs or their libraries would read by themselves."""


@pytest.fixture(scope="session")
def shell() -> dict[str, str]:
    """The cases' stack is started, watched and asked from such a shell."""
    return ASTRAY


@pytest.fixture(scope="session")
def supervised(stack: StackDriver) -> Iterator[NativeDriver]:
    """The stack under `bank up --watch`: no case restarts anything by hand."""
    assert isinstance(stack, NativeDriver), "cases send signals to processes of this machine"
    with stack.watched():
        yield stack


@pytest.fixture
def native(supervised: NativeDriver) -> Iterator[NativeDriver]:
    """The stack before a fault. After the case: marts equal Postgres, RAW equals Kafka, all healthy, status green."""
    stack = supervised
    until_converged(stack, CONVERGES_SECONDS)
    yield stack
    until_converged(stack, CONVERGES_SECONDS)
    until("bank status is green again", lambda: stack.status()[0] == 0, seconds=90, every=2.0, state=stack.status)
