"""Runs one dbt in dbt's own environment: `python launcher.py <dbt>`. Imports nothing of ours but its neighbours.

It imports dbt at once and builds when its input says so: one line of JSON with `arguments` and `environment`. The task
meanwhile logs in and looks whether a build is pending. An input that ends, before that line or after it, ends dbt.
"""

import json
import runpy
import signal
import sys

import ending
import imports


def main(program: str) -> None:
    """Import, wait for the word, run dbt's own command."""
    # Inherited as ignored when Airflow was started in the background of a shell, and dbt would not hear of its end.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    imports.import_dbt()
    imports.make_arrow_reader()
    if not (line := sys.stdin.readline()):
        sys.exit("no build was asked for")
    asked = json.loads(line)
    ending.end_with(sys.stdin.fileno())
    imports.adopt(asked["environment"])
    sys.argv[:] = [program, *asked["arguments"]]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1])
