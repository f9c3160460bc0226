"""Time, from the event loop."""

import asyncio
from contextlib import suppress


class LoopClock:
    """The `Clock` of a running program."""

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """See `Clock.wait`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()
