"""The HTTP side: login, statements, uploads, health. Statement errors are SQL errors, never an HTTP 500."""

import asyncio
import gzip
import json
import logging
import time
import uuid
from typing import Any, Final

from fakesnow.transforms import SERVER_VERSION
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from snowflake.connector.errors import ProgrammingError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from snowflake_local.logs import event
from snowflake_local.protocol.auth import LoginError, Users
from snowflake_local.protocol.clients import Client, NoSessionError, Sessions
from snowflake_local.protocol.request import Statement, failure
from snowflake_local.protocol.uploads import Uploads
from snowflake_local.sessions.locks import TableLocks
from snowflake_local.sessions.session import Session
from snowflake_local.storage.local_warehouse import LocalWarehouse

STATEMENTS = Counter("snowflake_local_statements", "Statements by outcome", ["outcome"])
SECONDS = Histogram("snowflake_local_statement_seconds", "Time of a statement in the server")
SESSIONS = Gauge("snowflake_local_sessions", "Open sessions")
TRANSACTIONS = Gauge("snowflake_local_open_transactions", "Sessions with an open transaction")
_IN_PROGRESS: Final = "333333"


class Application:
    """The routes over one warehouse.

    Args:
        warehouse: what sessions are opened on.
        users: who may log in.
        locks: the table locks of all sessions.
        answer_within_seconds: a statement that takes longer is answered with an address to ask for its result.
    """

    def __init__(
        self, warehouse: LocalWarehouse, users: Users, locks: TableLocks, answer_within_seconds: float
    ) -> None:
        self._warehouse = warehouse
        self._users = users
        self._locks = locks
        self._answer_within_seconds = answer_within_seconds
        self._sessions = Sessions()
        self._uploads = Uploads(warehouse.stages.root)

    def asgi(self) -> Starlette:
        """The application for uvicorn."""
        routes = [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/session/v1/login-request", self.login, methods=["POST"]),
            Route("/session", self.session, methods=["POST"]),
            Route("/session/heartbeat", self.heartbeat, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/queries/{query_id}/result", self.result),
            Route("/fs_bucket/{path:path}", self.upload, methods=["PUT"]),
            Route("/telemetry/send", self.telemetry, methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={NoSessionError: _no_session, Exception: _refused})

    # -- operators ---------------------------------------------------------------------------------------------

    async def healthz(self, _request: Request) -> Response:
        """Alive."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Ready while the databases answer."""
        try:
            await run_in_threadpool(self._warehouse.probe)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the reason
            return PlainTextResponse(f"store: {error}\n", 503)
        return PlainTextResponse("ready\n")

    async def metrics(self, _request: Request) -> Response:
        """Prometheus' text format."""
        clients = self._sessions.all()
        SESSIONS.set(len(clients))
        TRANSACTIONS.set(sum(client.session.in_transaction for client in clients))
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def telemetry(self, _request: Request) -> Response:
        """The connector's own telemetry: taken and dropped."""
        return JSONResponse({"success": True})

    # -- sessions ----------------------------------------------------------------------------------------------

    async def login(self, request: Request) -> Response:
        """Key-pair login; makes a session."""
        body = await _json(request)
        data, query = body.get("data") or {}, request.query_params
        claimed = [str(data.get(name, "")) for name in ("LOGIN_NAME", "AUTHENTICATOR", "TOKEN")]
        try:
            user, role = self._users.login(claimed[0], claimed[1], claimed[2], query.get("roleName"))
        except LoginError as error:
            event(logging.WARNING, "login_refused", code=error.code)
            refusal = {"data": {"nextAction": "RETRY_LOGIN"}, "code": error.code, "message": error.message}
            return JSONResponse(refusal | {"success": False})
        parameters = data.get("SESSION_PARAMETERS") or {}
        try:
            session = await run_in_threadpool(
                Session,
                self._warehouse,
                self._locks,
                self._sessions,
                (query.get("databaseName"), query.get("schemaName")),
                user=user.name,
                role=role,
                virtual_warehouse=(query.get("warehouse") or "").upper(),
                autocommit=parameters.get("AUTOCOMMIT", True) is not False,
                parameters=parameters,
            )
        except ProgrammingError as error:
            return JSONResponse(failure(error))
        for client in self._sessions.remove_idle():
            await run_in_threadpool(client.session.close)
        event(logging.INFO, "session_started", session=session.number, user=user.name, role=role)
        return JSONResponse({"data": _welcome(self._sessions.add(session), session), "success": True})

    async def session(self, request: Request) -> Response:
        """Ends a session: what it had open is rolled back at once."""
        if request.query_params.get("delete"):
            client = self._sessions.remove(request)
            if client is not None:
                await run_in_threadpool(client.session.close)
                event(logging.INFO, "session_ended", session=client.session.number)
        return JSONResponse(_DONE)

    async def heartbeat(self, request: Request) -> Response:
        """A client that keeps its session."""
        self._sessions.of(request)
        return JSONResponse(_DONE)

    # -- statements --------------------------------------------------------------------------------------------

    async def query(self, request: Request) -> Response:
        """Run one statement, or find the one that this request, sent before, has started."""
        client = self._sessions.of(request)
        body = await _json(request)
        request_id = request.query_params.get("requestId", "")
        if client.task is None or not request_id or client.request_id != request_id:
            statement = Statement(body, f"{request.url.scheme}://{request.url.netloc}", self._uploads)
            client.request_id, client.query_id = request_id, str(uuid.uuid4())
            client.task = asyncio.create_task(_run(statement, client.session))
        return await self._answer(request, client, client.query_id)

    async def result(self, request: Request) -> Response:
        """The result of a statement that took its time."""
        client = self._sessions.of(request)
        query_id = request.path_params["query_id"]
        if client.task is None or client.query_id != query_id:
            text = f"Statement {query_id} not found"
            return JSONResponse({"data": None, "code": "000709", "message": text, "success": False})
        return await self._answer(request, client, query_id)

    async def _answer(self, request: Request, client: Client, query_id: str) -> Response:
        assert client.task is not None  # noqa: S101 - the callers have seen it
        task, gone = client.task, asyncio.create_task(_disconnected(request))
        try:
            await asyncio.wait((task, gone), timeout=self._answer_within_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hung_up = gone.done() and not task.done()
            gone.cancel()
        if hung_up and client.query_id == query_id:
            event(logging.WARNING, "client_gone", session=client.session.number)
            client.session.cancel()
        if not task.done():
            data = {"getResultUrl": f"/queries/{query_id}/result", "queryId": query_id}
            message = "Query execution in progress"
            return JSONResponse({"data": data, "code": _IN_PROGRESS, "message": message, "success": True})
        return JSONResponse(task.result())

    async def abort(self, request: Request) -> Response:
        """Cancel the session's statement."""
        self._sessions.of(request).session.cancel()
        return JSONResponse(_DONE)

    async def upload(self, request: Request) -> Response:
        """A file for a stage, at an address that PUT was given."""
        body, signature = await request.body(), request.query_params.get("signature", "")
        path = request.path_params["path"]
        written = await run_in_threadpool(self._uploads.write, path, signature, body)
        return Response(status_code=200 if written else 403)

    def close(self) -> None:
        """Stop every statement and roll back what is open."""
        for client in self._sessions.all():
            client.session.cancel()


async def _run(statement: Statement, session: Session) -> dict[str, Any]:
    start = time.monotonic()
    running = asyncio.create_task(run_in_threadpool(statement.run, session))
    while not running.done():
        await asyncio.wait((running,), timeout=session.running.watch())
    answer = running.result()
    SECONDS.observe(time.monotonic() - start)
    STATEMENTS.labels("success" if answer["success"] else "error").inc()
    return answer


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


_DONE: Final = {"data": None, "code": None, "message": None, "success": True}


def _welcome(token: str, session: Session) -> dict[str, Any]:
    current = session.namespace
    names = {
        "databaseName": current.database if current.database_set else None,
        "schemaName": current.shown_schema if current.schema_set else None,
        "roleName": session.role,
        "warehouseName": session.virtual_warehouse or None,
    }
    return {
        "token": token,
        "masterToken": token,
        "validityInSeconds": 3600,
        "masterValidityInSeconds": 14400,
        "serverVersion": SERVER_VERSION,
        "sessionId": session.number,
        "parameters": [
            {"name": "AUTOCOMMIT", "value": session.autocommit},
            {"name": "TIMEZONE", "value": "UTC"},
            {"name": "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY", "value": 3600},
            {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
        ],
        "sessionInfo": names,
    }


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError("the body is no JSON object")
    return parsed


async def _no_session(_request: Request, _error: Exception) -> Response:
    body = {"data": None, "code": NoSessionError.code, "message": NoSessionError.message, "success": False}
    return JSONResponse(body)


async def _refused(_request: Request, error: Exception) -> Response:
    """A request that can't be read. Clients try an HTTP 500 again for ever, so this is an answer as well."""
    text = f"The local stand-in can't read this request: {type(error).__name__}"
    return JSONResponse({"data": None, "code": "000603", "message": text, "success": False}, status_code=400)
