"""Results of a dbt run: reads run_results.json."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bank_common.runtime.errors import PipelineError

BUILD_VARIABLE: Final = "DBT_ENV_CUSTOM_ENV_BANK_BUILD"
"""dbt copies variables with this prefix into its artefacts: so a file is known to be this build's own."""

_GOOD: Final = frozenset(("success", "pass", "warn", "no-op"))
_SHOWN: Final = 10
_RUNBOOK: Final = "Runbook: infra/runbooks/build-failing.md."
_LOG_ADVICE: Final = f"See dbt's log in the state directory; the next sweep starts the build again. {_RUNBOOK}"


class BuildError(PipelineError):
    """A build did not succeed; nothing is recorded, and the next sweep asks for it again."""


@dataclass(frozen=True, slots=True)
class BuildResults:
    """The number of nodes by status, and the failing ones with dbt's message."""

    counts: Mapping[str, int]
    failures: tuple[tuple[str, str], ...]
    seconds: float


def read(path: Path, token: str) -> BuildResults:
    """Read the results of the build that was started with `token`.

    Raises:
        BuildError: the file is missing, not readable, empty, or of another run.
    """
    advice = _LOG_ADVICE
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        written_by = document["metadata"]["env"].get(BUILD_VARIABLE.removeprefix("DBT_ENV_CUSTOM_ENV_"))
        nodes = [(node["unique_id"], node["status"], node.get("message")) for node in document["results"]]
        seconds = float(document["elapsed_time"])
    except FileNotFoundError:
        raise BuildError("dbt left no run_results.json.", advice=advice) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BuildError(f"dbt's run_results.json can't be read: {type(error).__name__}.", advice=advice) from error
    if written_by != token:
        raise BuildError("run_results.json is of another dbt run.", advice=advice)
    if not nodes:
        raise BuildError(
            "dbt built nothing.", advice=f"Check BANK_DAGS_DBT_PROJECT_DIR: the project has no nodes. {_RUNBOOK}"
        )
    failures = tuple((name, (message or status).strip()) for name, status, message in nodes if status not in _GOOD)
    return BuildResults(Counter(status for _, status, _ in nodes), failures, seconds)


def check(results: BuildResults, exit_code: int) -> None:
    """Pass a build without failures.

    Raises:
        BuildError: names the failing nodes with their messages, or dbt's exit code.
    """
    # A skipped node has an upstream that failed, and says nothing of its own.
    told = [failure for failure in results.failures if failure[1] != "skipped"] or list(results.failures)
    if told:
        lines = "\n".join(f"  {name}: {message}" for name, message in told[:_SHOWN])
        more = f"\n  … and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        raise BuildError(
            f"{len(results.failures)} dbt nodes did not succeed:\n{lines}{more}\n",
            advice=f"Mend the model or the data; the next sweep starts the build again. {_RUNBOOK}",
        )
    if exit_code:
        raise BuildError(
            f"dbt ended with exit code {exit_code} though every node succeeded.",
            advice=_LOG_ADVICE,
        )
