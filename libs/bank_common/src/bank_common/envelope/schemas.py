"""Checks of a schema: it has the fields that a decoder reads, with their types."""

from collections.abc import Mapping
from typing import Any, cast

from bank_common.envelope.avro import UnsupportedSchemaError


def require(schema: Mapping[str, Any], **types: str) -> None:
    """Check that every named field exists with this Avro type, nullable or not.

    Raises:
        UnsupportedSchemaError: names the field.
    """
    field_types = {field["name"]: _type_name(field["type"]) for field in schema["fields"]}
    for name, expected in types.items():
        # A record that was defined earlier in the schema is referred to by its name.
        if expected != field_types.get(name) and not (expected == "record" and name in field_types):
            raise UnsupportedSchemaError(f"the field {name!r} is {field_types.get(name, 'missing')}, not {expected}")


def items_of(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the record schema of the items of an array field, nullable or not.

    Raises:
        UnsupportedSchemaError: the field is no array of records.
    """
    field = next((field["type"] for field in schema["fields"] if field["name"] == name), None)
    list_type = _without_null(field)
    items = _without_null(cast("Mapping[str, Any]", list_type)["items"]) if _type_name(list_type) == "array" else None
    if not isinstance(items, dict) or _type_name(items) != "record":
        raise UnsupportedSchemaError(f"the field {name!r} is no list of records")
    return cast("Mapping[str, Any]", items)


def _without_null(schema: Any) -> Any:
    """The one other member of a union with null; anything else as it is."""
    if isinstance(schema, list):
        others = [member for member in cast("list[Any]", schema) if member != "null"]
        return others[0] if len(others) == 1 else None
    return schema


def _type_name(schema: Any) -> str:
    if isinstance(schema, list):
        return ", ".join(_type_name(member) for member in cast("list[Any]", schema) if member != "null")
    return str(cast("dict[str, Any]", schema)["type"]) if isinstance(schema, dict) else str(schema)
