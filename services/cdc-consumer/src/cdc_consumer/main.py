"""The composition root: the only module that knows settings and adapters at once."""

import gc
import time
from typing import Annotated, Final

import pyarrow as pa
import typer
from prometheus_client import CollectorRegistry

from bank_common.runtime import cli, tracing
from bank_common.runtime.failpoints import FailpointHandler, no_failpoint
from bank_common.runtime.health import HealthEndpoints, HealthServer
from bank_common.runtime.logging import configure, get_logger
from bank_common.runtime.service import Liveness, Readiness, Shutdown
from cdc_consumer.adapters.dead_letters import KafkaDeadLetters
from cdc_consumer.adapters.kafka import KafkaLog
from cdc_consumer.adapters.object_store import S3ObjectStore
from cdc_consumer.adapters.registry import ConfluentRegistry
from cdc_consumer.commands import chain, dead_letters
from cdc_consumer.commands.errors import reported
from cdc_consumer.consume import dependencies
from cdc_consumer.consume.loop import Consumer, LoopSettings
from cdc_consumer.failpoints import Failpoint
from cdc_consumer.failures import FailedError
from cdc_consumer.metrics import ConsumerMetrics
from cdc_consumer.model.topics import LandedTopics
from cdc_consumer.ports import Outside
from cdc_consumer.runtime import Runtime
from cdc_consumer.settings import ConsumerSettings

SERVICE: Final = "cdc-consumer"
EXIT_HALTED: Final = 3
STUCK_SECONDS: Final = 60.0
"""Longer than any iteration of the loop: each call in it has a shorter timeout."""
YOUNG_OBJECTS: Final = 100_000
"""Each poll makes an object for each record, all of them dead a moment later: collections in between find nothing."""

app = cli.program(
    SERVICE, "Lands Kafka's change events as an append-only chain of Parquet segments in the object store."
)


app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(chain.app, name="chain")


@app.command()
def run(
    until_caught_up: Annotated[
        bool, typer.Option("--until-caught-up", help="Stop by itself when everything that the topics hold has landed.")
    ] = False,
    debug: cli.Debug = False,
) -> None:
    """Land records until SIGTERM or Ctrl-C.

    Settings come from the environment (CDC_CONSUMER_…, see .env.example).

    \b
    Example:
      set -a; . .local/env/cdc-consumer.env; set +a
      uv run --package cdc-consumer cdc-consumer run
      uv run --package cdc-consumer cdc-consumer run --until-caught-up
    \b
    Exit codes:
      0  stopped cleanly: what was read is stored or will be read again
      2  the settings are not valid
      3  halted: going on would lose or double records; the log says why and what to do
    """
    with reported(debug):
        settings = ConsumerSettings.load().logging_at_debug(debug)
        code = serve(settings, LandedTopics.of_platform(), until_caught_up=until_caught_up)
    raise typer.Exit(code)


def serve(
    settings: ConsumerSettings,
    topics: LandedTopics,
    failpoint: FailpointHandler[Failpoint] = no_failpoint,
    *,
    until_caught_up: bool = False,
) -> int:
    """Build everything, run until the stop is requested or there is no more to land, and give the exit code.

    `failpoint` handles each failpoint that is reached; only tests give one.

    Raises:
        PipelineError: the health endpoint's address is taken.
    """
    configure(SERVICE, settings.logging)
    tracing.start(SERVICE, settings.telemetry)
    log = get_logger(SERVICE)
    readiness = Readiness(dependencies.DEPENDENCIES)
    metrics_registry = CollectorRegistry()
    shutdown = Shutdown().install()
    liveness = Liveness(time.monotonic, STUCK_SECONDS)
    outside = Outside(
        KafkaLog(
            settings.kafka.bootstrap_servers,
            settings.group_id,
            group_instance_id=settings.group_instance_id,
            group_protocol=settings.group_protocol,
            session_timeout_seconds=settings.session_timeout_seconds,
            clock=time.monotonic,
            log=log,
            failpoint=failpoint,
        ),
        S3ObjectStore(settings.store, settings.bucket, settings.store_timeout_seconds),
        ConfluentRegistry(settings.registry, settings.registry_timeout_seconds),
        KafkaDeadLetters(
            settings.kafka.bootstrap_servers, settings.dead_letters_topic, settings.dead_letters_timeout_seconds
        ),
    )
    loop_settings = LoopSettings(
        settings.limits(),
        settings.dead_letter_limits(),
        settings.max_poll_records,
        settings.poll_seconds,
        settings.handover_seconds,
    )
    runtime = Runtime(time.monotonic, log, ConsumerMetrics(metrics_registry), failpoint)
    consumer = Consumer(outside, topics, loop_settings, readiness, runtime, liveness)
    # Arrow's own allocators keep the memory of the largest batch.
    pa.set_memory_pool(pa.system_memory_pool())
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
    try:
        with HealthServer(settings.http, HealthEndpoints(readiness, metrics_registry, liveness)) as server:
            log.info("started", http_port=server.port, group=settings.group_id, bucket=settings.bucket)
            consumer.run(shutdown, until_caught_up=until_caught_up)
    except FailedError as error:
        log.error("halted", reason=error.message, advice=error.advice)
        return EXIT_HALTED
    finally:
        tracing.stop()
    log.info("stopped")
    return 0
