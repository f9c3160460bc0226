"""The compose driver, through testcontainers: the project's own images, its own compose file."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any, cast

import psutil
from testcontainers.compose import ComposeContainer, DockerCompose
from testcontainers.core.docker_client import DockerClient

from bankctl.model import compose_variables
from bankctl.provision.rendering import platform
from harness.stack_driver import ROOT, StackDriver
from harness.waiting import until

PROJECT = "bank-test"
STEPS = frozenset({"secrets", "platform-databases", "airflow-database", "provision"})
REVIVE_SECONDS = 120

# Runs in the container, where a look costs microseconds.
_KILL = """
import os, signal, sys, time
deadline, without, *words = sys.argv[1:]
deadline = time.monotonic() + float(deadline)
while time.monotonic() < deadline:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = open(f"/proc/{pid}/cmdline", "rb").read() + open(f"/proc/{pid}/comm", "rb").read()
            line = line.replace(b"\\0", b" ").decode(errors="replace")
        except OSError:
            continue
        matches = all(word in line for word in words) and not (without and without in line)
        if matches and int(pid) not in (1, os.getpid()):
            os.kill(int(pid), signal.SIGKILL)
            sys.exit(0)
    time.sleep(0.005)
sys.exit(f"no process with {words} showed")
"""


class ComposeDriver(StackDriver):
    """Containers of infra/compose/compose.yaml, in a project and with ports of their own."""

    promised_bytes = 5 * 2**30

    def __init__(self) -> None:
        super().__init__()
        os.environ["COMPOSE_PROJECT_NAME"] = PROJECT
        self.stack.state_dir.mkdir(parents=True, exist_ok=True)
        variables = self.stack.state_dir / "compose.env"
        variables.write_text(compose_variables.render(platform(ROOT), self.stack.settings.port_offset))
        self.compose = DockerCompose(
            ROOT, compose_file_name="infra/compose/compose.yaml", env_file=str(variables), pull=False, build=False
        )

    @cached_property
    def _docker(self) -> DockerClient:
        return DockerClient()

    def up(self) -> None:
        """`docker compose up --wait`; the secrets are copied out of their volume, so that `bank` works from here."""
        start = time.monotonic()
        self.compose.start()
        print(f"\ncompose up, healthy: {time.monotonic() - start:.1f} s")
        folder = self.stack.state_dir / "secrets"
        shutil.rmtree(folder, ignore_errors=True)
        self._run("cp", "provision:/var/lib/bank/secrets", str(folder))
        folder.chmod(0o700)

    def down(self) -> None:
        """Remove containers, networks and volumes."""
        start = time.monotonic()
        self.compose.stop()
        print(f"\ncompose down: {time.monotonic() - start:.1f} s")

    def kill(self, component: str) -> None:
        """See `StackDriver`."""
        self._run("kill", "--signal", "KILL", component)
        until(f"{component} is gone", lambda: self._container(component).State == "exited", seconds=20)

    def revive(self, component: str) -> None:
        """See `StackDriver`."""
        container = self._docker.client.containers.get(str(self._container(component).ID))
        container.start()
        until(f"{component} is healthy", lambda: _healthy(self._container(component)), seconds=REVIVE_SECONDS)

    def health(self) -> dict[str, bool]:
        """See `StackDriver`."""
        return {name: _healthy(container) for name, container in self._containers().items() if name not in STEPS}

    def memory_bytes(self) -> int:
        """Anonymous memory and page cache in use, of all containers."""
        total = 0
        for container in self._containers().values():
            if container.State != "running":
                continue
            seen = cast("Any", self._docker.client.containers.get(str(container.ID))).stats(stream=False, one_shot=True)
            usage = seen["memory_stats"]
            total += usage.get("usage", 0) - usage.get("stats", {}).get("inactive_file", 0)
        return total

    def kill_descendant(self, component: str, *words: str, without: str = "", seconds: float) -> None:
        """See `StackDriver`."""
        done = self._exec(component, "python", "-c", _KILL, str(seconds), without, *words)
        assert done.returncode == 0, done.stderr

    def process(self, component: str) -> psutil.Process:
        """See `StackDriver`: below the engine's init, which Airflow's containers have."""
        found = cast("Any", self._docker.client.containers.get(str(self._container(component).ID)))
        first = psutil.Process(found.attrs["State"]["Pid"])
        return first.children()[0] if found.attrs["HostConfig"]["Init"] else first

    def watched(self) -> AbstractContextManager[None]:
        """See `StackDriver`: the restart policy of each service does it."""
        return nullcontext()

    def task_logged(self, dag: str, event: str) -> bool:
        """See `StackDriver`."""
        logs = f"/var/lib/airflow/logs/dag_id={dag}"
        return self._exec("airflow-scheduler", "grep", "--recursive", "--quiet", event, logs).returncode == 0

    @contextmanager
    def generating(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """See `StackDriver`."""
        command = ["run", "--rm", "--no-deps", "--no-TTY", "generator", "run", "--once", "--json", *arguments]
        run = subprocess.Popen(
            self._command(*command), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            yield run
        finally:
            if run.poll() is None:
                run.terminate()
                run.wait(30)

    def _container(self, component: str) -> ComposeContainer:
        return self._containers()[component]

    def _containers(self) -> dict[str, ComposeContainer]:
        """Each component's container. `ps` fails when one of `run --rm` ends while it looks: then it looks again."""
        refused: list[str] = []

        def listed() -> list[ComposeContainer]:
            try:
                return self.compose.get_containers(include_all=True)
            except subprocess.CalledProcessError as error:
                refused.append(error.stderr.decode(errors="replace"))
                return []

        containers = until("docker compose lists its containers", listed, seconds=20, state=lambda: refused[-1:])
        return {str(container.Service): container for container in containers}

    def _command(self, *arguments: str) -> list[str]:
        return [*self.compose.compose_command_property, *arguments]

    def _exec(self, component: str, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self._command("exec", "--no-TTY", component, *command),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(self._command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"docker compose {' '.join(arguments)}: {done.stderr}"
        return done.stdout


def _healthy(container: ComposeContainer) -> bool:
    return container.State == "running" and container.Health == "healthy"
