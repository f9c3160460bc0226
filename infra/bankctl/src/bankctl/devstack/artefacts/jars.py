"""The jars of the Java components and of their compiler: pinned in jars.lock, fetched without Maven."""

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts.cache import exclusively

_THREADS: Final = 8
_TIMEOUT_SECONDS: Final = 120
REGISTRY_ARTIFACT: Final = "apicurio-registry-app"
COMPILER_ARTIFACT: Final = "ecj"


class JarsError(PipelineError):
    """A jar could not be fetched, or is not the one that the lock names."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock: `group:artifact:version[:classifier]:packaging sha256`."""

    group: str
    artifact: str
    version: str
    classifier: str
    packaging: str
    sha256: str

    @classmethod
    def parse(cls, line: str) -> "Jar":
        """Read a line of the lock.

        Raises:
            ValueError: the line is not of that form.
        """
        coordinates, _, digest = line.strip().partition(" ")
        parts = coordinates.split(":")
        if len(parts) not in (4, 5) or len(digest) != 64:
            raise ValueError(f"not a line of jars.lock: {line!r}")
        classifier = parts[3] if len(parts) == 5 else ""
        return cls(parts[0], parts[1], parts[2], classifier, parts[-1], digest)

    def __str__(self) -> str:
        middle = f"{self.classifier}:" if self.classifier else ""
        return f"{self.group}:{self.artifact}:{self.version}:{middle}{self.packaging} {self.sha256}"

    @property
    def file_name(self) -> str:
        """The name it has in the cache and on the class path."""
        classifier = f"-{self.classifier}" if self.classifier else ""
        return f"{self.artifact}-{self.version}{classifier}.{self.packaging}"


def read_lock(path: Path) -> tuple[Jar, ...]:
    """Every jar of the lock.

    Raises:
        JarsError: a line is malformed.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        return tuple(Jar.parse(line) for line in lines if line.strip() and not line.startswith("#"))
    except ValueError as error:
        raise JarsError(f"{path.name}: {error}", advice="Restore the file from git.") from None


def folder(cache: Path, lock: Path) -> Path:
    """The folder of this lock's jars in the cache: `lib/*.jar`, `registry/` and `tools/ecj.jar`."""
    return cache / "jars" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]


def ensure(cache: Path, lock: Path, progress: Callable[[str], None]) -> Path:
    """Fetch what is missing, check every hash, and give the folder.

    Raises:
        JarsError: a download failed or a hash differs.
    """
    target = folder(cache, lock)
    with exclusively(target):
        if not (target / "complete").exists():
            _fetch_all(read_lock(lock), target, progress)
            (target / "complete").touch()
    return target


def class_path(target: Path) -> str:
    """Every jar of the platform, for `java -cp`."""
    return os.pathsep.join(str(path) for path in sorted((target / "lib").glob("*.jar")))


def compiler(target: Path) -> Path:
    """The compiler of infra/kafka/smt. It is no library: a worker that can compile could be made to."""
    return target / "tools" / "ecj.jar"


def _fetch_all(jars: Iterable[Jar], target: Path, progress: Callable[[str], None]) -> None:
    required = list(jars)
    library = target / "lib"
    library.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in required if not _present(jar, target)]
    with tempfile.TemporaryDirectory(dir=target, prefix="fetch-") as scratch, ThreadPoolExecutor(_THREADS) as pool:
        pending = {pool.submit(_fetch, jar, Path(scratch)): jar for jar in missing}
        for count, future in enumerate(as_completed(pending), start=len(required) - len(missing) + 1):
            jar = pending[future]
            try:
                artifact_file = future.result()
            except Exception as error:
                for other in pending:
                    other.cancel()
                if isinstance(error, JarsError):
                    raise
                raise JarsError(
                    f"Can't fetch {jar.group}:{jar.artifact}:{jar.version}: {error}",
                    advice="Check the network and run the command again; what was fetched is kept.",
                ) from error
            if jar.artifact == REGISTRY_ARTIFACT:
                unpack_registry(artifact_file, target / "registry")
            elif jar.artifact == COMPILER_ARTIFACT:
                compiler(target).parent.mkdir(exist_ok=True)
                shutil.move(artifact_file, compiler(target))
            else:
                shutil.move(artifact_file, library / jar.file_name)
            progress(f"jars: {count} of {len(required)}")


def _present(jar: Jar, target: Path) -> bool:
    if jar.artifact == REGISTRY_ARTIFACT:
        return (target / "registry" / "quarkus-run.jar").exists()
    path = compiler(target) if jar.artifact == COMPILER_ARTIFACT else target / "lib" / jar.file_name
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def _fetch(jar: Jar, scratch: Path) -> Path:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch / "repository", timeout=_TIMEOUT_SECONDS)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version)
    artifact_file = Path(artifact.artifact(classifier=jar.classifier, packaging=jar.packaging).resolve())
    digest = hashlib.sha256(artifact_file.read_bytes()).hexdigest()
    if digest != jar.sha256:
        raise JarsError(
            f"{jar.file_name} has the hash {digest}, the lock says {jar.sha256}.",
            advice="The download is damaged or was replaced: run the command again; if it stays, don't use it.",
        )
    return artifact_file


def unpack_registry(archive: Path, destination: Path) -> None:
    """Put the folder of the archive that holds `quarkus-run.jar` in the destination's place.

    Raises:
        JarsError: there is none in it.
    """
    scratch = destination.with_name("registry.new")
    shutil.rmtree(scratch, ignore_errors=True)
    with tarfile.open(archive) as tar:
        # Python before 3.11.4 knows no filters; the archive's hash has been checked either way.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(scratch)  # noqa: S202 - see above
    inner = list(scratch.rglob("quarkus-run.jar"))
    if not inner:
        raise JarsError("The registry's archive has no quarkus-run.jar.", advice="Check its version in pom.xml.")
    shutil.rmtree(destination, ignore_errors=True)
    shutil.move(inner[0].parent, destination)
    shutil.rmtree(scratch, ignore_errors=True)
