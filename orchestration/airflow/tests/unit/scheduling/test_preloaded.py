"""What is imported before a fork leaves nothing behind that a fork would break."""

import subprocess
import sys

CHECK = """
import threading
from pathlib import Path
import psutil
from bank_dags.scheduling.preloaded import preload
own = psutil.Process()
before = len(own.net_connections())
preload()
assert threading.active_count() == 1, threading.enumerate()
# jemalloc, where pyarrow brings it, makes its thread again in a child.
others = [thread.id for thread in own.threads() if thread.id != own.pid]
names = {Path(f"/proc/self/task/{thread}/comm").read_text().strip() for thread in others}
assert names <= {"jemalloc_bg_thd"}, names
assert len(own.net_connections()) == before, own.net_connections()
"""


def test_it_starts_no_thread_and_opens_no_connection() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
