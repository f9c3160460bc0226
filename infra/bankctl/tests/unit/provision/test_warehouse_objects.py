"""The warehouse's SQL: its order, its names, and who may do what."""

import re
from pathlib import Path

from bank_common import names
from bankctl.provision.warehouse_objects import files

FOLDER = Path(__file__).resolve().parents[5] / "infra" / "warehouse"
ROLES = (FOLDER / "sql" / "03_roles.sql").read_text()


def test_every_file_is_run_once_and_grants_come_last() -> None:
    paths = files(FOLDER)
    assert sorted(paths) == sorted(FOLDER.glob("*/*.sql"))
    assert paths[-1].name == "03_roles.sql"
    assert {path.stem.upper() for path in paths} >= set(names.RAW_TABLE_BY_TOPIC.values())


def test_names_are_those_of_the_platform() -> None:
    text = "\n".join(path.read_text() for path in files(FOLDER))
    assert f"CREATE DATABASE IF NOT EXISTS {names.WAREHOUSE_DATABASE};" in text
    assert f"CREATE SCHEMA IF NOT EXISTS {names.WAREHOUSE_DATABASE}.{names.RAW_SCHEMA};" in text
    assert f"CREATE STAGE IF NOT EXISTS {names.RAW_SCHEMA}.{names.STAGE};" in text
    assert f"CREATE WAREHOUSE IF NOT EXISTS {names.WAREHOUSE}\n" in text
    granted = set(re.findall(r"TO ROLE (\w+);", ROLES))
    assert granted == {names.LOADER_ROLE, names.TRANSFORMER_ROLE}


def test_the_loader_can_change_nothing_but_fences_and_tails() -> None:
    grants = [line for line in ROLES.splitlines() if line.endswith(f"TO ROLE {names.LOADER_ROLE};")]
    changing = {line for line in grants if re.search(r"UPDATE|DELETE|TRUNCATE|CREATE|ALL PRIVILEGES|OWNERSHIP", line)}
    updated = {
        re.fullmatch(r"GRANT UPDATE ON TABLE BANK\.RAW\.(LOAD_TAILS|\w+_FENCE) TO ROLE \w+;", line) for line in changing
    }
    assert None not in updated, changing
    assert {match[1] for match in updated if match} >= {"LOAD_FENCE", "LOAD_TAILS"}


def test_of_raw_the_transformer_can_change_nothing_but_the_build_fence() -> None:
    role = names.TRANSFORMER_ROLE
    grants = [line for line in ROLES.splitlines() if line.endswith(f"TO ROLE {role};") and ".RAW" in line]
    changing = [line for line in grants if re.search(r"UPDATE|DELETE|TRUNCATE|CREATE|ALL PRIVILEGES|OWNERSHIP", line)]
    assert changing == [f"GRANT UPDATE ON TABLE BANK.RAW.BUILD_FENCE TO ROLE {role};"]
