"""Airflow's executor of this project: one process per task, forked when the task is due and gone with it.

There is no idle process that could die with a lock in its hands, and no queue that several read: a worker that ends,
by whatever cause, is seen at the scheduler's next turn by its exit alone (adr/0004).
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url

from bank_dags.scheduling.preloaded import preload
from bank_dags.scheduling.worker import Ended, Worker, fork

if TYPE_CHECKING:
    from airflow.executors.workloads import ExecutorWorkload
    from airflow.executors.workloads.types import WorkloadKey, WorkloadState
    from airflow.models.taskinstance import TaskInstance

FINISH_SECONDS: Final = 4.0
"""At the scheduler's end: how long tasks may go on; a load takes about this long."""
TERMINATE_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.05


class ProcessExecutor(BaseExecutor):
    """Runs up to `parallelism` workloads, each in a process of its own, and never waits for one of them."""

    is_local = True
    supports_callbacks = True

    _workers: "dict[WorkloadKey, tuple[ExecutorWorkload, Worker]]"
    _given_up: list[Worker]

    def start(self) -> None:
        """Import what tasks need, while the scheduler has neither a thread nor a child."""
        preload()
        self._workers, self._given_up = {}, []

    def _process_workloads(self, workload_items: "Sequence[ExecutorWorkload]") -> None:
        for workload in workload_items:
            key = workload.key
            for queue in (self.queued_tasks, self.queued_callbacks):
                queue.pop(key, None)  # pyright: ignore[reportArgumentType, reportCallIssue]
            self._give_up(key)  # the scheduler asks anew for what it has taken back
            try:
                worker = fork(partial(self._run, workload))
            except OSError as error:
                self.change_state(key, workload.failure_state, f"No process could be made for it: {error.strerror}.")
                continue
            self.running.add(key)
            self._workers[key] = (workload, worker)
            if workload.running_state is not None:
                self.change_state(key, workload.running_state, remove_running=False)

    def _run(self, workload: "ExecutorWorkload") -> None:
        server = get_execution_api_server_url(self.conf)
        title = f"airflow task -- {workload.display_name}"
        self.run_workload(workload, server=server, proctitle=title, subprocess_logs_to_stdout=True)

    def sync(self) -> None:
        """Report every worker that has ended."""
        for key, (workload, worker) in list(self._workers.items()):
            if (ended := worker.ended()) is not None:
                del self._workers[key]
                self._report(key, workload, ended)
        self._given_up = [worker for worker in self._given_up if worker.ended() is None]

    def _report(self, key: "WorkloadKey", workload: "ExecutorWorkload", ended: Ended) -> None:
        if ended.reason is None:
            self.change_state(key, workload.success_state)
        else:
            self.log.error("%s: %s", workload.display_name, ended.reason)
            self.change_state(key, workload.failure_state, ended.reason)

    def change_state(
        self, key: "WorkloadKey", state: "WorkloadState", info: Any = None, remove_running: bool = True
    ) -> None:
        """Also how the scheduler gives up a task whose heartbeats stopped: its process must not go on."""
        if remove_running:
            self._give_up(key)
        super().change_state(key, state, info, remove_running)

    def revoke_task(self, *, ti: "TaskInstance") -> None:
        """End a task that the scheduler takes back."""
        self.queued_tasks.pop(ti.key, None)
        self.running.discard(ti.key)
        self._give_up(ti.key)

    def _give_up(self, key: "WorkloadKey") -> None:
        if (taken := self._workers.pop(key, None)) is not None:
            taken[1].kill()
            self._given_up.append(taken[1])

    def end(self) -> None:
        """Let running tasks finish, but not for long: the next scheduler starts anew what did not."""
        if not self._all_ended(FINISH_SECONDS):
            for _, worker in self._workers.values():
                worker.terminate()
            if not self._all_ended(TERMINATE_SECONDS):
                self.terminate()

    def terminate(self) -> None:
        """End every task now."""
        for key in list(self._workers):
            self._give_up(key)

    def _all_ended(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        self.sync()
        while self._workers and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            self.sync()
        return not self._workers
