import pytest
from snowflake.connector.errors import ProgrammingError

from snowflake_local.recognise import commands as c
from snowflake_local.recognise.words import recognise

PARQUET = "file_format = (type = parquet use_logical_type = true) match_by_column_name = case_insensitive"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("list @st/x", c.StageFiles(False, "@st/x", None)),
        ("list '@st/a b'", c.StageFiles(False, "@st/a b", None)),
        ("REMOVE @a.b.st/x/ pattern='.*'", c.StageFiles(True, "@a.b.st/x/", ".*")),
        (
            "put 'file:///a b/*.parquet' @a.st/x/ OVERWRITE = TRUE parallel=8;",
            c.PutFiles("file:///a b/*.parquet", "@a.st/x/", True, True, "auto_detect", 8),
        ),
        (
            "put 'file:///f.parquet' @st source_compression = none AUTO_COMPRESS = FALSE",
            c.PutFiles("file:///f.parquet", "@st", False, False, "none", 4),
        ),
        ("put file://f.csv @st", c.PutFiles("file://f.csv", "@st", False, True, "auto_detect", 4)),
        ("put file://f.csv ?", c.PutFiles("file://f.csv", "?", False, True, "auto_detect", 4)),
        (f"copy into t from @st/x {PARQUET}", c.CopyFiles(("T",), "@st/x", None, False)),
        (
            f"COPY INTO a.\"b c\".t FROM '@a.st/x y/' FILES = ('1', '2;') {PARQUET} FORCE = TRUE;",
            c.CopyFiles(("A", "b c", "T"), "@a.st/x y/", ("1", "2;"), True),
        ),
        ("create stage a.st;", c.CreateStage(("A", "ST"), False, False, "")),
        ("create or replace stage st comment = 'x'", c.CreateStage(("ST",), True, False, "x")),
        ("create stage if not exists st", c.CreateStage(("ST",), False, True, "")),
        ("drop stage if exists a.st;", c.DropStage(("A", "ST"), True)),
        ("use role loader", c.UseContext("ROLE", "LOADER")),
        ("alter session set LOCK_TIMEOUT = 600", c.SetParameters({"LOCK_TIMEOUT": "600"})),
        (
            "ALTER SESSION SET query_tag = 'it''s, {\"a\": 1}', lock_timeout=5;",
            c.SetParameters({"QUERY_TAG": 'it\'s, {"a": 1}', "LOCK_TIMEOUT": "5"}),
        ),
        ("alter session unset query_tag, lock_timeout", c.SetParameters({"QUERY_TAG": None, "LOCK_TIMEOUT": None})),
        ("show parameters like 'query_tag' in session", c.ShowParameter("QUERY_TAG")),
        ("set a = 'x';", c.SetVariable("A", "'x'")),
        ("unset a", c.SetVariable("A", None)),
        ('alter table a.b swap with "C"', c.SwapTables(("A", "B"), ("C",))),
        ("create or replace dynamic  table x", c.Refused("DYNAMIC TABLE")),
        ("grant usage on database a to role b", c.Accepted()),
        ("create role if not exists a", c.Accepted()),
        ("start transaction", c.Begin()),
        ("begin", c.Begin()),
        ("begin transaction name t1;", c.Begin()),
        ("COMMIT", c.Commit()),
        ("rollback work", c.RollBack()),
    ],
)
def test_commands_are_recognised(statement: str, expected: c.Command) -> None:
    assert recognise(statement) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "select 1",
        "insert into list values (1)",
        "create table streams (a int)",
        "create table stage (a int)",
        "",
        "alter session set autocommit = false",
        "begin select 1; end",
        "(select 1)",
        "start transaction; drop table c",
    ],
)
def test_other_statements_are_left_to_the_parser(statement: str) -> None:
    assert recognise(statement) is None


@pytest.mark.parametrize("statement", ["grant a to b; drop table c", "comment on view a is 'x'; drop table c"])
def test_what_follows_a_command_is_not_swallowed(statement: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        recognise(statement)
    assert caught.value.errno == 8


@pytest.mark.parametrize(
    ("statement", "feature"),
    [
        (f"copy into t from @st {PARQUET} pattern = 'x'", "option PATTERN of COPY"),
        ("copy into t from @st file_format = (type = parquet null_if = ('x'))", "option NULL_IF of FILE_FORMAT"),
        ("put file://f @st overwrite = true threshold = 1", "option THRESHOLD of PUT"),
        ("create stage st url = 's3://x'", "option URL of CREATE STAGE"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused_by_its_name(statement: str, feature: str) -> None:
    with pytest.raises(ProgrammingError, match=feature) as caught:
        recognise(statement)
    assert caught.value.errno == 2


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("select system$cancel_all_queries('12')", ("CANCEL_ALL_QUERIES", 12, "SYSTEM$CANCEL_ALL_QUERIES('12')")),
        ("SELECT SYSTEM$ABORT_SESSION( 12 ) as done;", ("ABORT_SESSION", 12, "DONE")),
        ("select system$wait(?)", ("WAIT", None, "SYSTEM$WAIT(?)")),
    ],
)
def test_control_functions_are_recognised(statement: str, expected: tuple[str, int | None, str]) -> None:
    assert recognise(statement) == c.SystemCall(*expected)
