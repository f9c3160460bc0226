"""After a statement: what changes in its session and on disk, and what is kept of a table beside its rows."""

from contextlib import closing
from dataclasses import replace

import duckdb
from fakesnow import info_schema

from snowflake_local.parse.names import Namespace
from snowflake_local.rewrite.statement_plan import (
    Autocommit,
    Change,
    CreatedDatabase,
    CreatedSchema,
    Dropped,
    TableEffects,
    UseDatabase,
    UseSchema,
)
from snowflake_local.sessions.session import Session
from snowflake_local.storage.local_warehouse import LOADED_FILES, database_sql


def change(session: Session, change: Change) -> None:
    """Follow a change of the session's names, or of what lies on disk."""
    namespace = session.namespace
    match change:
        case UseDatabase(database):
            session.namespace = Namespace(database, database_set=True)
        case UseSchema(database, schema):
            session.namespace = Namespace(database or namespace.database, schema, database_set=True, schema_set=True)
        case Autocommit(on):
            session.set_autocommit(on)
        case CreatedDatabase(database):
            session.duck.execute(database_sql(database))
        case CreatedSchema(database, schema):
            session.duck.execute(f"SET schema = '{database}.{schema}'")
            session.namespace = Namespace(database, schema, database_set=True, schema_set=True)
        case Dropped(database, schema):
            if schema is not None and (database, schema) == (namespace.database, namespace.schema):
                session.namespace = replace(namespace, schema=None, schema_set=False)
            session.warehouse.forget(database, schema)


def effects(session: Session, effects: TableEffects) -> None:
    """Apply the effects on a table. A new table that breaks its own NOT NULL is dropped again, and the error raised."""
    table, duck = effects.table, session.duck
    try:
        for statement in effects.not_null:
            duck.execute(statement)
    except duckdb.Error:
        duck.execute(effects.undo)
        raise
    if effects.temporary:
        session.temporary.add((effects.temporary, table))
    if effects.forgets_loads:
        where = "where schema_name = ? and table_name = ?"
        duck.execute(f'delete from "{table.database}".{LOADED_FILES} {where}', [table.schema, table.name])
    if effects.comment is None and not effects.text_lengths:
        return
    name = (table.database, table.schema, table.name)
    with closing(duck.cursor()) as catalogue:  # another database: not in the caller's transaction
        if effects.comment is not None:
            catalogue.execute(info_schema.insert_table_comment_sql(*name, effects.comment.replace("'", "''")))
        if effects.text_lengths:
            catalogue.execute(info_schema.insert_text_lengths_sql(*name, list(effects.text_lengths)))
