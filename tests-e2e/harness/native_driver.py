"""The native driver works as an operator does: by the `bank` command and by signals to recorded processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil

from harness.stack_driver import ROOT, StackDriver
from harness.waiting import until


class NativeDriver(StackDriver):
    """Processes of this machine."""

    promised_bytes = 4 * 2**30

    def up(self) -> None:
        """`bank up`."""
        self.bank("up")

    def kill(self, component: str) -> None:
        """See `StackDriver`."""
        process = self.process(component)
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    def revive(self, component: str) -> None:
        """See `StackDriver`."""
        self.bank("up", "--only", component)

    def health(self) -> dict[str, bool]:
        """See `StackDriver`."""
        components = self._status()["components"].items()
        return {name: component["healthy"] for name, component in components if not component["optional"]}

    def process(self, component: str) -> psutil.Process:
        """See `StackDriver`: the recorded one."""
        return psutil.Process(json.loads(self.stack.run_file(component).read_text())["pid"])

    def executor_processes(self) -> list[psutil.Process]:
        """The processes that Airflow's executor has started for tasks, idle or busy."""
        titles = ("LocalExecutor", "airflow task --")
        return [process for title in titles for process in self.descendants("airflow-scheduler", title)]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See `StackDriver`: by `bank up --watch`, which must end well and leave all running."""
        command, log = [sys.executable, "-m", "bankctl", "up", "--watch"], self.stack.log_file("watch")
        with log.open("wb") as output:
            supervisor = subprocess.Popen(command, cwd=ROOT, env=self._shell, stdout=output, stderr=output)
        try:
            until("it watches", lambda: "watching" in log.read_text(), seconds=180, state=log.read_text)
            yield
            supervisor.terminate()
            assert supervisor.wait(60) == 0
        finally:
            if supervisor.poll() is None:
                supervisor.kill()
            print(f"\nbank up --watch said:\n{log.read_text()}")

    def memory_bytes(self) -> int:
        """Proportional set size of all processes."""
        return self._status()["total_memory_bytes"]

    def kill_descendant(self, component: str, *words: str, without: str = "", seconds: float) -> None:
        """See `StackDriver`."""

        def victim() -> psutil.Process | None:
            return next(iter(self.descendants(component, *words, without=without)), None)

        until(f"a process with {words} runs", victim, seconds=seconds, every=0.005).kill()

    def task_logged(self, dag: str, event: str) -> bool:
        """See `StackDriver`."""
        logs = (self.stack.data_dir("airflow") / "logs" / f"dag_id={dag}").rglob("attempt=*.log")
        return any(event in log.read_text() for log in logs)

    @contextmanager
    def generating(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """See `StackDriver`."""
        command = [sys.executable, "-m", "generator", "run", "--once", "--json", *arguments]
        lines = self.stack.env_file("generator").read_text().splitlines()
        own = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        run = subprocess.Popen(
            command, env=os.environ | own, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            yield run
        finally:
            if run.poll() is None:
                run.terminate()
                run.wait(20)

    def _status(self) -> dict[str, Any]:
        return json.loads(self.bank("status", "--json", check=False))
