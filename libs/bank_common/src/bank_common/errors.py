"""What a failure means for the line it happened on. Each program maps its own closed set of errors onto these three."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the same step again; nothing was lost and nothing is wrong with the data."""

    advice: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """This one record can't be used; it goes to the dead letters and the line goes on."""

    advice: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Going on would lose or double data: the program stops and an operator decides."""

    advice: str


Disposition = Retry | DeadLetter | Halt


class PipelineError(Exception):
    """An error that carries a sentence of advice: `advice` says what the operator does next."""

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"
