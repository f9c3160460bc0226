"""Exit code 0 when the API server answers and, with a part's name, when that part is healthy.

usage: python health.py [scheduler | dag_processor | dbt_warm]

The server is the one of AIRFLOW__CORE__EXECUTION_API_SERVER_URL; the warm dbt's socket lies in BANK_DAGS_STATE_DIR.
"""

import json
import os
import socket
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 8


def main(part: str | None) -> int:
    """Ask once; the exit code."""
    if part == "dbt_warm":
        return _warm()
    server = urlsplit(os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8080"))
    connection = HTTPConnection(server.hostname or "127.0.0.1", server.port or 80, timeout=_TIMEOUT_SECONDS)
    connection.request("GET", "/api/v2/monitor/health" if part else "/api/v2/version")
    answer = connection.getresponse()
    if answer.status != 200 or part is None:
        return int(answer.status != 200)
    status = (json.load(answer).get(part) or {}).get("status")
    sys.stdout.write(f"{part}: {status}\n")
    return int(status != "healthy")


def _warm() -> int:
    """The greeting of the warm dbt at its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_TIMEOUT_SECONDS)
        connection.connect(os.path.join(os.environ["BANK_DAGS_STATE_DIR"], "warm", "socket"))
        with connection.makefile("rb") as answer:
            greeting = json.loads(answer.readline())
    sys.stdout.write(f"dbt_warm: {greeting['state']} {greeting['reason'] or ''}\n")
    return int(greeting["state"] != "ready")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
