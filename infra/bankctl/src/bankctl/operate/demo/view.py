"""The progress view: a live table on a terminal, one line every ten seconds elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bankctl.operate.demo.pipeline_stages import STAGES, Counts

REPORT_SECONDS: Final = 10.0
_BAR: Final = 30


class View:
    """Shows the latest counts; `committed` is what the generator says, None while it works and has not said."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._started = clock()
        self._reported: float | None = None
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show(self, committed: int | None, counts: Counts) -> None:
        """Show one sample."""
        if self._live:
            self._live.update(self._table(committed, counts), refresh=True)
            return
        now = self._clock()
        if self._reported is None or now - self._reported >= REPORT_SECONDS:
            self._reported = now
            self._console.print(self.line(committed, counts), highlight=False)

    def line(self, committed: int | None, counts: Counts) -> str:
        """Format a sample as one line."""
        first = "the generator is at work" if committed is None else f"committed {committed:,}"
        stages = ", ".join(f"{stage} {count:,}" for stage, count in zip(STAGES, counts.values, strict=True))
        return f"[{self._clock() - self._started:4.0f} s] changes: {first}, {stages}"

    def _table(self, committed: int | None, counts: Counts) -> Table:
        table = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
        table.add_column("stage")
        table.add_column("changes", justify="right")
        table.add_column("")
        most = max(committed or 0, *counts.values, 1)
        rows = [("committed", committed), *zip(STAGES, counts.values, strict=True)]
        for stage, count in rows:
            shown = "at work …" if count is None else f"{count:,}"
            table.add_row(stage, shown, "█" * round((count or 0) * _BAR / most))
        return table
