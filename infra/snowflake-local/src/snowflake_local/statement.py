"""A statement as the connector's protocol has it: a request's body in, an answer's body out, in one thread."""

import logging
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from fakesnow import statement_type
from fakesnow.arrow import to_ipc
from fakesnow.converter import from_binding
from fakesnow.dialect import parse_one
from fakesnow.rowtype import describe_as_rowtype
from snowflake.connector import errors as sf
from sqlglot import exp

from snowflake_local import errors
from snowflake_local.cursor import Cursor
from snowflake_local.logs import event, log
from snowflake_local.results import to_snowflake
from snowflake_local.session import Session
from snowflake_local.sql import bulk, commands, parsing
from snowflake_local.uploads import Uploads

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
            failed = errors.translate(error)
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
        bare = commands.without_comments(text)
        type_id = statement_type.UNKNOWN if commands.is_put(bare) else parsing.kind(bulk.shortened(bare))
        cursor = Cursor(session)
        if self.body.get("describeOnly"):
            described = cursor._describe_only(text)
            if described is not None:
                binds = len(list(parse_one(text).find_all(exp.Placeholder)))
                return _described(session, cursor, type_id, binds, described)
        single, batch = _bindings(self.body.get("bindings") or {})
        rows = 0
        for values in [single] if batch is None else batch:
            cursor.execute(text, binding_params=values, server=True)
            rows += cursor.rowcount or 0
        put = cursor._last_transformed
        if put is not None and (upload := put.args.get("put_stage_data")):
            if not single:  # with a bound target, the client asks again without one
                upload["stageInfo"] = self.uploads.stage_info(self.base_url, put)
            return {"data": upload, "success": True}
        return _result(session, cursor, type_id, rows if batch else None)


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


def _result(session: Session, cursor: Cursor, type_id: int, batch_rows: int | None) -> Body:
    row_types = describe_as_rowtype(cursor._describe_last_sql())
    table = cursor._arrow_table
    total = table.num_rows if table is not None else 0
    if table is not None and type_id in statement_type.DML_TYPE_IDS:  # clients read the counts from rows as text
        if batch_rows is None:
            columns = [column.to_pylist() for column in table.columns]
            rows = [[None if value is None else str(value) for value in row] for row in zip(*columns, strict=True)]
        else:
            rows, total = [[str(batch_rows)]], 1
        result: Body = {"queryResultFormat": "json", "rowset": rows}
    else:
        encoded = b64encode(to_ipc(to_snowflake(table, row_types))).decode() if table is not None else ""
        result = {"queryResultFormat": "arrow", "rowsetBase64": encoded}
    data = {
        "parameters": [{"name": "TIMEZONE", "value": "Etc/UTC"}],
        "rowtype": row_types,
        "total": total,
        **_context(session, cursor, type_id),
        **result,
    }
    return {"data": data, "success": True}


def _described(session: Session, cursor: Cursor, type_id: int, binds: int, described: list) -> Body:
    """The columns of a statement that is not run."""
    empty: Body = {"queryResultFormat": "arrow", "rowsetBase64": ""}
    if type_id != statement_type.SELECT:
        empty = {"queryResultFormat": "json", "rowset": []}
    data = {
        "rowtype": describe_as_rowtype(described),
        "total": 0,
        "returned": 0,
        "numberOfBinds": binds,
        "arrayBindSupported": type_id == statement_type.INSERT,
        **_context(session, cursor, type_id),
        **empty,
    }
    return {"data": data, "success": True}


def _context(session: Session, cursor: Cursor, type_id: int) -> Body:
    return {
        "queryId": cursor.sfqid,
        "statementTypeId": type_id,
        "finalDatabaseName": session.database,
        "finalSchemaName": session.schema,
        "finalRoleName": session.role,
        "finalWarehouseName": session.virtual_warehouse or None,
    }


def failure(error: sf.Error) -> Body:
    """The answer that says what went wrong."""
    code = f"{error.errno if error.errno and error.errno > 0 else 603:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate or "XX000"}
    return {"data": data, "code": code, "message": str(error.raw_msg or error.msg), "success": False}
