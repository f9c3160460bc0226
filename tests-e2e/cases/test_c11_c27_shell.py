"""C11, C27: what the shell says to other programs of its user has no effect on a stack that is started from it."""

import pytest

from harness.moves import moves
from harness.native_driver import NativeDriver

pytestmark = [pytest.mark.case, pytest.mark.short, pytest.mark.timeout(600)]

STARTED = ("connect", "minio", "cdc-consumer", "event-receiver", "airflow-scheduler", "dbt-warm", "snowflake")


def test_a_stack_from_a_shell_that_leads_its_programs_astray_moves(native: NativeDriver, shell: dict[str, str]) -> None:
    """That segments come to this stack's own bucket and that marts are full, the fixture has compared row by row."""
    moves(native, seconds=120)
    for component in STARTED:
        leader = native.process(component)
        for process in (leader, *leader.children(recursive=True)):
            assert not shell.keys() & process.environ().keys(), process
