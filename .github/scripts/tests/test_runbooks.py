"""What a service advises names a runbook that is there, and no command of `bank`: a service knows no checkout."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "infra" / "runbooks"
SOURCES = sorted(
    path
    for folder in (
        "libs/bank_common",
        "orchestration/airflow",
        *(f"services/{path.name}" for path in ROOT.glob("services/*")),
    )
    for path in (ROOT / folder / "src").rglob("*.py")
)
RUNBOOK = re.compile(r"infra/runbooks/[a-z-]+\.md")
BANK = re.compile(r"`bank |\bbank (up|down|provision|connector|chain|status|logs|build|catalogue)\b|--wipe")
LINK = re.compile(r"\]\(([a-z-]+\.md)(?:#[a-z-]+)?\)")


def texts(source: str) -> Iterator[str]:
    """Every text of a module but its docstrings; of an f-string what does not change, as one text."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | parts:
            yield node.value


def runbooks(source: str) -> set[str]:
    """The runbooks that a module names: by their path in a text, or as the argument `runbook` of an error policy."""
    arguments = (
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.keyword) and node.arg == "runbook"
    )
    names = {node.value.value for node in arguments if isinstance(node.value, ast.Constant)}
    return {name for text in texts(source) for name in RUNBOOK.findall(text)} | {
        f"infra/runbooks/{name}.md" for name in names
    }


def commands(source: str) -> list[str]:
    """The texts that name a command of `bank`, or a wipe."""
    return [text for text in texts(source) if BANK.search(text)]


def test_the_services_are_read() -> None:
    assert {"cdc_consumer", "event_receiver", "generator", "bank_dags", "bank_common"} <= {
        path.relative_to(ROOT).parts[path.relative_to(ROOT).parts.index("src") + 1] for path in SOURCES
    }


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ('def f():\n    """Written by `bank up`."""\n    return "Read the runbook."', []),
        ('f("Run `bank provision`.")', ["Run `bank provision`."]),
        (
            'f(f"Restore {key}, or start over with `bank " "down --wipe`.")',
            ["Restore …, or start over with `bank down --wipe`."],
        ),
        ('f("Empty it with --wipe.")', ["Empty it with --wipe."]),
    ],
)
def test_a_command_is_seen_in_a_text_and_not_in_a_docstring(source: str, seen: list[str]) -> None:
    assert commands(source) == seen


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_service_names_a_command_of_bank_or_a_wipe(path: Path) -> None:
    assert commands(path.read_text(encoding="utf-8")) == []


def test_a_runbook_is_seen_in_a_text_and_as_an_argument() -> None:
    source = 'f("See infra/runbooks/load-fence.md."); Halt("Wait.", runbook="copy-refused")'
    assert runbooks(source) == {"infra/runbooks/load-fence.md", "infra/runbooks/copy-refused.md"}


def test_every_runbook_that_a_service_names_is_there() -> None:
    named = {name for path in SOURCES for name in runbooks(path.read_text(encoding="utf-8"))}
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_the_table_of_runbooks_has_every_file() -> None:
    table = set(LINK.findall((RUNBOOKS / "README.md").read_text(encoding="utf-8")))
    assert table == {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_s_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name in LINK.findall(text) if not (RUNBOOKS / name).is_file()] == []
