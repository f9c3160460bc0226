from pathlib import Path

from component_testing.first_second import sigterm_ends_at_once


def test_sigterm_while_it_imports_ends_it_at_once(tmp_path: Path) -> None:
    sigterm_ends_at_once("snowflake_local", "serve", tmp_path)
