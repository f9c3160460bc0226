"""A repository of a test's own, with this one's files, released once, in which releases are rehearsed."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import components
import uv_projects

ROOT = Path(__file__).parents[3]
TOOLS = ROOT / ".local" / "release"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release pull request that release-please would open. `files` holds new contents by path."""

    title: str
    version: str
    body: str
    files: dict[str, str]


class Rehearsal:
    """Commits, release pull requests and their merges, on a branch main without a GitHub."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in filter(None, uv_projects.git(ROOT, "ls-files", "-z", "-co", "--exclude-standard").split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)
        self._git("init", "--quiet", "--initial-branch", "main")
        self._commit("chore: the first release")
        for component in self.components.values():
            self._git("tag", component.tag)

    @property
    def components(self) -> dict[str, components.Component]:
        """Every component, as the work tree has it."""
        return components.load(self.root)

    @property
    def versions(self) -> dict[str, str]:
        """The version of each component."""
        return {name: component.version for name, component in self.components.items()}

    @property
    def tags(self) -> set[str]:
        """All tags."""
        return set(uv_projects.git(self.root, "tag").split())

    def change(self, path: str, message: str) -> None:
        """Commit one more line in a file."""
        with (self.root / path).open("a", encoding="utf-8") as file:
            file.write("# changed\n")
        self._commit(message)

    def candidates(self) -> dict[str, Candidate]:
        """The release pull requests that release-please would open now, by component."""
        node = shutil.which("node")
        assert node, "node is missing: run `make release-rehearsal`, which brings it"
        script = ROOT / ".github" / "release" / "candidates.cjs"
        done = subprocess.run(
            [node, str(script), str(self.root)], cwd=TOOLS, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        offered: dict[str, Candidate] = {}
        for document in json.loads(done.stdout):
            component = re.fullmatch(r"release-please--branches--main--components--(.+)", document["branch"])
            assert component, document["branch"]
            offered[component[1]] = Candidate(
                document["title"], document["version"], document["body"], document["files"]
            )
        return offered

    def take(self, name: str, candidate: Candidate) -> None:
        """Squash-merge a release pull request."""
        for path, text in candidate.files.items():
            (self.root / path).write_text(text, encoding="utf-8")
        self._commit(f"{candidate.title} (#7)")
        assert self.versions[name] == candidate.version

    def tag(self, name: str) -> None:
        """Tag a component's present version, as release-please does once its pull request is merged."""
        self._git("tag", self.components[name].tag)

    def changed_lines(self, candidate: Candidate) -> dict[str, list[str]]:
        """The lines that a candidate takes away or adds, by path, with - or + in front; changelogs whole."""
        for path, text in candidate.files.items():
            (self.root / path).write_text(text, encoding="utf-8")
        changed = {
            path: [
                line
                for line in uv_projects.git(self.root, "diff", "--unified=0", "--", path).splitlines()
                if line[:1] in "+-" and not line.startswith(("+++", "---"))
            ]
            for path in candidate.files
        }
        self._git("checkout", "--quiet", ".")
        return changed

    def stale_locks(self) -> list[str]:
        """The folders whose lock uv would not take as it is. Offline: a lock that is right needs no registry."""
        uv = os.environ.get("UV") or shutil.which("uv") or ""
        assert uv, "uv is missing: run `make release-rehearsal`, which brings it"
        check = [uv, "lock", "--check", "--offline", "--quiet", "--project"]
        folders = [str(Path(lock).parent) for lock in uv_projects.git(self.root, "ls-files", "*uv.lock").split()]
        return [folder for folder in folders if subprocess.run([*check, folder], cwd=self.root, check=False).returncode]

    def _commit(self, message: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", message)

    def _git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
        uv_projects.git(self.root, *identity, *arguments)
