"""The fingerprint of what a process was started from: digests of its code, its command line and its settings.

A process reads its code once. `bank up` compares what it was started from with what is there now, and starts again
what would run from something else.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bankctl.devstack.components.component import Component
from bankctl.devstack.supervision.processes import Recorded
from bankctl.stack.shell import INHERITED
from bankctl.stack.stack import Stack

COMMAND: Final = "its command line"
EARLIER: Final = "the version of `bank` that started it"
_NAMED: Final = 3


def fingerprint(stack: Stack, component: Component) -> dict[str, str]:
    """The digest of each path, of the command line and of each setting, by its name. What the shell hands on (PATH, …)
    is none of them: another terminal is no reason to start anything again."""
    program, *arguments = component.command(stack)
    # An environment's interpreter has several names.
    parts = {COMMAND: _digest("\0".join([os.path.realpath(os.path.dirname(program)), *arguments]).encode())}
    parts |= {path: _content(stack.root / path) for path in component.runs_from}
    settings = {name: value for name, value in component.environment(stack).items() if name not in INHERITED}
    return parts | {name: _digest(value.encode()) for name, value in settings.items()}


def changes(stack: Stack, component: Component, record: Recorded) -> Sequence[str]:
    """The names of what has changed since the recorded process was started."""
    if record.fingerprint is None:
        return [EARLIER]
    then, now = record.fingerprint, fingerprint(stack, component)
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


def named(changed: Sequence[str]) -> str:
    """The first few of them, for a line."""
    more = len(changed) - _NAMED
    return ", ".join(changed[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _content(path: Path) -> str:
    files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    own = [file for file in files if "__pycache__" not in file.parts]
    return _digest(b"".join(f"{file.relative_to(path)}\0{_digest(file.read_bytes())}\n".encode() for file in own))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
