"""The glossary's words hold: the folders that have them keep them, and the script sees what it is there to see."""

from pathlib import Path

import pytest

import words

ROOT = Path(__file__).parents[3]
HELD = ("libs", "services", "infra", "analytics", "orchestration", "tests-e2e", "benchmarks", ".github")
"""Folders whose names have the glossary's words: all that have Python."""


def report_of(root: Path, file: str, text: str) -> words.Report:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return words.report(root, [file])


@pytest.mark.parametrize("folder", HELD)
def test_no_name_has_an_old_word(folder: str) -> None:
    files = words.python_files(ROOT, [folder])
    assert len(files) > 3
    assert words.report(ROOT, files).names == []


@pytest.mark.parametrize("folder", HELD)
def test_local_names_say_what_they_hold(folder: str) -> None:
    counts = words.report(ROOT, words.python_files(ROOT, [folder])).locals
    assert {project: count for project, count in counts.items() if count.total() > words.MOST_LOCALS} == {}


def test_what_is_allowed_is_there() -> None:
    for file, name in words.ALLOWED:
        tree = words.ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {finding.name for finding in words.old_names(file, tree)}, f"{file} has no {name} any more"


@pytest.mark.parametrize(
    ("file", "text", "names"),
    [
        ("services/s/src/s/gate.py", "", ["gate"]),
        ("services/s/tests/unit/test_gate.py", "", ["gate"]),
        ("services/s/src/s/vector/__init__.py", "", ["vector"]),
        ("services/s/tests/s_world/real.py", "", ["s_world"]),
        ("services/s/src/s/a.py", "class _Held:\n    def dispose(self): ...", ["_Held", "dispose"]),
        ("services/s/src/s/a.py", "class FastKeys: ...\nasync def open_letters(): ...", ["FastKeys", "open_letters"]),
        ("services/s/src/s/a.py", "class DeadLetterRecord: ...\ndef open_dead_letters(): ...", []),
        ("services/s/src/s/breakfast.py", "class HeldBack: ...\ndef aggregate(): ...", []),
    ],
)
def test_old_words_are_seen_in_names(tmp_path: Path, file: str, text: str, names: list[str]) -> None:
    assert [finding.name for finding in report_of(tmp_path, file, text).names] == names


def test_old_local_names_are_counted_where_they_are_bound(tmp_path: Path) -> None:
    text = "def f(wanted):\n    found = [each for each in wanted]\n    return found, place\n"
    [(project, counts)] = report_of(tmp_path, "services/s/src/s/a.py", text).locals.items()
    assert (project, dict(counts)) == ("services/s", {"wanted": 1, "found": 1, "each": 1})
