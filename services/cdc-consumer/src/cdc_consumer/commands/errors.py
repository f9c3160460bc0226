"""How a command fails: one sentence and what to do, a traceback only under --debug."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.markup import escape

from bank_common.runtime.errors import PipelineError
from cdc_consumer.failures import FailedError, describe, error_policy

EXIT_SETTINGS: Final = 2
EXIT_UNREACHABLE: Final = 3
_KAFKA_ADVICE: Final = "Check CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS. Runbook: infra/runbooks/kafka-not-answering.md."


@contextmanager
def reported(debug: bool) -> Generator[None]:
    """Turn the expected failures into a message and an exit code."""
    try:
        yield
    except (PipelineError, FailedError, KafkaException) as error:
        if debug:
            raise
        message, code = _explain(error)
        Console(stderr=True).print(f"[red]error:[/red] {escape(message)}", highlight=False, soft_wrap=True)
        raise typer.Exit(code) from None


def _explain(error: PipelineError | FailedError | KafkaException) -> tuple[str, int]:
    match error:
        case PipelineError():
            return str(error), EXIT_SETTINGS
        case FailedError():
            return f"{describe(error.failure)} {error_policy(error.failure).advice}", EXIT_UNREACHABLE
        case _:
            reason = error.args[0].str() if error.args else str(error)
            return f"Kafka: {reason}. {_KAFKA_ADVICE}", EXIT_UNREACHABLE
