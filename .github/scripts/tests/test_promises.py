"""What CONTRIBUTING says of settings, decisions, tests and commits, where no other tool holds it."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SERVICES = {"bank_dags", "cdc_consumer", "event_receiver", "generator"}
MAY_READ_THE_ENVIRONMENT = {
    "libs/bank_common/src/bank_common/runtime/settings.py": "what a program's composition root calls",
    "libs/bank_common/src/bank_common/clients/object_store.py": "hides it from the client that it makes",
}
LOAD_SETTINGS = {
    "cdc_consumer": {"main", "commands/chain", "commands/dead_letters"},
    "event_receiver": {"main"},
    "generator": {"main"},
    "bank_dags": {"build", "scheduling/__main__", "skip", "tasks", "warm"},
    "bankctl": {"commands/compose_env", "stack/stack"},
}
"""Composition roots: `main`, commands, and what Airflow and a person start of bank_dags."""
SEES_THAT_NOTHING_COMES = "services/cdc-consumer/tests/contract/test_chain_of_real_records.py"
NEVER_ENDS_SECONDS = 600
SKIPS = ("skip", "skipif", "importorskip")
SLEEPS = ("time.sleep", "asyncio.sleep", "sleep")


def tracked(pattern: str) -> list[str]:
    """Tracked files that match, but for what this machine has deleted."""
    said = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in said.stdout.splitlines() if (ROOT / name).exists()]


PYTHON = tracked("*.py")
TESTS = [name for name in PYTHON if "/tests/" in name or name.startswith("tests-e2e/")]
DECISIONS = tracked("*/adr/*.md")


@cache
def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def fixed_sleeps(tree: ast.AST, *, polls: bool = False) -> Iterator[ast.Call]:
    """Sleeps that are in no loop of their function: nothing is looked at again after them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield from fixed_sleeps(node)
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func) in SLEEPS and not polls:
            yield node
        yield from fixed_sleeps(node, polls=polls or isinstance(node, ast.While | ast.For | ast.AsyncFor))


def test_libraries_never_read_the_environment() -> None:
    readers = {
        name
        for name in PYTHON
        if name.startswith("libs/") and "/src/" in name
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }
    assert readers == set(MAY_READ_THE_ENVIRONMENT)


def test_only_a_composition_root_loads_settings() -> None:
    loads = {
        (package, module.removesuffix(".py"))
        for name in PYTHON
        if "/src/" in name
        for package, _, module in [name.partition("/src/")[2].partition("/")]
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Call) and re.fullmatch(r"\w+Settings\.load", ast.unparse(node.func))
    }
    assert loads == {(package, module) for package, modules in LOAD_SETTINGS.items() for module in modules}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_says_why_what_and_when_it_is_violated(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for part in ("Context", "Decision"):
        assert re.search(rf"^(## {part}$|\*\*{part}\.\*\* )", text, re.MULTILINE), part
    assert re.search(r"^(\*\*)?A change violates this when", text, re.MULTILINE)


def test_there_are_tests_and_decisions() -> None:
    assert len(TESTS) > 100
    assert len(DECISIONS) > 10


def test_a_test_polls_and_never_sleeps_for_a_fixed_time() -> None:
    found: list[str] = []
    for name in TESTS:
        for call in fixed_sleeps(tree_of(name)):
            hangs = isinstance(call.args[0], ast.Constant) and call.args[0].value == NEVER_ENDS_SECONDS
            if not hangs and name != SEES_THAT_NOTHING_COMES:
                found.append(f"{name}, line {call.lineno}: poll with a deadline")
    assert found == []


def test_no_test_skips_itself() -> None:
    assert [
        f"{name}, line {node.lineno}"
        for name in TESTS
        for node in ast.walk(tree_of(name))
        if isinstance(node, ast.Attribute) and node.attr in SKIPS and ast.unparse(node).startswith("pytest.")
    ] == []


def test_an_oracle_stands_outside_the_code_that_it_judges() -> None:
    """The end-to-end suite sees the services from outside."""
    imported = {
        (name, module.partition(".")[0])
        for name in TESTS
        if name.startswith("tests-e2e/")
        for node in ast.walk(tree_of(name))
        for module in modules_of(node)
    }
    assert [(name, package) for name, package in sorted(imported) if package in SERVICES] == []


def modules_of(node: ast.AST) -> list[str]:
    match node:
        case ast.ImportFrom(module=str(module)):
            return [module]
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case _:
            return []


def test_the_checks_see_what_they_are_there_to_see() -> None:
    seen = "def test() -> None:\n    while True:\n        time.sleep(1)\n    time.sleep(2)\n"
    assert [ast.unparse(call) for call in fixed_sleeps(ast.parse(seen))] == ["time.sleep(2)"]
