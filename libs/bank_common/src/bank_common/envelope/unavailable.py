"""The value of `_cdc_unavailable`: the columns that the source did not send."""

import json
from collections.abc import Collection


def names_of(columns: Collection[str]) -> str | None:
    """A JSON list, in the columns' order; None when everything was sent."""
    return json.dumps(list(columns)) if columns else None
