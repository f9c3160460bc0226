"""The protocol that clients rely on beside SQL: no HTTP 500, requests that are sent twice, long statements, uploads."""

import json
import threading
import urllib.error
import urllib.request
from typing import Any

import pytest
from loads import FENCE, LoadingServer, run_all
from snowflake.connector.errors import Error
from support import COPY_OPTIONS

UNREADABLE = [
    "",
    ";",
    "select",
    "selec 1",
    "select * from",
    "select (",
    "create table",
    "create table t (a nosuchtype)",
    "copy into landed from 's3://x/y' file_format = (type = parquet use_logical_type = true)",
    "copy into landed from @st/x/ file_format = (type = csv)",
    "copy into @st/y from landed",
    "put file:///nowhere/at/all @st",
    "get @st file:///tmp",
    "list @~",
    "list st",
    "remove @%nothing",
    "create external table e (a int) location = @st",
    "create task x warehouse = w schedule = '1 minute' as select 1",
    "create pipe p as copy into landed from @st",
    "create function f(a int) returns int as 'a'",
    "create procedure p() returns int language sql as 'select 1'",
    "call something()",
    "execute immediate 'select 1'",
    "begin; select 1; end",
    "declare x int; begin return 1; end",
    "select $1 from @st/x/f.parquet",
    "select * from table(result_scan('nothing'))",
    "select * from table(information_schema.query_history())",
    "select system$cancel_all_queries(1)",
    "merge into landed using landed on 1",
    "alter table landed cluster by (nothing_here)",
    "undrop table landed",
    "explain select * from no_such_table",
    "show nothing at all",
    "describe stage st",
    "attach 'x.db' as x",
    "install httpfs",
    "pragma database_list",
    "\x00",
    "select '\ud83d\ude00",
]


@pytest.mark.parametrize("statement", UNREADABLE)
def test_whatever_is_asked_the_answer_is_sql(shared: LoadingServer, statement: str) -> None:
    """Clients try an HTTP 500 again until their timeouts: an answer or a SQL error comes at once."""
    cursor = shared.session(network_timeout=5)
    number: int | None = 0
    try:
        cursor.execute(statement)
    except Error as error:
        number = error.errno
    assert number not in (None, 250001, 250003, 290400, 290500, 603)
    assert cursor.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{users}')",
        "select * from read_text('{users}')",
        "create table T.S.stolen as select * from read_json('{users}')",
        "attach '{folder}/beside.db' as beside",
        "copy (select 1) to '{folder}/written.csv'",
    ],
)
def test_files_beside_the_warehouse_are_out_of_reach(shared: LoadingServer, statement: str) -> None:
    """DuckDB's own functions are SQL as well."""
    cursor = shared.session()
    cursor.execute("set enable_external_access = true")  # a variable of the session, as in Snowflake
    with pytest.raises(Error):
        cursor.execute(statement.format(users=shared.folder / "users.json", folder=shared.folder))
    assert not {"written.csv", "beside.db"} & {file.name for file in shared.folder.iterdir()}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"{}", b'{"sqlText": 7}', b'{"sqlText": "select ?", "bindings": {"1": 2}}']
)
def test_a_body_that_is_no_statement(shared: LoadingServer, body: bytes) -> None:
    status, answer = _post(shared, _token(shared), "1", body)
    assert status in (200, 400)
    assert answer["success"] is False
    assert answer["message"]


def test_a_request_that_is_sent_again_does_not_run_again(shared: LoadingServer) -> None:
    shared.empty()
    token = _token(shared)
    body = json.dumps({"sqlText": "insert into T.S.ledger values ('once')"}).encode()
    first, again = _post(shared, token, "request-1", body), _post(shared, token, "request-1", body)
    assert first == again
    assert shared.counts()[1] == 1
    _post(shared, token, "request-2", body)
    assert shared.counts()[1] == 2


def test_a_long_statement_is_asked_for_until_it_is_done(tmp_path_factory: pytest.TempPathFactory) -> None:
    server = LoadingServer(tmp_path_factory.mktemp("slow"), "--answer-within", 0.3, "--abandon-after", 60).prepare()
    try:
        first, second = server.session(), server.session()
        run_all(first, "begin", FENCE)
        thread = threading.Thread(target=run_all, args=(second, "begin", FENCE, "commit"))
        thread.start()
        thread.join(2)
        assert thread.is_alive()
        first.execute("commit")
        thread.join(20)
        assert server.counts()[2] == 2
        token = _token(server)
        status, answer = _get(server, token, "/queries/nothing/result")
        assert (status, answer["code"]) == (200, "000709")
    finally:
        server.end()


