"""What a row came without: `_cdc_unavailable` and `_cdc_not_representable`, and the envelope's fields of both kinds.

The connector's transform (infra/kafka/smt) names in `unavailable` the columns whose value the source did not send, and
in `not_carried` those whose value is too large for a record. An envelope without these fields has Debezium's default
placeholder instead.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, cast

UNAVAILABLE_FIELD: Final = "unavailable"
NOT_CARRIED_FIELD: Final = "not_carried"


def marks(schema: Mapping[str, Any]) -> bool:
    """Whether envelopes of this schema say themselves what they came without."""
    texts = {field["name"] for field in schema["fields"] if field["type"] == ["null", "string"]}
    return {UNAVAILABLE_FIELD, NOT_CARRIED_FIELD} <= texts


def names_of(columns: Collection[str]) -> str | None:
    """A JSON list, in the columns' order; None when everything was sent."""
    return json.dumps(list(columns)) if columns else None


def names_in(text: str, columns: Collection[str]) -> tuple[str, ...] | None:
    """The columns that an envelope's `unavailable` names; None when it is no list of columns of this table."""
    names = _json(text)
    if not isinstance(names, list):
        return None
    listed = cast("list[Any]", names)
    if not all(isinstance(name, str) and name in columns for name in listed):
        return None
    return tuple(listed)


def texts_of(texts: Mapping[str, str]) -> str | None:
    """A JSON object of column and text; None when there is none."""
    return json.dumps(dict(texts)) if texts else None


def texts_in(text: str, columns: Collection[str]) -> dict[str, str] | None:
    """What an envelope's `not_carried` says of each column; None when it is no object of columns of this table."""
    texts = _json(text)
    if not isinstance(texts, dict):
        return None
    said = cast("dict[str, Any]", texts)
    return said if all(name in columns and isinstance(reason, str) for name, reason in said.items()) else None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
