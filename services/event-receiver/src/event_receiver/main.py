"""The composition root: the only module that knows settings and adapters at once."""

import asyncio
import logging
import socket
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Final

import httpx
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bank_common import names
from bank_common.runtime import cli, tracing
from bank_common.runtime.health import HealthEndpoints, address_taken
from bank_common.runtime.logging import configure, get_logger
from bank_common.runtime.service import Readiness, Shutdown
from bank_common.runtime.settings import HttpSettings
from event_receiver.adapters.airflow import AirflowRuns
from event_receiver.adapters.clock import LoopClock
from event_receiver.app import Webhook, create_app
from event_receiver.metrics import ReceiverMetrics
from event_receiver.model.wakeup import WakeUp
from event_receiver.settings import ReceiverSettings
from event_receiver.worker import DEPENDENCY, WakeUpWorker

SERVICE: Final = "event-receiver"
_GRACE_SECONDS: Final = 5

app = cli.program(SERVICE, "Turns MinIO's webhook into one coalesced wake-up of the load.")


@app.command()
def run(debug: cli.Debug = False) -> None:
    """Receive notifications until SIGTERM or Ctrl-C.

    Settings come from the environment (EVENT_RECEIVER_…, see .env.example).

    \b
    Example:
      set -a; . .local/env/event-receiver.env; set +a
      uv run --package event-receiver event-receiver run
    \b
    Exit codes:
      0  stopped cleanly
      2  the settings are not valid, or the address is taken
    """
    with cli.reported(debug=debug, exit_code=cli.EXIT_SETTINGS):
        serve(ReceiverSettings.load().logging_at_debug(debug))


def serve(settings: ReceiverSettings) -> None:
    """Build everything and serve until the stop is requested.

    Raises:
        PipelineError: the address is taken.
    """
    configure(SERVICE, settings.logging)
    # A line per request to Airflow, twice a second while a run is queued, is no news.
    logging.getLogger("httpx").setLevel(logging.DEBUG if settings.logging.level == "DEBUG" else logging.WARNING)
    tracing.start(SERVICE, settings.telemetry)
    log = get_logger(SERVICE)
    listener = _bind(settings.http)
    # uvicorn stops on the first signal and then raises it again: with handlers of ours the exit code stays 0.
    Shutdown().install()
    config = uvicorn.Config(
        build(settings),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    log.info("started", http_port=listener.getsockname()[1], dag=settings.dag_id, bucket=settings.bucket)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        listener.close()
        tracing.stop()
    log.info("stopped")


def build(settings: ReceiverSettings) -> FastAPI:
    """The application with its worker, on real adapters."""
    log = get_logger(SERVICE)
    registry = CollectorRegistry()
    metrics = ReceiverMetrics(registry)
    readiness = Readiness([DEPENDENCY])
    # trust_env off: a proxy of the environment must not see the token.
    client = httpx.AsyncClient(base_url=settings.airflow.url, timeout=settings.airflow.timeout_seconds, trust_env=False)
    runs = AirflowRuns(
        client,
        user=settings.airflow.user,
        password=settings.airflow.password.get_secret_value(),
        dag_id=settings.dag_id,
        build_dag_id=settings.build_dag_id,
    )
    state = WakeUp(str(uuid.uuid4()), settings.pacing())
    worker = WakeUpWorker(state, runs, LoopClock(), settings.pace(), readiness, metrics, log)
    webhook = Webhook(
        tokens=[token.get_secret_value() for token in settings.tokens],
        max_body_bytes=settings.max_body_bytes,
        bucket=settings.bucket,
        topics=names.RAW_TABLE_BY_TOPIC,
        mark=worker.mark,
        metrics=metrics,
        log=log,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(worker.run(), name="wake-up")
        task.add_done_callback(_end_with_worker)
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await client.aclose()

    return create_app(webhook, HealthEndpoints(readiness, registry), version=version(SERVICE), lifespan=lifespan)


def _end_with_worker(task: asyncio.Task[None]) -> None:
    """End the process with a worker that dies: alive without waking it would look healthy."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        get_logger(SERVICE).error("worker_died", exc_info=error)
        raise SystemExit(1) from error


def _bind(settings: HttpSettings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=2048)
    except OSError as error:
        raise address_taken(settings, error, "EVENT_RECEIVER_HTTP__PORT") from None


if __name__ == "__main__":
    app()
