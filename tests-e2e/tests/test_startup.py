"""A service that is still importing ends at once at SIGTERM."""

from pathlib import Path

import pytest
from component_testing.first_second import sigterm_ends_at_once


@pytest.mark.parametrize("program", ["cdc_consumer", "event_receiver", "generator"])
def test_sigterm_in_the_first_second_ends_a_service_at_once(program: str, tmp_path: Path) -> None:
    sigterm_ends_at_once(program, "run", tmp_path)
