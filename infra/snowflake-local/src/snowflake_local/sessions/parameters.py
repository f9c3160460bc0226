"""A session's parameters: those that have an effect here, their defaults and their bounds, as on an account."""

from typing import Any, Final

from snowflake_local import errors

LOCK_TIMEOUT: Final = "LOCK_TIMEOUT"
STATEMENT_TIMEOUT: Final = "STATEMENT_TIMEOUT_IN_SECONDS"
DEFAULTS: Final = {LOCK_TIMEOUT: 43_200, STATEMENT_TIMEOUT: 172_800}
_LONGEST_SECONDS: Final = {LOCK_TIMEOUT: 2**31 - 1, STATEMENT_TIMEOUT: 604_800}


class Parameters(dict[str, str]):
    """The parameters of a session, by upper-case name; an unknown one is accepted and kept as it is."""

    def change(self, values: dict[str, Any]) -> None:
        """ALTER SESSION SET, or with None as the value UNSET: all of them or none.

        Raises:
            snowflake.connector.errors.ProgrammingError: a value that its parameter can't have.
        """
        named = {name.upper(): value for name, value in values.items()}
        for name, value in named.items():
            longest = _LONGEST_SECONDS.get(name)
            text = str(value)
            if longest is not None and value is not None and not (text.isdecimal() and int(text) <= longest):
                raise errors.invalid_parameter(name, text)
        for name, value in named.items():
            self.pop(name, None)
            if value is not None:
                self[name] = str(value)

    @property
    def lock_timeout_seconds(self) -> float:
        """Seconds that a statement waits for a table's lock."""
        return float(self.get(LOCK_TIMEOUT, DEFAULTS[LOCK_TIMEOUT]))

    @property
    def statement_timeout_seconds(self) -> float:
        """Seconds that a statement may run; 0: without limit."""
        return float(self.get(STATEMENT_TIMEOUT, DEFAULTS[STATEMENT_TIMEOUT])) or _LONGEST_SECONDS[STATEMENT_TIMEOUT]
