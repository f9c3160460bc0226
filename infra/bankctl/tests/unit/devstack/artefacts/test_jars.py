import tarfile
from pathlib import Path

import pytest

from bankctl.devstack.artefacts.jars import REGISTRY_ARTIFACT, Jar, JarsError, read_lock, unpack_registry
from bankctl.devstack.artefacts.jars_lock import pinned_versions
from bankctl.stack.paths import repository_root

KAFKA = repository_root() / "infra" / "kafka"
DIGEST = "0" * 64


@pytest.mark.parametrize("line", [f"g:a:1.0:jar {DIGEST}", f"g:a:1.0:all:tar.gz {DIGEST}"])
def test_a_line_of_the_lock_survives_the_round_trip(line: str) -> None:
    assert str(Jar.parse(line)) == line


@pytest.mark.parametrize("line", ["g:a:1.0:jar", "g:a 00", "", f"g:a:1.0 {DIGEST}"])
def test_a_malformed_lock_names_its_line(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "jars.lock"
    lock.write_text(f"# header\n{line or 'x'}\n")
    with pytest.raises(JarsError, match=r"jars\.lock"):
        read_lock(lock)


def test_pom_and_lock_name_the_same_versions() -> None:
    pinned, jars = pinned_versions(KAFKA / "pom.xml"), read_lock(KAFKA / "jars.lock")
    locked = {jar.artifact: jar.version for jar in jars}
    assert locked["kafka_2.13"] == locked["connect-runtime"] == locked["kafka-clients"] == pinned["kafka"]
    assert locked["debezium-connector-postgres"] == pinned["debezium"]
    assert locked["apicurio-registry-utils-converter"] == pinned["converter"]
    assert locked["log4j-slf4j-impl"] == pinned["log4j"]
    assert locked[REGISTRY_ARTIFACT] == pinned["registry"]


def test_there_is_one_kafka_client() -> None:
    clients = [jar for jar in read_lock(KAFKA / "jars.lock") if jar.artifact == "kafka-clients"]
    assert len(clients) == 1


def _archive(tmp_path: Path, name: str) -> Path:
    inner = tmp_path / "app" / "registry-3"
    inner.mkdir(parents=True)
    (inner / name).write_text("jar")
    with tarfile.open(tmp_path / "registry.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "app", arcname="app")
    return tmp_path / "registry.tar.gz"


@pytest.mark.parametrize("filters", [True, False], ids=["with filters", "Python before 3.11.4"])
def test_the_registry_is_unpacked_in_place_of_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filters: bool
) -> None:
    if not filters:
        monkeypatch.delattr(tarfile, "data_filter")
    archive, target = _archive(tmp_path, "quarkus-run.jar"), tmp_path / "registry"
    target.mkdir()
    (target / "older.jar").touch()
    unpack_registry(archive, target)
    assert [path.name for path in target.iterdir()] == ["quarkus-run.jar"]
    assert not (tmp_path / "registry.new").exists()


def test_an_archive_without_the_registry_leaves_the_older_one(tmp_path: Path) -> None:
    archive, target = _archive(tmp_path, "other.jar"), tmp_path / "registry"
    target.mkdir()
    with pytest.raises(JarsError, match=r"quarkus-run\.jar"):
        unpack_registry(archive, target)
    assert target.exists()
