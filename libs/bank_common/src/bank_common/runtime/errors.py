"""The error policies that a failure can have. Each program maps its own closed set of failures onto these three."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same step again: nothing was lost and the data is sound."""

    advice: str


@dataclass(frozen=True, slots=True)
class ToDeadLetters:
    """Send this one record to the dead-letter topic and go on with the next."""

    advice: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop the program: going on would lose or double data. An operator decides."""

    advice: str


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
