"""A dbt that is warm: it has imported dbt and parsed the project, and forks for each build. Runs in dbt's environment.

    python warm.py <folder> <project>

`<folder>/socket` is opened by its owner alone. Who connects is told in one line of JSON how it stands: `state` is
`ready` or `failed`, with a `reason`. To build they send one line with `arguments` and `environment`, and with it two
descriptors: the build's lock, which the build holds as long as it runs, and a file for its output. The answer is
`{"started": pid}`; the child builds when it hears `go` (a caller who waited too long has gone elsewhere), and says
`{"exit": code}`. Or the answer is `{"refused": reason}`. A build whose caller hangs up is interrupted, then killed.

It has one thread of Python and no connection, so it may fork (two idle threads of dbt's static parser hold nothing, and
a child does not parse). What it parsed holds for the files and the variables that it parsed with; at any other it
refuses, and starts itself anew with those.
"""

import contextlib
import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import ending
import imports

LOOK_SECONDS = 5.0
REQUEST_BYTES = 1 << 20
BUILD_NAME = "dbt build"
CODE = ("*.yml", "models/**/*", "macros/**/*", "snapshots/**/*", "seeds/**/*", "analyses/**/*", "tests/singular/**/*")
QUIET = ("--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check", "--log-level-file", "none")


def code_digest(project: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of every file that a parse rests on; dbt's own environment and this program among them."""
    paths = [path for pattern in CODE for path in project.glob(pattern) if path.is_file()]
    paths += [Path(sys.prefix, "pyvenv.cfg"), Path(os.__file__).parent, *map(Path, sys.path), Path(__file__)]
    stats = {path: path.stat() for path in paths if path.exists()}
    return tuple(sorted((str(path), stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()))


def parse_variables(environment: dict[str, str]) -> dict[str, str]:
    """The variables that profile and project read; none of them differs from build to build."""
    prefixes = ("SNOWFLAKE_", "DBT_")
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(prefixes) and not name.startswith("DBT_ENV_CUSTOM_ENV_")
    }


class Warm:
    """The parsed project, and who waits at the socket."""

    def __init__(self, folder: Path, project: Path) -> None:
        self._folder, self._project = folder, project
        self._code, self._variables = code_digest(project), parse_variables(dict(os.environ))
        self._dbt: Any = importlib.import_module("dbt.cli.main")
        self._manifest, self._reason = self._parse()
        gc.collect()
        gc.freeze()
        self._lock, self._listener = listen(folder)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)

    def _parse(self) -> tuple[Any, str | None]:
        folders = [
            "--project-dir",
            self._project,
            "--profiles-dir",
            self._project,
            "--target-path",
            self._folder / "target",
        ]
        folders += ["--log-path", self._folder / "log"]
        result = self._dbt.dbtRunner().invoke([*QUIET, "parse", *map(str, folders)])
        if result.success:
            return result.result, None
        return None, f"dbt can't parse the project: {result.exception}"

    def serve(self) -> None:
        """Serve for ever: greet, fork, reap, and look whether the code has changed."""
        while True:
            for key, _ in self._selector.select(LOOK_SECONDS):
                if key.fileobj is self._listener:
                    self._greet()
                else:
                    self._take(key.fileobj)  # pyright: ignore[reportArgumentType] - only sockets are registered
            while _reaped():
                pass
            if code_digest(self._project) != self._code:
                self._start_anew(dict(os.environ))

    def _greet(self) -> None:
        connection, _ = self._listener.accept()
        peer = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if peer[1] != os.geteuid():
            connection.close()
            return
        connection.settimeout(1.0)
        _tell(connection, state="failed" if self._reason else "ready", reason=self._reason)
        self._selector.register(connection, selectors.EVENT_READ)

    def _take(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        descriptors: list[int] = []
        try:
            text, descriptors = _request(connection)
            if not text:
                return
            asked = json.loads(text)
            environment = {**asked["environment"]}
            if len(descriptors) != 2:
                _tell(connection, refused="a request comes with the lock and a file for the output")
            elif code_digest(self._project) != self._code or parse_variables(environment) != self._variables:
                _tell(connection, refused="it has to parse anew: the project or its variables have changed")
                self._start_anew(environment)
            elif self._reason:
                _tell(connection, refused=self._reason)
            elif os.fork() == 0:
                self._build(connection, descriptors, asked["arguments"], environment)
        except (OSError, ValueError, KeyError, TypeError) as error:
            _tell(connection, refused=f"not a request: {type(error).__name__}")
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
            connection.close()

    def _build(
        self, connection: socket.socket, descriptors: list[int], arguments: list[str], environment: dict[str, str]
    ) -> None:
        """The child: never returns. The lock's descriptor stays open, and is held until this process has ended."""
        code = 2
        try:
            # What is the parent's: its lock must not outlive it, and who hangs up must be heard.
            os.close(self._lock)
            for key in list(self._selector.get_map().values()):
                os.close(key.fd)
            self._selector.close()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            # What `ps` and `top` call it; its command line is its parent's.
            Path("/proc/self/comm").write_text(BUILD_NAME, encoding="ascii")
            for target in (1, 2):
                os.dup2(descriptors[1], target)
            os.environ.clear()
            imports.adopt(environment)
            connection.settimeout(None)
            _tell(connection, started=os.getpid())
            if connection.recv(3) != b"go\n":
                os._exit(1)
            ending.end_with(connection.fileno())
            result = self._dbt.dbtRunner(self._manifest).invoke(arguments)
            if result.exception is not None:
                sys.stdout.write(f"{result.exception}\n")
            code = 0 if result.success else 2 if result.exception else 1
            sys.stdout.flush()
        finally:
            _tell(connection, exit=code)
            os._exit(code)

    def _start_anew(self, environment: dict[str, str]) -> None:
        sys.stdout.write("the project or its variables have changed: starting anew\n")
        sys.stdout.flush()
        own = {name: value for name, value in os.environ.items() if name not in self._variables}
        # Descriptors are not inherited: the socket is made anew as well.
        os.execve(sys.executable, [sys.executable, *sys.argv], own | parse_variables(environment))  # noqa: S606 - itself


def listen(folder: Path) -> tuple[int, socket.socket]:
    """The socket, and the lock of its one owner: ends this process when another one listens there."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another warm dbt listens in {folder}: stop it, or let this one be")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    (folder / "socket").unlink(missing_ok=True)
    before = os.umask(0o177)
    # By the folder's descriptor: a socket's own name may have 107 bytes.
    descriptor = os.open(folder, os.O_DIRECTORY | os.O_CLOEXEC)
    listener.bind(f"/proc/self/fd/{descriptor}/socket")
    os.close(descriptor)
    os.umask(before)
    listener.listen(16)
    return lock, listener


def _request(connection: socket.socket) -> tuple[bytes, list[int]]:
    text, descriptors = b"", []
    while not text.endswith(b"\n") and len(text) < REQUEST_BYTES:
        part, sent, _, _ = socket.recv_fds(connection, 1 << 16, 4)
        descriptors += sent
        if not part:
            return b"", descriptors
        text += part
    return text, descriptors


def _tell(connection: socket.socket, **said: object) -> None:
    # Who does not listen any more has nothing to be told.
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(said).encode() + b"\n")


def _reaped() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _terminated(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main(folder: str, project: str) -> None:
    """Import, parse, listen."""
    signal.signal(signal.SIGTERM, _terminated)
    imports.import_dbt()
    imports.make_arrow_reader()
    Warm(Path(folder), Path(project)).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
