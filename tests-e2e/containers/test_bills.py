"""What a release can do without a registry: the bill of materials that is attested says what is in the image."""

import json
import subprocess
from pathlib import Path
from typing import cast

import docker
import pytest

from harness.driven import ROOT
from harness.images import PREFIX, TAG

pytestmark = [pytest.mark.container, pytest.mark.timeout(120)]
INSTALLED = (
    "import importlib.metadata, json;"
    "print(json.dumps([[found.name, found.version] for found in importlib.metadata.distributions()]))"
)
RELEASED = {
    "services/generator": ("/opt/venv",),
    "services/event-receiver": ("/opt/venv",),
    "services/cdc-consumer": ("/opt/venv",),
    "orchestration/airflow": ("/opt/airflow", "/opt/dbt"),
}
"""Folder -> the environments of its image, in the order of their bills."""


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _bill(file: Path) -> set[tuple[str, str]]:
    content = json.loads(file.read_text(encoding="utf-8"))
    found = [*content["components"], content["metadata"]["component"]]
    return {(_canonical(each["name"]), each["version"]) for each in found}


@pytest.mark.parametrize("folder", RELEASED)
def test_the_bill_of_materials_names_every_package_of_the_image(folder: str, engine: docker.DockerClient) -> None:
    made = subprocess.run(
        ["make", "--silent", "sbom", f"FOLDER={folder}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    bills = [Path(line) for line in made.stdout.splitlines()]
    assert len(bills) == len(RELEASED[folder])
    for bill, environment in zip(bills, RELEASED[folder], strict=True):
        said = engine.containers.run(
            f"{PREFIX}/{Path(folder).name}:{TAG}",
            ["-c", INSTALLED],
            entrypoint=f"{environment}/bin/python",
            remove=True,
        )
        installed = {(_canonical(name), version) for name, version in json.loads(cast("bytes", said))}
        assert len(installed) > 10
        assert installed <= _bill(bill), f"{bill.name} lacks {installed - _bill(bill)}"
