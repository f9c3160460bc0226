"""The query tag of a session. Imports no client, so that a task has it before those are loaded."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryTag:
    """The value of QUERY_TAG: a statement in the warehouse leads back to its run and its trace."""

    dag: str
    run: str
    traceparent: str | None = None

    def text(self) -> str:
        """Format as JSON with the keys app, dag, run and, when there is one, traceparent."""
        tag = {"app": "bank", "dag": self.dag, "run": self.run, "traceparent": self.traceparent}
        return json.dumps({name: value for name, value in tag.items() if value is not None})
