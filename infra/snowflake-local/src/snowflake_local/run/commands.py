"""Commands at work: what needs no plan of DuckDB's."""

import re
from datetime import UTC, datetime
from typing import Any, Final, assert_never

from snowflake_local import errors
from snowflake_local.load import copy, put
from snowflake_local.load.put import Upload
from snowflake_local.recognise import commands as c
from snowflake_local.rewrite.statement_plan import Rules
from snowflake_local.run import control, rules, swap
from snowflake_local.sessions.parameters import DEFAULTS
from snowflake_local.sessions.session import Session
from snowflake_local.storage import results
from snowflake_local.storage.results import Result
from snowflake_local.storage.stages import StagedFile

_DDL: Final = Rules(is_ddl=True, writes=True)
_COPY: Final = Rules(writes=True, begins=True)


def run(session: Session, command: c.Command, binds: Any) -> Result | Upload:
    """Run a command; gives its result, or for PUT where its client has to upload.

    Raises:
        snowflake.connector.errors.Error, duckdb.Error: it can't be run.
    """
    if isinstance(command, c.PutFiles):
        return put.target(session, command, binds)
    session.uploading = None
    match command:
        case c.Answer(columns, rows):
            return results.of_texts(columns, rows)
        case c.CopyFiles():
            with rules.applied(session, _COPY):
                return rules.retrying(session, lambda: rules.whole(session, lambda: copy.run(session, command)))
        case c.StageFiles():
            return _stage_files(session, command)
        case c.SystemCall():
            return results.of_texts([command.column], [[control.run(session, command, binds)]])
        case c.ShowParameter(name):
            return _parameter(session, name)
        case c.Refused(feature):
            raise errors.unsupported(feature)
        case c.CreateStage() | c.DropStage() | c.SwapTables():
            with rules.applied(session, _DDL):
                return _status(_ddl(session, command))
        case _:
            _change(session, command)
            return _status(c.SUCCESS)


def _ddl(session: Session, command: c.CreateStage | c.DropStage | c.SwapTables) -> str:
    stages, whole = session.warehouse.stages, session.namespace.whole
    match command:
        case c.CreateStage(name, replace, if_not_exists, comment):
            stage = whole(name)
            return stages.create(session.duck, stage, comment, replace=replace, if_not_exists=if_not_exists)
        case c.DropStage(name, if_exists):
            return stages.drop(session.duck, whole(name), if_exists=if_exists)
        case c.SwapTables(one, other):
            swap.run(session.duck, whole(one), whole(other))
            return c.SUCCESS


def _change(
    session: Session,
    command: c.Accepted | c.UseContext | c.SetParameters | c.SetVariable | c.Begin | c.Commit | c.RollBack,
) -> None:
    match command:
        case c.Accepted():
            if session.transaction.failed:
                raise errors.aborted()
        case c.UseContext():
            _use(session, command)
        case c.SetParameters(values):
            session.parameters.change(values)
        case c.SetVariable(name, literal):
            session.variables.pop(name, None)
            session.variables |= {name: literal} if literal is not None else {}
        case c.Begin():
            session.begin()
        case c.Commit():
            session.commit()
        case c.RollBack():
            session.roll_back()
        case _:
            assert_never(command)


def _use(session: Session, context: c.UseContext) -> None:
    if context.kind == "WAREHOUSE":
        session.virtual_warehouse = context.name
    elif session.own_role in (context.name, "ACCOUNTADMIN"):
        session.role = context.name
    else:
        raise errors.role_not_assigned(context.name)


def _status(text: str) -> Result:
    return results.of_texts(["status"], [[text]])


def _parameter(session: Session, name: str) -> Result:
    default = str(DEFAULTS.get(name, ""))
    level = "SESSION" if name in session.parameters else ""
    columns = ["key", "value", "default", "level", "description", "type"]
    kind = "NUMBER" if default else "STRING"
    return results.of_texts(columns, [[name, session.parameters.get(name, default), default, level, "", kind]])


def _stage_files(session: Session, command: c.StageFiles) -> Result:
    place = session.warehouse.stages.find(session.duck, session.namespace, command.reference)
    pattern = command.pattern
    matching = [item for item in place.files() if not pattern or re.fullmatch(pattern, item.name)]
    if not command.remove:
        return results.of_texts(["name", "size", "md5", "last_modified"], [_listed(item) for item in matching])
    for item in matching:
        item.path.unlink(missing_ok=True)
    return results.of_texts(["name", "result"], [[item.name, "removed"] for item in matching])


def _listed(item: StagedFile) -> list[object]:
    status = item.path.stat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return [item.name, status.st_size, item.content_key, modified]
