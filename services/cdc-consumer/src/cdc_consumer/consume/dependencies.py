"""The dependencies of the consumer: their readiness, one backoff each, and one log line for each failure."""

from collections.abc import Callable
from typing import Final, assert_never

from bank_common.runtime.errors import Retry
from bank_common.runtime.logging import Logger
from bank_common.runtime.service import Readiness
from cdc_consumer.consume.backoff import Backoff
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
    error_policy,
)
from cdc_consumer.model.resume import Refused
from cdc_consumer.ports import SchemaRegistry

KAFKA: Final = "kafka"
STORE: Final = "object_store"
REGISTRY: Final = "registry"
CHAINS: Final = "chains"
DEPENDENCIES: Final = (KAFKA, STORE, REGISTRY, CHAINS)


class Dependencies:
    """Keeps the state of each dependency. Failures with the policy Retry are waited for, the others are raised."""

    def __init__(self, readiness: Readiness, clock: Callable[[], float], log: Logger) -> None:
        self._readiness = readiness
        self._clock = clock
        self._log = log
        self._backoffs = {name: Backoff() for name in DEPENDENCIES}

    def report(self, failure: Failure) -> None:
        """Note a failure, and let the calls to its dependency back off.

        Raises:
            FailedError: its policy is not Retry.
        """
        dependency = dependency_of(failure)
        error = FailedError(failure)
        self._readiness.unready(dependency, str(error))
        if not isinstance(error_policy(failure), Retry):
            raise error
        backoff = self._backoffs[dependency]
        backoff.failed(self._clock())
        self._log.warning(
            "waiting",
            dependency=dependency,
            reason=error.message,
            advice=error.advice,
            attempts=backoff.failures,
        )

    def answered(self, dependency: str) -> None:
        """Note that a dependency answered."""
        if self._backoffs[dependency].failing:
            self._log.info("recovered", dependency=dependency, attempts=self._backoffs[dependency].failures)
        self._backoffs[dependency].succeeded()
        self._readiness.ready(dependency)

    def may_try(self, dependency: str) -> bool:
        """Whether a call is allowed now: the last one did not fail, or its backoff is over."""
        return self._backoffs[dependency].may_try(self._clock())

    def failing(self, dependency: str) -> bool:
        """Whether the last call failed."""
        return self._backoffs[dependency].failing

    def probe(self, dependency: str, ask: Callable[[], None]) -> None:
        """Call a dependency that has not answered yet, or that has failed since, if its backoff is over.

        Raises:
            FailedError: the policy of its failure is not Retry.
        """
        if dependency not in self._readiness.report() or not self.may_try(dependency):
            return
        try:
            ask()
        except FailedError as error:
            self.report(error.failure)
        else:
            self.answered(dependency)


class BackoffRegistry:
    """A registry with a backoff, so that one that hangs is not waited for once per topic."""

    def __init__(self, registry: SchemaRegistry, dependencies: Dependencies) -> None:
        self._registry = registry
        self._dependencies = dependencies

    def schema(self, schema_id: int) -> str | None:
        """See `SchemaRegistry.schema`. Raises FailedError at once during its backoff."""
        if not self._dependencies.may_try(REGISTRY):
            raise FailedError(RegistryUnavailable("it failed a moment ago"))
        try:
            text = self._registry.schema(schema_id)
        except FailedError as error:
            self._dependencies.report(error.failure)
            raise
        self._dependencies.answered(REGISTRY)
        return text

    def probe(self) -> None:
        """See `SchemaRegistry.probe`."""
        self._registry.probe()


def dependency_of(failure: Failure) -> str:
    """The dependency that failed."""
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
