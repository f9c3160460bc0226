"""The catalogue: the captured tables as the source's migrated database has them, and their file `tables.json`. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bank_common.runtime.errors import PipelineError


class CatalogueError(PipelineError):
    """The catalogue is not readable, or lacks a captured table."""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as `information_schema` describes it; domains appear as their base type, enums as `enum`,
    an extension's types by their own name."""

    name: str
    data_type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A captured table: its columns in the table's order, and the names of its primary key's columns in the key's."""

    name: str
    columns: tuple[SourceColumn, ...]
    key: tuple[str, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The names of the columns that are not of the key."""
        return tuple(column.name for column in self.columns if column.name not in self.key)


Catalogue = Sequence[SourceTable]


def dumps(catalogue: Catalogue) -> str:
    """The text of `tables.json`: per table its key and columns, a line for each column."""
    return "{\n" + ",\n".join(_block(table) for table in catalogue) + "\n}\n"


def _block(table: SourceTable) -> str:
    columns = ",\n".join(f"      {json.dumps(_described(column))}" for column in table.columns)
    key = json.dumps(table.key)
    return f'  {json.dumps(table.name)}: {{\n    "key": {key},\n    "columns": [\n{columns}\n    ]\n  }}'


def _described(column: SourceColumn) -> dict[str, Any]:
    return {name: value for name, value in asdict(column).items() if value is not None}


def load(path: Path, tables: Sequence[str]) -> tuple[SourceTable, ...]:
    """Read the file's entries for these tables, in their order.

    Raises:
        CatalogueError: the file is not readable, or has no such table.
    """
    advice = "Render it from the migrations: bank up --only bank-postgres, then bank catalogue render."
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        catalogue = {
            name: SourceTable(name, tuple(SourceColumn(**column) for column in entry["columns"]), tuple(entry["key"]))
            for name, entry in entries.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CatalogueError(f"{path} can't be read as the catalogue: {error!r}.", advice=advice) from None
    if missing := [table for table in tables if table not in catalogue]:
        raise CatalogueError(f"{path} has no table {', '.join(missing)}.", advice=advice)
    return tuple(catalogue[table] for table in tables)
