"""Without a terminal: one line every ten seconds."""

import io

from rich.console import Console

from bankctl.operate.demo.pipeline_stages import Counts
from bankctl.operate.demo.view import View


def test_one_line_every_ten_seconds() -> None:
    now, output = 0.0, io.StringIO()
    view = View(Console(file=output, width=200), clock=lambda: now)
    with view:
        for second in range(25):
            now = float(second)
            view.show(None if second < 15 else 1234, Counts(kafka=second))
    lines = output.getvalue().splitlines()
    assert lines == [
        "[   0 s] changes: the generator is at work, Kafka 0, landed 0, RAW 0, marts 0",
        "[  10 s] changes: the generator is at work, Kafka 10, landed 0, RAW 0, marts 0",
        "[  20 s] changes: committed 1,234, Kafka 20, landed 0, RAW 0, marts 0",
    ]
