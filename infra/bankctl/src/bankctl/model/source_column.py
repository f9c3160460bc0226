"""A column of a captured table, as the source has it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as `information_schema` describes it; domains appear as their base type, enums as `enum`,
    an extension's types by their own name."""

    name: str
    data_type: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
