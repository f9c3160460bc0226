"""Writes infra/kafka/jars.lock from pom.xml. For maintainers: needs Maven, whose resolution is the authority."""

import hashlib
import re
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Final
from xml.etree import ElementTree

from bankctl.devstack.artefacts.jars import REGISTRY_ARTIFACT, Jar, JarsError

_HEADER: Final = (
    "# Every Java artefact that native runs use: group:artifact:version[:classifier]:packaging sha256\n"
    "# Written by `bank jars lock` from pom.xml; do not edit.\n"
)
_POM: Final = {"m": "http://maven.apache.org/POM/4.0.0"}
_COORDINATES: Final = re.compile(r"^\s*([\w.-]+):([\w.-]+):jar:(?:([\w.-]+):)?([\w.-]+):(?:compile|runtime)\b")


def pinned_versions(pom: Path) -> dict[str, str]:
    """The `*.version` properties of the POM, by name without the suffix."""
    properties = ElementTree.parse(pom).getroot().find("m:properties", _POM)  # noqa: S314 - our own file
    elements = list(properties) if properties is not None else []
    return {item.tag.partition("}")[2].removesuffix(".version"): item.text or "" for item in elements}


def write(pom: Path, lock: Path) -> int:
    """Resolve the POM with Maven and write the lock; the number of artefacts.

    Raises:
        JarsError: Maven is missing or failed.
    """
    if which("mvn") is None:
        raise JarsError("`bank jars lock` needs Maven.", advice="Install Maven, or leave jars.lock as it is.")
    with tempfile.TemporaryDirectory() as scratch:
        listing, folder = Path(scratch) / "list", Path(scratch) / "jars"
        version = pinned_versions(pom)["registry"]
        registry = f"io.apicurio:{REGISTRY_ARTIFACT}:{version}:tar.gz:all"
        runtime = "-DincludeScope=runtime"
        _maven(pom, "dependency:list", runtime, f"-DoutputFile={listing}")
        _maven(pom, "dependency:copy-dependencies", runtime, f"-DoutputDirectory={folder}")
        _maven(pom, "dependency:copy", f"-Dartifact={registry}", f"-DoutputDirectory={folder}")
        jars = [_hashed(Jar("io.apicurio", REGISTRY_ARTIFACT, version, "all", "tar.gz", ""), folder)]
        for line in listing.read_text(encoding="utf-8").splitlines():
            match = _COORDINATES.match(line)
            if match:
                group, artifact, classifier, jar_version = match.groups()
                jars.append(_hashed(Jar(group, artifact, jar_version, classifier or "", "jar", ""), folder))
    lock.write_text(_HEADER + "".join(f"{line}\n" for line in sorted(str(jar) for jar in jars)), encoding="utf-8")
    return len(jars)


def _hashed(jar: Jar, folder: Path) -> Jar:
    return replace(jar, sha256=hashlib.sha256((folder / jar.file_name).read_bytes()).hexdigest())


def _maven(pom: Path, *arguments: str) -> None:
    done = subprocess.run(["mvn", "-B", "-q", "-f", str(pom), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise JarsError(f"Maven failed: {done.stdout.strip()[-800:]}", advice="Correct pom.xml.")
