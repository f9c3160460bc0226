"""SBOMs: the bill of materials that a release attests names every package of the image."""

import json
import subprocess
from pathlib import Path
from typing import cast

import docker
import pytest

from harness.images import PREFIX, TAG
from harness.stack_driver import ROOT

pytestmark = [pytest.mark.container, pytest.mark.timeout(120)]
INSTALLED = (
    "import importlib.metadata, json;"
    "print(json.dumps([[found.name, found.version] for found in importlib.metadata.distributions()]))"
)
ENVIRONMENTS = {
    "services/generator": ("/opt/venv",),
    "services/event-receiver": ("/opt/venv",),
    "services/cdc-consumer": ("/opt/venv",),
    "infra/bankctl/images/provisioner": ("/opt/venv",),
    "infra/bankctl/images/bank": ("/opt/venv",),
    "orchestration/airflow": ("/opt/airflow", "/opt/dbt"),
}
"""Folder -> the environments of its image, in the order of their SBOMs."""


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _packages(file: Path) -> set[tuple[str, str]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    entries = [*content["components"], content["metadata"]["component"]]
    return {(_canonical(entry["name"]), entry["version"]) for entry in entries}


@pytest.mark.parametrize("folder", ENVIRONMENTS)
def test_the_sbom_names_every_package_of_the_image(folder: str, engine: docker.DockerClient) -> None:
    made = subprocess.run(
        ["make", "--silent", "sbom", f"FOLDER={folder}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    sboms = [Path(line) for line in made.stdout.splitlines()]
    assert len(sboms) == len(ENVIRONMENTS[folder])
    for sbom, environment in zip(sboms, ENVIRONMENTS[folder], strict=True):
        said = engine.containers.run(
            f"{PREFIX}/{Path(folder).name}:{TAG}",
            ["-c", INSTALLED],
            entrypoint=f"{environment}/bin/python",
            remove=True,
        )
        installed = {(_canonical(name), version) for name, version in json.loads(cast("bytes", said))}
        assert len(installed) > 10
        assert installed <= _packages(sbom), f"{sbom.name} lacks {installed - _packages(sbom)}"
