"""Names of modules, classes, functions and locals that the glossary in CONTRIBUTING.md has a better word for.

    python .github/scripts/words.py [FOLDER …]

Prints one line for each name of a module, class or function, and the number of local names by project. Without a folder
it reads the whole repository. Standard library only.
"""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

MODULES: Mapping[str, str] = {
    "line": "partition buffer",
    "lander": "segment writer",
    "storing": "flusher",
    "letters": "dead-letter record",
    "rejection": "dead-letter limit",
    "intake": "batcher",
    "holdings": "assignment",
    "gate": "backoff",
    "checkpoints": "failpoints",
    "content": "decoded batch",
    "policy": "failures, error policy",
    "reasons": "failures, error policy",
    "strangers": "foreign objects",
    "progress": "transaction metadata, notifications",
    "body": "Avro reader",
    "vector": "columnar",
    "gauges": "metrics",
    "instruments": "metrics",
    "standing": "pending build",
    "origin": "query tag",
    "statements": "Snowflake statements",
    "warehouse": "Snowflake session",
    "plan": "component graph, first start, load plan",
    "handout": "container secrets",
    "arrival": "convergence",
    "hops": "pipeline stages",
    "scratch": "scratch database",
    "gaps": "patches",
    "aftermath": "after-statement effects",
    "tx": "locks",
    "serving": "listener",
    "driven": "stack driver",
    "composed": "compose driver",
}
CLASSES: Mapping[str, str] = {
    "Line": "partition buffer",
    "Lander": "segment writer",
    "Storing": "flusher",
    "Tally": "dead-letter limit",
    "Excess": "limit exceeded",
    "Intake": "batcher",
    "Run": "batch by schema, or whose run it is",
    "Taken": "batch by schema",
    "Holdings": "assignment",
    "Held": "assigned partition",
    "Gate": "backoff",
    "Checkpoint": "failpoint",
    "Step": "failpoint, or the step of what",
    "Content": "decoded batch",
    "Chain": "TopicPartition; a chain is the row of segments alone",
    "Found": "column",
    "Cells": "column",
    "BatchDecoder": "columnar decoder",
    "Standing": "pending build, built-through position",
    "Ledger": "bank database; the ledger is the load ledger alone",
    "Facts": "qualify it: offsets, state, …",
    "Kind": "qualify it: column type, topic kind, …",
    "Batch": "qualify it: segment batch, decoded batch, …",
    "Landing": "qualify it: landing listing, …",
    "DeadLetter": "qualify it: dead-letter record, …",
    "Reason": "qualify it: decode error reason, …",
    "Warehouse": "qualify it",
    "Table": "qualify it: captured table, …",
    "Plan": "qualify it: load plan, component graph, …",
}
FUNCTIONS: Mapping[str, str] = {
    "dispose": "error policy",
    "disposition": "error policy",
    "raise_fence": "advance the fencing token",
}
WORDS: Mapping[str, str] = {
    "lander": "segment writer",
    "intake": "batcher",
    "holdings": "assignment",
    "tally": "dead-letter limit",
    "letter": "dead letter",
    "letters": "dead letters",
    "stranger": "foreign object",
    "strangers": "foreign objects",
    "gauges": "metrics",
    "instrument": "metric",
    "instruments": "metrics",
    "disposition": "error policy",
    "checkpoint": "failpoint",
    "checkpoints": "failpoints",
    "fast": "columnar",
    "vectorised": "columnar",
    "handout": "container secrets",
    "aftermath": "after-statement effects",
    "world": "testing, harness",
}
"""Words that no name has in it, "dead letter" apart."""
LOCALS = frozenset({"found", "place", "places", "wanted", "each"})
MOST_LOCALS = 19
"""So many of `LOCALS` a project may have: now and then one of them is what the thing is."""
ALLOWED: Mapping[tuple[str, str], str] = {
    ("orchestration/airflow/src/bank_dags/adapters/snowflake/statements.py", "statements"): "the folder is Snowflake's",
    ("orchestration/airflow/tests/unit/adapters/test_statements.py", "statements"): "the test of that module",
    ("libs/bank_common/src/bank_common/landing/chains.py", "Chain"): "the row of segments itself",
}
"""(file, name) -> why the word is right there."""


class Finding(NamedTuple):
    """One name that the glossary replaces."""

    file: str
    line: int
    name: str
    instead: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name} -> {self.instead}"


class Report(NamedTuple):
    """The names of modules, classes and functions, and how often each local name is bound, by project."""

    names: list[Finding]
    locals: dict[str, Counter[str]]


def python_files(root: Path, folders: Iterable[str] = ()) -> list[str]:
    """The Python files that git knows, relative to the repository; those in the folders if any are given."""
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "--cached",
            "--others",
            "--exclude-standard",
            "--",
            *(f"{folder}/*.py" for folder in folders),
        ],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return sorted(file for file in listed if file.endswith(".py") and (root / file).exists())


def report(root: Path, files: Iterable[str]) -> Report:
    """Read the files and report the old words among their names."""
    names: list[Finding] = []
    local_names: dict[str, Counter[str]] = {}
    for file in files:
        tree = ast.parse((root / file).read_text(encoding="utf-8"), file)
        names += (finding for finding in old_names(file, tree) if (file, finding.name) not in ALLOWED)
        local_names.setdefault(project_of(file), Counter()).update(old_locals(tree))
    return Report(list(dict.fromkeys(names)), local_names)


def old_names(file: str, tree: ast.Module) -> Iterator[Finding]:
    """The names of the module, its folder, its classes and functions that have an old word."""
    path = Path(file)
    yield from _findings(file, 1, path.stem.removeprefix("test_"), MODULES)
    yield from _findings(str(path.parent), 1, path.parent.name, MODULES)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from _findings(file, node.lineno, node.name, CLASSES)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _findings(file, node.lineno, node.name, FUNCTIONS)


def old_locals(tree: ast.Module) -> Iterator[str]:
    """The names of the table's last row, once for each place where one is bound."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in LOCALS:
            yield node.id
        elif isinstance(node, ast.arg) and node.arg in LOCALS:
            yield node.arg


def project_of(file: str) -> str:
    """The folder that a file is counted for: `services/generator`, or the first folder where there is one level."""
    return "/".join(Path(file).parent.parts[:2]) or "."


def _findings(file: str, line: int, name: str, whole: Mapping[str, str]) -> Iterator[Finding]:
    bare = name.strip("_")
    if bare in whole:
        yield Finding(file, line, name, whole[bare])
        return
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", bare)]
    for before, word in zip(["", *words], words, strict=False):
        if word in WORDS and not (before == "dead" and word.startswith("letter")):
            yield Finding(file, line, name, WORDS[word])
            return


def main(folders: list[str]) -> int:
    """Print what is left; 1 when something is."""
    root = Path(__file__).parents[2]
    names, local_names = report(root, python_files(root, folders))
    for finding in names:
        print(finding)
    for project, counts in sorted(local_names.items()):
        if counts:
            print(f"{project}: {counts.total()} local names ({', '.join(f'{n} {c}' for n, c in counts.most_common())})")
    print(f"{len(names)} names, {sum(counts.total() for counts in local_names.values())} local names")
    return 1 if names or any(counts.total() > MOST_LOCALS for counts in local_names.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
