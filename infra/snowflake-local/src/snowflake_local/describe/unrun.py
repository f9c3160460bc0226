"""The columns of a statement that is not run."""

from snowflake_local import errors
from snowflake_local.recognise import commands as c
from snowflake_local.rewrite.statement_plan import Counted, Merged, Rows, Scanned, StatementPlan, Status
from snowflake_local.run import commands, statement
from snowflake_local.sessions.session import Session
from snowflake_local.storage import results
from snowflake_local.storage.results import Result


def described(session: Session, what: c.Command | StatementPlan) -> Result:
    """An empty result of a command's or a plan's columns; of commands that only read, the result.

    Raises:
        snowflake.connector.errors.ProgrammingError: nobody knows without running it.
    """
    if isinstance(what, StatementPlan):
        return _of_plan(session, what)
    is_reading = isinstance(what, (c.Answer, c.ShowParameter)) or (isinstance(what, c.StageFiles) and not what.remove)
    if is_reading:
        result = commands.run(session, what, None)
        if isinstance(result, Result):
            return result
    if isinstance(what, (c.PutFiles, c.CopyFiles, c.StageFiles, c.SystemCall, c.Refused)):
        raise errors.unsupported("to describe this statement without running it")
    return results.of_texts(["status"], [])


def _of_plan(session: Session, plan: StatementPlan) -> Result:
    match plan.reply:
        case Status():
            return results.of_texts(["status"], [])
        case Counted(columns):
            return results.of_counts(columns, [0] * len(columns), 0)
        case Merged(columns):
            return results.of_counts([name for _, name in columns], [0] * len(columns), 0)
        case Scanned():
            return statement.run_plan(session, plan)
        case Rows():
            if plan.rules.writes:
                raise errors.unsupported("to describe this statement without running it")
            table = statement.run_plan(session, StatementPlan(f"DESCRIBE {plan.sql}", Rows())).table
            names, types = table.column("column_name").to_pylist(), table.column("column_type").to_pylist()
            return results.of_types(names, types)
