"""C2: a NULL in a nullable column with a default stays NULL, in every such column of every captured table."""

import pytest
from psycopg import sql

from bank_common.names import TABLES
from harness.native_driver import NativeDriver
from harness.reconcile import until_converged
from harness.waiting import until

pytestmark = [pytest.mark.case, pytest.mark.timeout(600)]

DEFAULTED = """
select table_name, column_name from information_schema.columns
 where table_schema = 'public' and table_name = any(%s) and is_nullable = 'YES' and column_default is not null
"""


def test_a_null_stays_null(native: NativeDriver) -> None:
    with native.postgres(role="postgres") as bank:
        columns = bank.execute(DEFAULTED, ([table.name for table in TABLES],)).fetchall()
        assert {table for table, _ in columns} == {table.name for table in TABLES}
        for table, column in columns:
            statement = sql.SQL("update {} set {} = null where id = (select min(id) from {})")
            bank.execute(statement.format(sql.Identifier(table), sql.Identifier(column), sql.Identifier(table)))
    for table, column in columns:
        landed = f"select count(*) from BANK.RAW.{table} where {column} is null and _CDC_OP = 'u'"
        until(f"{table}.{column} is NULL in RAW", lambda query=landed: native.number(query) > 0, seconds=60, every=0.5)
    until_converged(native, 120)
