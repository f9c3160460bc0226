"""Log lines: one JSON object a line, an event name and its fields; never SQL text, which may hold values."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger("snowflake_local")


def event(level: int, name: str, **fields: Any) -> None:
    """One line: `event(logging.INFO, "session_started", user="BANK_LOADER")`."""
    log.log(level, name, extra={"fields": fields})


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": "snowflake-local",
            "event": record.getMessage(),
        }
        fields = {name: _plain(value) for name, value in getattr(record, "fields", {}).items()}
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(line | fields)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def configure(level: str) -> None:
    """JSON lines on standard error. Upstream's logger prints whole statements: it is silenced.

    Raises:
        ValueError: there is no such level.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    log.setLevel(level.upper())
    logging.getLogger("fakesnow.server").disabled = True
