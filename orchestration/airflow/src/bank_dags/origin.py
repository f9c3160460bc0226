"""Who asks the warehouse. Imports no client, so that a task knows it before those have loaded."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks: goes into QUERY_TAG, so that a statement in the warehouse leads back to its run and its trace."""

    dag: str
    run: str
    traceparent: str | None = None

    def query_tag(self) -> str:
        """JSON with the keys app, dag, run and, when there is one, traceparent."""
        tag = {"app": "bank", "dag": self.dag, "run": self.run, "traceparent": self.traceparent}
        return json.dumps({name: value for name, value in tag.items() if value is not None})
