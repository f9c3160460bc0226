"""Why a value has no place in its column. No message holds the value."""


class OutOfRangeError(ValueError):
    """The value does not fit its column; the message never holds the value."""


class NotRepresentableError(OutOfRangeError):
    """The source holds this value and no column of its type does; `text` is how the source shows it."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text


class MalformedTextError(ValueError):
    """The bytes of a text are not UTF-8."""
