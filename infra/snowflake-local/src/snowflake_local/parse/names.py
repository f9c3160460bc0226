"""Names of objects: as they are written, and as they are meant in a session's current database and schema."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from snowflake_local import errors

NAME: Final = r"(?:\"[^\"]+\"|[\w$]+)(?:\.(?:\"[^\"]+\"|[\w$]+)){0,2}"
"""One to three identifiers with dots between them, as a regular expression."""
INFORMATION_SCHEMA: Final = "_FS_INFORMATION_SCHEMA"
"""The schema that has fakesnow's views in the place of DuckDB's."""
_PART: Final = re.compile(r"\"([^\"]+)\"|([\w$]+)")


@dataclass(frozen=True, slots=True)
class ObjectName:
    """The whole name of a table, view or stage."""

    database: str
    schema: str
    name: str

    @property
    def quoted(self) -> str:
        """For DuckDB."""
        return ".".join(f'"{part.replace(chr(34), chr(34) * 2)}"' for part in (self.database, self.schema, self.name))

    def __str__(self) -> str:
        return f"{self.database}.{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Namespace:
    """A session's current database and schema; one that was named at login and is not there is not `set`."""

    database: str | None = None
    schema: str | None = None
    database_set: bool = False
    schema_set: bool = False

    @property
    def shown_schema(self) -> str | None:
        """The current schema as clients know it."""
        return "INFORMATION_SCHEMA" if self.schema == INFORMATION_SCHEMA else self.schema

    def whole(self, parts: Sequence[str]) -> ObjectName:
        """The whole name of one that was written with one to three parts.

        Raises:
            snowflake.connector.errors.ProgrammingError: it leaves out what the session does not have.
        """
        *before, name = parts
        schema = before[-1] if before else self.schema
        database = before[0] if len(before) > 1 else self.database
        if not database:
            raise errors.no_current("database")
        if not schema:
            raise errors.no_current("schema")
        return ObjectName(database, schema, name)


def parts(written: str) -> tuple[str, ...]:
    """The parts of a name: what is not quoted is upper case."""
    return tuple(quoted or plain.upper() for quoted, plain in _PART.findall(written))
