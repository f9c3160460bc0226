"""RAW.BUILD_FENCE through one connection of the Snowflake connector."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from snowflake.connector import SnowflakeConnection
from snowflake.connector.errors import Error as SnowflakeError

from bank_dags.adapters.snowflake import statements
from bank_dags.building.fence import DEAD_SECONDS, FenceRow, Ownership
from bank_dags.building.results import BuildError
from bank_dags.loading.failures import LoadError, WarehouseFailed

log = structlog.get_logger(__name__)


class SnowflakeFence:
    """A `FenceTable`. Its connection is dbt's user's: only so may it end a dead dbt's sessions."""

    def __init__(self, connection: SnowflakeConnection) -> None:
        """Takes an open connection with autocommit on; the caller closes it."""
        self._connection = connection

    def read(self) -> FenceRow:
        """See FenceTable. Raises BuildError when the row is not there."""
        rows = self._run("reading the build fence", statements.sql("build_fence"))
        if len(rows) != 1:
            raise BuildError(
                f"RAW.BUILD_FENCE has {len(rows)} rows, not one.",
                advice="Provisioning RAW makes the row when it is absent. Runbook: infra/runbooks/build-fence-held.md.",
            )
        number, running, holder, lock, sessions, silent = rows[0]
        session_ids = tuple(int(session) for session in (sessions or "").split(",") if session)
        return FenceRow(int(number), bool(running), holder or "", lock, session_ids, float(silent or 0))

    def take(self, seen: FenceRow, words: str, lock: str | None, token: str) -> Ownership | None:
        """See FenceTable."""
        owner = Ownership(seen.number + 1, token)
        self._run("beginning", "BEGIN")
        try:
            asked = (token, words, lock, seen.number, lock, -DEAD_SECONDS)
            if not self._changed("taking the build fence", statements.sql("take_build_fence"), asked):
                self._run("rolling back", "ROLLBACK")
                return None
            if seen.running:
                taken = (seen.number, seen.holder, seen.silent_seconds, owner.number, words)
                self._run("recording the takeover", statements.sql("record_takeover"), taken)
            self._run("committing", "COMMIT")
        except LoadError:
            with suppress(LoadError):
                self._run("rolling back", "ROLLBACK")
            raise
        return owner

    def beat(self, owner: Ownership) -> bool:
        """See FenceTable."""
        return self._changed("writing the heartbeat", statements.sql("beat_build_fence"), (owner.number, owner.token))

    def end(self, owner: Ownership, built: tuple[int, str] | None) -> bool:
        """See FenceTable."""
        self._run("beginning", "BEGIN")
        try:
            ours = self._changed("ending the build", statements.sql("end_build_fence"), (owner.number, owner.token))
            if ours and built is not None:
                self._run("recording the build", statements.sql("record_build"), built)
            self._run("committing", "COMMIT" if ours else "ROLLBACK")
        except LoadError:
            with suppress(LoadError):
                self._run("rolling back", "ROLLBACK")
            raise
        return ours

    def abort(self, session: int) -> None:
        """See FenceTable. One that has ended by itself is an error to the warehouse, and none to us."""
        try:
            self._run("ending a session", f"SELECT SYSTEM$ABORT_SESSION({session})")
        except LoadError as error:
            log.info("session_not_aborted", session=session, detail=error.message)

    def _changed(self, doing: str, statement: str, values: Sequence[object]) -> bool:
        """Run an UPDATE and tell whether it found its row: the warehouse answers with the number of rows updated."""
        return int(self._run(doing, statement, values)[0][0]) == 1

    def _run(self, doing: str, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall()  # pyright: ignore[reportReturnType] - tuples, as no DictCursor is asked for
        except SnowflakeError as error:
            detail = f"{error.errno} {(error.msg or str(error)).strip()}"
            raise LoadError(WarehouseFailed(doing, detail)) from error
