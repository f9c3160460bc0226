"""Time, from the event loop."""

import asyncio
import time
from contextlib import suppress


class LoopClock:
    """The `Clock` of a running program."""

    def monotonic(self) -> float:
        """See `Clock.monotonic`."""
        return time.monotonic()

    def wall(self) -> float:
        """See `Clock.wall`."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """See `Clock.wait`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
