"""Another checkout of the repository, whose consumer runs in this environment: nothing but its code differs."""

import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple, Self

SOURCES: Final = ("services/cdc-consumer/src", "libs/bank_common/src")


class Checkout(NamedTuple):
    """A folder, and what names it in a table."""

    label: str
    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Name a checkout by its commit, with a plus where files differ from it.

        Raises:
            SystemExit: it is no checkout of this repository.
        """
        if missing := [source for source in SOURCES if not (folder / source).is_dir()]:
            raise SystemExit(f"{folder} has no {missing[0]}: name a checkout, e.g. one that `git worktree add` made.")
        commit = _git(folder, "rev-parse", "--short", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", *SOURCES)
        return cls(f"{commit}{'+' if changed else ''}", folder.resolve())

    @property
    def environment(self) -> dict[str, str]:
        """What makes Python take the checkout's code before what is installed."""
        return {"PYTHONPATH": ":".join(str(self.folder / source) for source in SOURCES)}

    def require_own_code(self, environ: dict[str, str]) -> None:
        """Raise SystemExit when a process with these variables would run another consumer than the checkout's."""
        look = "import bank_common, cdc_consumer; print(bank_common.__file__); print(cdc_consumer.__file__)"
        done = subprocess.run([sys.executable, "-c", look], env=environ, capture_output=True, text=True, check=True)
        for file in done.stdout.splitlines():
            if not Path(file).is_relative_to(self.folder):
                raise SystemExit(f"{self.label} would run {file}, which is not below {self.folder}.")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{folder} is no git checkout: {done.stderr.strip()}")
    return done.stdout.strip()
