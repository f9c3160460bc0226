"""How a command fails: one sentence and what to do, a traceback only under --debug."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import KafkaException

from bank_common.runtime import cli
from bank_common.runtime.errors import PipelineError
from cdc_consumer.failures import FailedError

EXIT_UNREACHABLE: Final = 3
_KAFKA_ADVICE: Final = "Check CDC_CONSUMER_KAFKA__BOOTSTRAP_SERVERS. Runbook: infra/runbooks/kafka-not-answering.md."


@contextmanager
def reported(debug: bool) -> Generator[None]:
    """Turn the expected failures into a message and an exit code."""
    with cli.reported(debug=debug, exit_code=cli.EXIT_SETTINGS):
        try:
            yield
        except (FailedError, KafkaException) as error:
            if debug:
                raise
            cli.fail(_explained(error), EXIT_UNREACHABLE)


def _explained(error: FailedError | KafkaException) -> PipelineError:
    if isinstance(error, FailedError):
        return error
    reason = error.args[0].str() if error.args else str(error)
    return PipelineError(f"Kafka: {reason}.", advice=_KAFKA_ADVICE)
