"""The HTTP side: login, statements, uploads, health. Statement errors are SQL errors, never an HTTP 500."""

import gzip
import json
import logging
import secrets
import time
from importlib import import_module
from typing import Any

from fakesnow import cursor as fakesnow_cursor
from fakesnow import info_schema, transforms
from fakesnow.transforms import SERVER_VERSION
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from sqlglot import exp
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from snowflake_local import results
from snowflake_local.auth import LoginError, Users
from snowflake_local.load.copy import copy_into
from snowflake_local.session import Session
from snowflake_local.sql import rewrite
from snowflake_local.store import Warehouse, database_sql

upstream = import_module("fakesnow.server")  # the package has a function of that name
log = logging.getLogger("snowflake_local")

STATEMENTS = Counter("snowflake_local_statements", "Statements by outcome", ["outcome"])
SECONDS = Histogram("snowflake_local_statement_seconds", "Time of a statement in the server")
SESSIONS = Gauge("snowflake_local_sessions", "Open sessions")
IDLE_SESSION_SECONDS = 4 * 3600.0


def fill_gaps() -> None:
    """Put our functions in the place of upstream's; `snowflake_local.compat` has checked that they fit."""
    upstream.to_sf = results.to_snowflake
    upstream.parse_one = _parse(upstream.parse_one)
    info_schema.per_db_creation_sql = database_sql
    fakesnow_cursor.copy_into = copy_into
    transforms.identifier = rewrite.identifier
    transforms.create_table_as = rewrite.create_table_as
    transforms.numeric_agg_implicit_cast = _unchanged  # SUM of a NUMBER stays a NUMBER
    transforms.merge = _whole  # DuckDB has MERGE itself


def _unchanged(expression: exp.Expr) -> exp.Expr:
    return expression


def _whole(expression: exp.Expr) -> list[exp.Expr]:
    return [expression]


def _parse(parse_one: Any) -> Any:
    def parse(sql: str) -> exp.Expr:
        try:
            return parse_one(sql)
        except Exception:  # noqa: BLE001 - the cursor reports it, as a SQL error
            return exp.Command(this="UNKNOWN", expression=sql)

    return parse


class Application:
    """The routes over one warehouse."""

    def __init__(self, warehouse: Warehouse, users: Users) -> None:
        self._warehouse = warehouse
        self._users = users
        self.ready = False

    def asgi(self) -> Starlette:
        """The application for uvicorn."""
        replaced = {"/session/v1/login-request", "/queries/v1/query-request", "/session"}
        own = [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/session/v1/login-request", self.login, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/telemetry/send", self.telemetry, methods=["POST"]),
        ]
        return Starlette(routes=[*own, *(route for route in upstream.routes if route.path not in replaced)])

    # -- operators ---------------------------------------------------------------------------------------------

    async def healthz(self, _request: Request) -> Response:
        """Alive."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Ready once the databases are attached and answer."""

        def probe() -> None:
            cursor = self._warehouse.duck_conn.cursor()
            try:
                cursor.execute("select 1").fetchone()
            finally:
                cursor.close()

        try:
            await run_in_threadpool(probe)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
            return PlainTextResponse(f"store: {error}\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        SESSIONS.set(len(upstream.sessions))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def telemetry(self, _request: Request) -> Response:
        """The connector's own telemetry: taken and dropped."""
        return JSONResponse({"success": True})

    # -- clients -----------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """Key-pair login; makes a session."""
        try:
            data = (await _json(request))["data"]
            query = request.query_params
            user, role = self._users.login(
                str(data.get("LOGIN_NAME", "")),
                str(data.get("AUTHENTICATOR", "")),
                str(data.get("TOKEN", "")),
                query.get("roleName"),
            )
        except LoginError as error:
            log.warning("login_refused code=%s", error.code)
            failure = {"data": {"nextAction": "RETRY_LOGIN"}, "code": error.code, "message": error.message}
            return JSONResponse(failure | {"success": False})
        parameters = data.get("SESSION_PARAMETERS") or {}
        database, schema = query.get("databaseName"), query.get("schemaName")
        session = await run_in_threadpool(
            self._warehouse.connect,
            database,
            schema,
            user=user.name,
            role=role,
            virtual_warehouse=(query.get("warehouse") or "").upper(),
            autocommit=parameters.get("AUTOCOMMIT", True) is not False,
        )
        if "LOCK_TIMEOUT" in parameters:
            session.lock_timeout_seconds = float(parameters["LOCK_TIMEOUT"])
        self._forget_idle()
        token = secrets.token_urlsafe(32)
        upstream.sessions[token] = session
        names = {
            "databaseName": session.database if session.database_set else None,
            "schemaName": session.schema if session.schema_set else None,
            "roleName": role,
            "warehouseName": session.virtual_warehouse or None,
        }
        answer = {
            "token": token,
            "masterToken": secrets.token_urlsafe(32),
            "validityInSeconds": 3600,
            "masterValidityInSeconds": 14400,
            "serverVersion": SERVER_VERSION,
            "parameters": [
                {"name": "AUTOCOMMIT", "value": session._autocommit},
                {"name": "TIMEZONE", "value": "UTC"},
                {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
                {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
            ],
            "sessionInfo": names,
        }
        return JSONResponse({"data": answer, "success": True})

    async def session(self, request: Request) -> Response:
        """Ends a session: what it had open is rolled back at once."""
        try:
            token = upstream.to_token(request)
            session = upstream.to_conn(token)
        except upstream.ServerError as error:
            body = {"data": None, "code": error.code, "message": error.message, "success": False}
            return JSONResponse(body, status_code=error.status_code)
        if request.query_params.get("delete"):
            upstream.sessions.pop(token, None)
            await run_in_threadpool(session.close)
        return JSONResponse({"data": None, "code": None, "message": None, "success": True})

    async def query(self, request: Request) -> Response:
        """One statement. Clients try an HTTP 500 again for ever, so that even a bug is a SQL error."""
        start = time.monotonic()
        try:
            response = await upstream.query_request(request)
        except Exception as error:
            log.exception("statement_failed")
            response = _internal(f"{type(error).__name__}: {error}")
        if response.status_code == 500:
            response = _internal(json.loads(response.body).get("message", ""))
        SECONDS.observe(time.monotonic() - start)
        outcome = "error" if b'"success":false' in response.body[-200:] else "success"
        STATEMENTS.labels(outcome).inc()
        return response

    def _forget_idle(self) -> None:
        """Clients that never said goodbye: their sessions end after some hours."""
        for token, session in list(upstream.sessions.items()):
            if isinstance(session, Session) and session.idle_seconds > IDLE_SESSION_SECONDS:
                upstream.sessions.pop(token, None)
                session.close()


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return json.loads(body)


def _internal(text: str) -> JSONResponse:
    message = f"The local stand-in can't run this statement: {text[:2000]}"
    data = {"errorCode": "000603", "sqlState": "XX000"}
    return JSONResponse({"data": data, "code": "000603", "message": message, "success": False})
