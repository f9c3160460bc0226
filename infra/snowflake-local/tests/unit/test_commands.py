import pytest

from snowflake_local.sql import commands


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("list @st/x", commands.StageCommand(False, "@st/x", None)),
        ("REMOVE @a.b.st/x/ pattern='.*'", commands.StageCommand(True, "@a.b.st/x/", ".*")),
        (
            "put 'file:///a b/*.parquet' @a.st/x/ OVERWRITE = TRUE parallel=8;",
            commands.PutFiles("file:///a b/*.parquet", "@a.st/x/", {"OVERWRITE": "TRUE", "PARALLEL": "8"}),
        ),
        (
            "put 'file:///f.parquet' @st source_compression = none",
            commands.PutFiles("file:///f.parquet", "@st", {"SOURCE_COMPRESSION": "none"}),
        ),
        ("put file://f.csv @st", commands.PutFiles("file://f.csv", "@st", {})),
        ("drop stage if exists a.st;", commands.DropStage("a.st", True)),
        ("use role loader", commands.UseContext("ROLE", "LOADER")),
        ("alter session set LOCK_TIMEOUT = 600", commands.SetParameters({"LOCK_TIMEOUT": "600"})),
        (
            "ALTER SESSION SET query_tag = 'it''s, {\"a\": 1}', lock_timeout=5;",
            commands.SetParameters({"QUERY_TAG": 'it\'s, {"a": 1}', "LOCK_TIMEOUT": "5"}),
        ),
        (
            "alter session unset query_tag, lock_timeout",
            commands.SetParameters({"QUERY_TAG": None, "LOCK_TIMEOUT": None}),
        ),
        ("show parameters like 'query_tag' in session", commands.ShowParameter("QUERY_TAG")),
        ('alter table a.b swap with "C"', commands.SwapTables("a.b", '"C"')),
        ("create or replace dynamic  table x", commands.Refused("DYNAMIC TABLE")),
        ("start transaction", commands.Begin()),
    ],
)
def test_commands_are_recognised(statement: str, expected: commands.Command) -> None:
    assert commands.recognise(statement) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "insert into list values (1)",
        "create table streams (a int)",
        "",
        "alter session set autocommit = false",
    ],
)
def test_other_statements_are_left_alone(statement: str) -> None:
    assert commands.recognise(statement) is None


def test_comments_around_a_statement_are_taken_off_and_those_inside_stay() -> None:
    text = "/* a */ -- b\n select /* hint */ 1 /* {} */;"
    assert commands.without_comments(text) == "select /* hint */ 1"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select system$cancel_all_queries('12')", ("CANCEL_ALL_QUERIES", 12, "SYSTEM$CANCEL_ALL_QUERIES('12')")),
        ("SELECT SYSTEM$ABORT_SESSION( 12 ) as done;", ("ABORT_SESSION", 12, "DONE")),
        ("select system$wait(?)", ("WAIT", None, "SYSTEM$WAIT(?)")),
    ],
)
def test_control_functions_are_recognised(statement: str, expected: tuple[str, int | None, str]) -> None:
    assert commands.recognise(statement) == commands.SystemCall(*expected)