DESCRIBED = {
    "select file, 1.50 as amount from ledger where file = %s": ["FILE", "AMOUNT"],
    "insert into ledger values ('described')": ["number of rows inserted"],
    "update ledger set file = 'described'": ["number of rows updated", "number of multi-joined rows updated"],
    "merge into ledger t using ledger s on t.file = s.file when matched then delete": ["number of rows deleted"],
    "create table described (a int)": ["status"],
    "use role TESTER": ["status"],
    "show parameters like 'LOCK_TIMEOUT'": ["key", "value", "default", "level", "description", "type"],
    "describe table ledger": None,
    "begin": ["status"],
}


@pytest.mark.parametrize("statement", DESCRIBED)
def test_a_statement_that_is_described_is_not_run(shared: LoadingServer, statement: str) -> None:
    shared.empty()
    cursor = shared.session()
    run_all(cursor, "insert into ledger values ('f')")
    described = [column.name for column in cursor.describe(statement.replace("%s", "'f'"))]
    assert described == (DESCRIBED[statement] or described)
    assert described
    assert shared.session().execute("select file from ledger").fetchall() == [("f",)]
    assert cursor.execute(
        "select count(*) from information_schema.tables where table_name = 'DESCRIBED'"
    ).fetchone() == (0,)


@pytest.mark.parametrize("statement", ["copy into landed from @st " + COPY_OPTIONS, "select system$wait(30)"])
def test_what_can_t_be_described_without_running_it_is_refused(shared: LoadingServer, statement: str) -> None:
    with pytest.raises(Error) as caught:
        shared.session().describe(statement)
    assert caught.value.errno == 2


def test_the_stage_of_a_put_may_be_bound(shared: LoadingServer) -> None:
    cursor = shared.session(paramstyle="qmark")
    cursor.execute(
        f"put 'file://{shared.folder / 'f.parquet'}' ? auto_compress = false overwrite = true", ["@st/bound/"]
    )
    assert [row[0] for row in cursor.execute("list @st/bound/").fetchall()] == ["st/bound/f.parquet"]


def test_rows_of_bound_values_are_counted(shared: LoadingServer) -> None:
    shared.empty()
    cursor = shared.session(paramstyle="qmark")
    cursor.executemany("insert into ledger values (?)", [["a"], ["b"], ["c"]])
    assert cursor.rowcount == 3
    assert shared.counts()[1] == 3


def test_uploads_go_to_signed_addresses_only(shared: LoadingServer) -> None:
    before = shared.session().execute("list @st").fetchall()
    for path in ("T/S/ST/x/f.parquet", "T/S/ST/x/f.parquet?signature=0", "../users.json", "%2e%2e/users.json"):
        request = urllib.request.Request(f"http://127.0.0.1:{shared.port}/fs_bucket/{path}", b"torn", method="PUT")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        assert caught.value.code in (403, 404)
    assert shared.session().execute("list @st").fetchall() == before
    assert "TESTER" in (shared.folder / "users.json").read_text()


def test_health_and_metrics(shared: LoadingServer) -> None:
    shared.session().execute("select 1")
    for path, text in {"/healthz": "ok", "/readyz": "ready", "/metrics": "snowflake_local_statements_total"}.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{shared.port}{path}", timeout=10) as answer:
            assert text in answer.read().decode()


def test_the_log_has_events_and_no_values(shared: LoadingServer) -> None:
    cursor = shared.session()
    run_all(cursor, "insert into ledger values ('canary-5fd1')")
    with pytest.raises(Error):
        cursor.execute("insert into ledger select 'canary-5fd1'::number")
    lines = [json.loads(line) for line in shared.log.read_text().splitlines()]
    assert {"listening", "session_started", "statement_failed"} <= {line["event"] for line in lines}
    assert "canary-5fd1" not in shared.log.read_text()


def _token(server: LoadingServer) -> str:
    """A session's, taken from the connector; the session stays open."""
    return server.connect(database="T", schema="S").rest.token  # type: ignore[union-attr]


def _post(server: LoadingServer, token: str, request_id: str, body: bytes) -> tuple[int, dict[str, Any]]:
    url = f"http://127.0.0.1:{server.port}/queries/v1/query-request?requestId={request_id}"
    return _answer(urllib.request.Request(url, body, method="POST", headers=_authorised(token)))


def _get(server: LoadingServer, token: str, path: str) -> tuple[int, dict[str, Any]]:
    return _answer(urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers=_authorised(token)))


def _authorised(token: str) -> dict[str, str]:
    return {"Authorization": f'Snowflake Token="{token}"'}


def _answer(request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
