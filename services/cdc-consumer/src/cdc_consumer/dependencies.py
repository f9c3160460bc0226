"""How the world outside is doing: readiness with reasons, one backoff per dependency, and one log line per failure."""

from collections.abc import Callable
from typing import Final, assert_never

from bank_common.errors import Retry
from bank_common.logging import Logger
from bank_common.service import Readiness
from cdc_consumer.backoff import Gate
from cdc_consumer.failures import (
    BrokenTail,
    BucketMissing,
    DeadLettersUnavailable,
    FailedError,
    Failure,
    KafkaFatal,
    KafkaUnavailable,
    RegistryUnavailable,
    StoreDenied,
    StoreUnavailable,
    TooManyRejected,
    TopicMissing,
    Undecodable,
    describe,
    error_policy,
)
from cdc_consumer.ports import SchemaRegistry
from cdc_consumer.resume import Refused

KAFKA: Final = "kafka"
STORE: Final = "object_store"
REGISTRY: Final = "registry"
CHAINS: Final = "chains"
DEPENDENCIES: Final = (KAFKA, STORE, REGISTRY, CHAINS)


class Health:
    """Failures that heal are waited for; the others are raised again and end the program."""

    def __init__(self, readiness: Readiness, clock: Callable[[], float], log: Logger) -> None:
        self._readiness = readiness
        self._clock = clock
        self._log = log
        self._gates = {name: Gate() for name in DEPENDENCIES}

    def report(self, failure: Failure) -> None:
        """Take note of a failure and close its dependency's gate for a while.

        Raises:
            FailedError: it is not one to wait for.
        """
        dependency = dependency_of(failure)
        policy = error_policy(failure)
        self._readiness.unready(dependency, f"{describe(failure)} {policy.advice}")
        if not isinstance(policy, Retry):
            raise FailedError(failure)
        gate = self._gates[dependency]
        gate.failed(self._clock())
        self._log.warning(
            "waiting",
            dependency=dependency,
            reason=describe(failure),
            advice=policy.advice,
            attempts=gate.failures,
        )

    def well(self, dependency: str) -> None:
        """The dependency answered."""
        if self._gates[dependency].failing:
            self._log.info("recovered", dependency=dependency, attempts=self._gates[dependency].failures)
        self._gates[dependency].succeeded()
        self._readiness.ready(dependency)

    def may_try(self, dependency: str) -> bool:
        """Whether its gate is open, or it is time to try again."""
        return self._gates[dependency].may_try(self._clock())

    def failing(self, dependency: str) -> bool:
        """Whether its last attempt failed."""
        return self._gates[dependency].failing

    def probe(self, dependency: str, ask: Callable[[], None]) -> None:
        """Ask a dependency that has not answered, or has failed since, if it is time.

        Raises:
            FailedError: its failure is not one to wait for.
        """
        if dependency not in self._readiness.report() or not self.may_try(dependency):
            return
        try:
            ask()
        except FailedError as error:
            self.report(error.failure)
        else:
            self.well(dependency)


class PatientRegistry:
    """A registry that is asked through its gate, so that one that hangs is not waited for once per topic."""

    def __init__(self, registry: SchemaRegistry, health: Health) -> None:
        self._registry = registry
        self._health = health

    def schema(self, schema_id: int) -> str | None:
        """See `SchemaRegistry.schema`. Raises FailedError at once while the gate is closed."""
        if not self._health.may_try(REGISTRY):
            raise FailedError(RegistryUnavailable("it failed a moment ago"))
        try:
            text = self._registry.schema(schema_id)
        except FailedError as error:
            self._health.report(error.failure)
            raise
        self._health.well(REGISTRY)
        return text

    def probe(self) -> None:
        """See `SchemaRegistry.probe`."""
        self._registry.probe()


def dependency_of(failure: Failure) -> str:
    """Whose failure it is."""
    match failure:
        case StoreUnavailable() | StoreDenied() | BucketMissing():
            return STORE
        case RegistryUnavailable():
            return REGISTRY
        case KafkaUnavailable() | KafkaFatal() | TopicMissing() | DeadLettersUnavailable():
            return KAFKA
        case Undecodable() | TooManyRejected() | Refused() | BrokenTail():
            return CHAINS
        case _:
            assert_never(failure)
