"""The test stack that `make contract` starts; without it these tests fail, they are never skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bankctl.provision.scratch_database import migrated_database, scratch_database
from bankctl.provision.steps import migrations_folder
from bankctl.stack.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The running test stack."""
    missing = [name for name in ("BANKCTL_STATE_DIR", "BANKCTL_PORT_OFFSET") if name not in os.environ]
    assert not missing, f"{', '.join(missing)} not set: run these tests with `make contract`"
    return Stack.from_environment()


@pytest.fixture(scope="session")
def migrations(stack: Stack) -> Path:
    """The bank's migrations."""
    return migrations_folder(stack.root)


@pytest.fixture
def empty_database(stack: Stack) -> Iterator[str]:
    """The DSN of a new database on the bank's server."""
    with scratch_database(stack.dsn("bank")) as dsn:
        yield dsn


@pytest.fixture
def bank(stack: Stack, migrations: Path) -> Iterator[str]:
    """The DSN of a new, migrated database on the bank's server."""
    with migrated_database(stack.dsn("bank"), migrations) as dsn:
        yield dsn
