"""Which files are applied, and what stops a run."""

from pathlib import Path

import pytest

from bankctl.provision.migrations import Migration, MigrationError, pending, read

ROOT = Path(__file__).resolve().parents[5]
FIRST = Migration(1, "0001_first.sql", "SELECT 1")
SECOND = Migration(2, "0002_second.sql", "SELECT 2")


def _applied(*migrations: Migration) -> dict[int, tuple[str, str]]:
    return {migration.number: (migration.file, migration.sha256) for migration in migrations}


def test_only_what_was_not_applied_is_pending() -> None:
    assert pending((FIRST, SECOND), _applied(FIRST)) == (SECOND,)
    assert pending((FIRST, SECOND), _applied(FIRST, SECOND)) == ()


def test_a_changed_file_is_refused_by_name() -> None:
    changed = Migration(1, "0001_first.sql", "SELECT 1;")
    with pytest.raises(MigrationError, match=r"0001_first\.sql"):
        pending((changed, SECOND), _applied(FIRST))


def test_a_renamed_file_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0001_renamed\.sql"):
        pending((Migration(1, "0001_renamed.sql", FIRST.text),), _applied(FIRST))


def test_a_database_ahead_of_the_files_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0002_second\.sql"):
        pending((FIRST,), _applied(FIRST, SECOND))


@pytest.mark.parametrize("names", [["0002_b.sql"], ["0001_a.sql", "0001_b.sql"], ["0001_a.sql", "0003_c.sql"], []])
def test_numbers_run_without_hole_or_repeat(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationError, match="numbers"):
        read(tmp_path)


def test_a_file_with_another_name_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").write_text("SELECT 1")
    (tmp_path / "2-b.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"2-b\.sql"):
        read(tmp_path)


def test_the_banks_migrations_are_readable_and_hold_no_password() -> None:
    migrations = read(ROOT / "infra" / "postgres" / "migrations")
    assert not [migration.file for migration in migrations if "PASSWORD '" in migration.text.upper()]
