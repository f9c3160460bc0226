"""The error policies that a failure can have. Each program maps its own closed set of failures onto these three."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Policy:
    """`action` tells the operator what to do, in sentences; `runbook` is a file of infra/runbooks, without `.md`."""

    action: str
    runbook: str

    @property
    def advice(self) -> str:
        """What to do, and where more of it is written."""
        return f"{self.action} Runbook: infra/runbooks/{self.runbook}.md."


class Retry(_Policy):
    """Try the same step again: nothing was lost and the data is sound."""


class ToDeadLetters(_Policy):
    """Send this one record to the dead-letter topic and go on with the next."""


class Halt(_Policy):
    """Stop the program: going on would lose or double data. An operator decides."""


ErrorPolicy = Retry | ToDeadLetters | Halt


class PipelineError(Exception):
    """An error for the operator: `message` says what happened, `advice` what to do next."""

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


class SettingsError(PipelineError):
    """The environment does not make a valid configuration; the message names every variable that is wrong."""
