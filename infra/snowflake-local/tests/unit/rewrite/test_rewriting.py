from pathlib import Path

import pytest
from snowflake.connector.errors import ProgrammingError

from snowflake_local.parse import bulk
from snowflake_local.parse.names import Namespace, ObjectName
from snowflake_local.parse.tree import parse
from snowflake_local.rewrite import statement_plan as p
from snowflake_local.rewrite.rewriting import rewrite

HERE = Namespace("DB", "S", database_set=True, schema_set=True)
CONTEXT = p.Context(HERE, (("CURRENT_ROLE", "LOADER"),), Path("/data"))


def _plan(statement: str, binds: object = None) -> p.StatementPlan:
    (plan,) = rewrite(parse(statement), CONTEXT, binds).plans
    return plan


@pytest.mark.parametrize(
    ("statement", "reply"),
    [
        ("select 1", p.Rows()),
        ("insert into t select 1", p.Counted(("number of rows inserted",))),
        ("delete from t", p.Counted(("number of rows deleted",))),
        ("create table t (a int)", p.Status("Table T successfully created.")),
        ("drop view v", p.Status("V successfully dropped.")),
        ("select * from table(result_scan('x'))", p.Scanned("x")),
        (
            "merge into t using s on t.a = s.a when matched then delete when not matched then insert (a) values (s.a)",
            p.Merged((("INSERT", "number of rows inserted"), ("DELETE", "number of rows deleted"))),
        ),
    ],
)
def test_what_the_client_is_answered(statement: str, reply: p.Reply) -> None:
    assert _plan(statement).reply == reply


@pytest.mark.parametrize(
    ("statement", "rules"),
    [
        ("select * from t", p.Rules()),
        ("insert into t select 1", p.Rules(writes=True, begins=True)),
        ("update s2.t set a = 1", p.Rules(writes=True, begins=True, locks=ObjectName("DB", "S2", "T"))),
        ("truncate table t", p.Rules(writes=True, locks=ObjectName("DB", "S", "T"))),
        ("alter table t add column a int", p.Rules(is_ddl=True, writes=True)),
        ("create database d", p.Rules(is_ddl=True, writes=True)),
        ("describe table t", p.Rules()),
        ("show tables", p.Rules()),
    ],
)
def test_how_it_behaves_in_a_transaction(statement: str, rules: p.Rules) -> None:
    assert _plan(statement).rules == rules


@pytest.mark.parametrize(
    ("statement", "change"),
    [
        ("use d2", p.UseDatabase("D2")),
        ("use d2.s2", p.UseSchema("D2", "S2")),
        ("use schema s2", p.UseSchema(None, "S2")),
        ("create schema s2", p.CreatedSchema("DB", "S2")),
        ("drop schema d2.s2", p.Dropped("D2", "S2")),
        ("drop database if exists d2", p.Dropped("D2")),
        ("alter session set autocommit = false", p.Autocommit(False)),
        ("create database d2", p.CreatedDatabase("D2")),
    ],
)
def test_what_changes_in_the_session_and_on_disk(statement: str, change: p.Change) -> None:
    assert _plan(statement).change == change


def test_a_contract_of_dbt_is_checked_cast_and_made_not_null() -> None:
    plan = _plan("create or replace table t (a number(18, 2) not null, b varchar(10)) as (select 1.5, 'x')")
    assert plan.same_width is not None
    assert plan.same_width[1] == 2
    assert plan.effects is not None
    assert plan.effects.not_null == ('ALTER TABLE T ALTER COLUMN "A" SET NOT NULL',)
    assert plan.effects.forgets_loads


def test_a_qualified_temporary_table_goes_with_its_session() -> None:
    plan = _plan("create temporary table db.s.t as select 1 a")
    assert "TEMP" not in plan.sql
    assert plan.effects is not None
    assert plan.effects.temporary == "TABLE"


def test_names_take_bound_values() -> None:
    rewritten = rewrite(parse("select a from identifier(?) where b = ?"), CONTEXT, ("s2.t", 5))
    assert rewritten.left(("s2.t", 5)) == [5]
    assert "S2.T" in rewritten.plans[0].sql


def test_values_of_the_session_stand_in_the_plan() -> None:
    assert "'LOADER'" in _plan("select current_role()").sql


def test_rows_that_were_cut_out_have_their_place() -> None:
    statement = "insert into t values (CURRENT_TIMESTAMP(), 'it\\'s')"
    (plan,) = rewrite(parse(statement), CONTEXT, is_cut=True).plans
    assert bulk.ROWS in plan.sql
    assert plan.row_items[1] == "'it''s'"


def test_nothing_is_left_in_the_tree_for_others() -> None:
    first = _plan("create table t (a varchar(3)) comment = 'x'")
    assert first.effects is not None
    assert (first.effects.comment, first.effects.text_lengths) == ("x", (("A", 3),))
    assert _plan("select 'Statement executed successfully.' as status").effects is None


@pytest.mark.parametrize(
    ("statement", "errno"),
    [
        ("show tables history", 2),
        ("explain select 1", 2),
        ("select a from table(result_scan('x')) where a = 1", 2),
        ('create database "a\'b"', 2),
    ],
)
def test_what_would_be_ignored_is_refused(statement: str, errno: int) -> None:
    with pytest.raises(ProgrammingError) as caught:
        _plan(statement)
    assert caught.value.errno == errno


def test_a_name_needs_a_current_schema() -> None:
    nowhere = p.Context(Namespace("DB", database_set=True), (), Path("/data"))
    with pytest.raises(ProgrammingError) as caught:
        rewrite(parse("select * from t"), nowhere)
    assert caught.value.errno == 90106
