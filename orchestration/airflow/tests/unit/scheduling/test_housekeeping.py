"""Housekeeping: what is kept of finished runs, and what is not."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.utils.db_cleanup import config_dict

from bank_dags.scheduling.housekeeping import TABLES, clean_command, remove_logs

KEEP = timedelta(hours=48)
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_every_table_is_one_that_airflow_cleans() -> None:
    assert set(TABLES) <= config_dict.keys()


def test_what_is_older_is_cleaned_without_an_archive() -> None:
    command = clean_command(KEEP, NOW)
    assert command[command.index("--clean-before-timestamp") + 1] == "2026-11-26T12:00:00+00:00"
    assert "--skip-archive" in command


def test_old_logs_go_with_their_folders_and_new_ones_stay(tmp_path: Path) -> None:
    old, new = tmp_path / "run_id=1" / "attempt=1.log", tmp_path / "run_id=2" / "attempt=1.log"
    for path, hours in ((old, 49), (new, 47)):
        path.parent.mkdir()
        path.touch()
        os.utime(path, (NOW.timestamp() - hours * 3600,) * 2)
    assert remove_logs(tmp_path, KEEP, NOW.timestamp()) == 1
    assert not old.parent.exists()
    assert new.exists()
