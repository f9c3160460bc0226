"""Rendered files: what each should hold, what differs, and writing them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bankctl.model import catalogue as catalogue_model
from bankctl.model import (
    compose_environments,
    compose_order,
    compose_variables,
    connector_config,
    dbt_models,
    names_module,
    platform_file,
    raw_ddl,
)
from bankctl.provision import catalogue, env_example, steps
from bankctl.provision.scratch_database import migrated_database
from bankctl.stack import containers, programs

Files = Mapping[Path, str]

_PLATFORM: Final = Path("infra", "platform.toml")
_CATALOGUE: Final = Path("infra", "warehouse", "tables.json")
_COMPOSE: Final = Path("infra", "compose", "compose.yaml")
_DBT: Final = Path("analytics", "banking_dbt")
_NAMES: Final = Path("libs", "bank_common", "src", "bank_common", "names.py")


def platform(root: Path) -> platform_file.Platform:
    """The checkout's platform.toml."""
    return platform_file.load(root / _PLATFORM)


def names_module_of(root: Path) -> Files:
    """The module of names, on which the other files rest as this process has imported it."""
    return {root / _NAMES: names_module.render(platform(root))}


def from_owners(root: Path) -> Files:
    """The files that platform.toml, the catalogue, the settings classes and the graph decide."""
    described = platform(root)
    return {
        **names_module_of(root),
        steps.connector_file(root): connector_config.render(described),
        root / _COMPOSE.with_name(".env"): compose_variables.render(described),
        root / _COMPOSE: _compose(root),
        root / ".env.example": env_example.render(root),
        **from_catalogue(root),
    }


def _compose(root: Path) -> str:
    """The file as it is, with order and environments rendered in their places."""
    environments = {program: containers.environment(program) for program in programs.PROGRAMS}
    text = (root / _COMPOSE).read_text(encoding="utf-8")
    return compose_environments.render(compose_order.render(text), environments)


def catalogue_file(root: Path, dsn: str) -> Files:
    """The catalogue, from a scratch database on the server of `dsn` to which the migrations are applied."""
    described = platform(root)
    with migrated_database(dsn, steps.migrations_folder(root)) as scratch:
        tables = catalogue.read(
            scratch,
            described.capture.schema_name,
            [table.name for table in described.tables],
            excluded=connector_config.excluded_columns(connector_config.config(described)),
        )
    return {root / _CATALOGUE: catalogue_model.dumps(tables)}


def from_catalogue(root: Path) -> Files:
    """The files that follow from the captured tables' columns and keys."""
    described = platform(root)
    tables = catalogue_model.load(root / _CATALOGUE, [table.name for table in described.tables])
    raw = steps.warehouse_folder(root) / "raw"
    return {
        **{raw / name: text for name, text in raw_ddl.render(tables).items()},
        **{root / _DBT / path: text for path, text in dbt_models.render(described, tables).items()},
    }


def stale(files: Files) -> tuple[Path, ...]:
    """The files that are missing or hold something else."""
    return tuple(path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text)


def write(files: Files) -> tuple[Path, ...]:
    """Write what is stale and return it."""
    changed = stale(files)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    return changed
