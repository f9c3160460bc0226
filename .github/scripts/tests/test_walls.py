"""CONTRIBUTING's walls hold each other: what an import contract calls pure has strict types, each package has rooms."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = {
    "bank_common": "libs/bank_common/src",
    "bank_dags": "orchestration/airflow/src",
    "bankctl": "infra/bankctl/src",
    "cdc_consumer": "services/cdc-consumer/src",
    "event_receiver": "services/event-receiver/src",
    "generator": "services/generator/src",
    "snowflake_local": "infra/snowflake-local/src",
}
OPT_OUT = "# Arrow has no types.\n# pyright: standard\n"


def tool(project: Path, name: str) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["tool"][name]


CONTRACTS: list[dict[str, Any]] = tool(ROOT, "importlinter")["contracts"]


def files_of(module: str) -> Iterator[Path]:
    """The files of a module, or of a package and all that is in it."""
    path = ROOT / SOURCES[module.partition(".")[0]] / module.replace(".", "/")
    yield from [path.with_suffix(".py")] if path.with_suffix(".py").exists() else sorted(path.rglob("*.py"))


def pure_files() -> list[Path]:
    """The files of every module that a contract keeps from what is outside of this repository."""
    kept = [
        contract
        for contract in CONTRACTS
        if contract["type"] == "forbidden"
        and any(name.partition(".")[0] not in SOURCES for name in contract["forbidden_modules"])
    ]
    return sorted({file for contract in kept for module in contract["source_modules"] for file in files_of(module)})


def strict_paths() -> list[Path]:
    return [
        project / path
        for project in (ROOT, ROOT / "orchestration" / "airflow", ROOT / "infra" / "snowflake-local")
        for path in tool(project, "pyright")["strict"]
    ]


def imported(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def test_there_are_pure_modules() -> None:
    packages = {
        file.relative_to(ROOT / SOURCES[package]).parts[0]
        for package in SOURCES
        for file in pure_files()
        if file.is_relative_to(ROOT / SOURCES[package])
    }
    assert packages == set(SOURCES)


@pytest.mark.parametrize("path", strict_paths(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_listed_as_strict_is_there(path: Path) -> None:
    assert path.exists()


@pytest.mark.parametrize("file", pure_files(), ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_pure_module_has_strict_types(file: Path) -> None:
    assert any(file.is_relative_to(path) for path in strict_paths()), "name it in [tool.pyright] strict"


def test_only_modules_over_arrow_opt_out() -> None:
    texts = {
        file: file.read_text(encoding="utf-8") for source in SOURCES.values() for file in (ROOT / source).rglob("*.py")
    }
    opted_out = {file for file, text in texts.items() if "# pyright: standard" in text or "# pyright: basic" in text}
    over_arrow = {"pyarrow"} | {
        ".".join(file.relative_to(ROOT / source).with_suffix("").parts)
        for source in SOURCES.values()
        for file in opted_out
        if file.is_relative_to(ROOT / source)
    }
    for file in opted_out:
        assert OPT_OUT in texts[file], file
        assert any(name.partition(".")[0] == "pyarrow" or name in over_arrow for name in imported(file)), file


@pytest.mark.parametrize("package", sorted(SOURCES))
def test_each_package_has_a_contract_of_its_rooms(package: str) -> None:
    layered = {
        name.strip().partition(".")[0]
        for contract in CONTRACTS
        if contract["type"] == "layers"
        for layer in contract["layers"]
        for name in layer.replace("|", ":").split(":")
    }
    assert package in layered
