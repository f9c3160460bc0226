"""Exit code 0 when the API server answers and, with a part's name, when that part's heartbeat is healthy.

usage: python health.py [scheduler | dag_processor]    The server is the one of AIRFLOW__CORE__EXECUTION_API_SERVER_URL.
"""

import json
import os
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 8


def main(part: str | None) -> int:
    """Ask once; the exit code."""
    server = urlsplit(os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8080"))
    connection = HTTPConnection(server.hostname or "127.0.0.1", server.port or 80, timeout=_TIMEOUT_SECONDS)
    connection.request("GET", "/api/v2/monitor/health" if part else "/api/v2/version")
    answer = connection.getresponse()
    if answer.status != 200 or part is None:
        return int(answer.status != 200)
    status = (json.load(answer).get(part) or {}).get("status")
    sys.stdout.write(f"{part}: {status}\n")
    return int(status != "healthy")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
