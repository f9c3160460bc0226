"""A statement as the connector's protocol has it: a request's body in, an answer's body out, in one thread."""

import logging
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from fakesnow import statement_type
from fakesnow.arrow import to_ipc
from fakesnow.converter import from_binding
from snowflake.connector import errors as sf

from snowflake_local import errors, pipeline
from snowflake_local.describe.arrow import to_snowflake
from snowflake_local.duckdb_errors import translate
from snowflake_local.load.put import Upload
from snowflake_local.logs import event, log
from snowflake_local.pipeline import Answer
from snowflake_local.protocol.uploads import Uploads
from snowflake_local.sessions.session import Session

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """A request for one statement. `base_url` is where this server is for its client."""

    body: Body
    base_url: str
    uploads: Uploads

    def run(self, session: Session) -> Body:
        """The answer: rows, or a SQL error. Never raises: clients try an HTTP 500 again for ever."""
        start = time.monotonic()
        try:
            return self._within(session)
        except sf.Error as error:
            failed = error
        except Exception as error:  # noqa: BLE001 - a bug of ours or upstream's is a SQL error as well
            log.exception("statement_bug")
            failed = translate(error)
        seconds = time.monotonic() - start
        event(logging.INFO, "statement_failed", session=session.number, errno=failed.errno, seconds=seconds)
        return failure(failed)

    def _within(self, session: Session) -> Body:
        try:
            with session.working():
                return self._answer(session)
        finally:
            if session.ending:
                session.close()

    def _answer(self, session: Session) -> Body:
        text = self.body["sqlText"]
        if int((self.body.get("parameters") or {}).get("MULTI_STATEMENT_COUNT", 1)) != 1:
            raise errors.unsupported("several statements in one request")
        if self.body.get("describeOnly"):
            return _described(session, pipeline.describe_only(session, text))
        single, batch = _bindings(self.body.get("bindings") or {})
        if batch is None:
            answer = pipeline.answer(session, text, single)
            if isinstance(answer, Upload):
                return {"data": self.uploads.told(answer, self.base_url), "success": True}
            return _result(session, answer)
        answers = [pipeline.answer(session, text, values) for values in batch]
        if not answers or isinstance(answers[-1], Upload):
            raise errors.unsupported("PUT with a list of bound values, or a list without any")
        changed = sum(answer.result.count for answer in answers if isinstance(answer, Answer))
        return _result(session, answers[-1], changed)


def _bindings(bindings: Body) -> tuple[Any, list[tuple[Any, ...]] | None]:
    """Bound values: by name, by position, or (second) a row of them for each repetition of the statement."""
    if not bindings:
        return None, None
    if not all(name.isdigit() for name in bindings):
        return {name: from_binding(value) for name, value in bindings.items()}, None
    ordered = [bindings[str(position)] for position in range(1, len(bindings) + 1)]
    if not any(isinstance(value["value"], list) for value in ordered):
        return tuple(from_binding(value) for value in ordered), None
    columns = [[from_binding({**column, "value": value}) for value in column["value"]] for column in ordered]
    return None, list(zip(*columns, strict=True))


def _result(session: Session, answer: Answer, batch_rows: int | None = None) -> Body:
    table, total = answer.result.table, answer.result.table.num_rows
    if answer.type_id in statement_type.DML_TYPE_IDS:  # clients read the counts from rows as text
        if batch_rows is None:
            columns = [column.to_pylist() for column in table.columns]
            rows = [[None if value is None else str(value) for value in row] for row in zip(*columns, strict=True)]
        else:
            rows, total = [[str(batch_rows)]], 1
        result: Body = {"queryResultFormat": "json", "rowset": rows}
    else:
        encoded = b64encode(to_ipc(to_snowflake(table, answer.columns))).decode()
        result = {"queryResultFormat": "arrow", "rowsetBase64": encoded}
    data = {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "rowtype": answer.columns,
        "total": total,
        **_context(session, answer),
        **result,
    }
    return {"data": data, "success": True}


def _described(session: Session, answer: Answer) -> Body:
    """The columns of a statement that is not run."""
    empty: Body = {"queryResultFormat": "arrow", "rowsetBase64": ""}
    if answer.type_id != statement_type.SELECT:
        empty = {"queryResultFormat": "json", "rowset": []}
    data = {
        "rowtype": answer.columns,
        "total": 0,
        "returned": 0,
        "numberOfBinds": answer.placeholders,
        "arrayBindSupported": answer.type_id == statement_type.INSERT,
        **_context(session, answer),
        **empty,
    }
    return {"data": data, "success": True}


def _context(session: Session, answer: Answer) -> Body:
    return {
        "queryId": answer.result.query_id,
        "statementTypeId": answer.type_id,
        "finalDatabaseName": session.namespace.database,
        "finalSchemaName": session.namespace.shown_schema,
        "finalRoleName": session.role,
        "finalWarehouseName": session.virtual_warehouse or None,
    }


def failure(error: sf.Error) -> Body:
    """The answer that says what went wrong."""
    code = f"{error.errno if error.errno and error.errno > 0 else 603:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate or "XX000"}
    return {"data": data, "code": code, "message": str(error.raw_msg or error.msg), "success": False}
