"""What the metrics say of one chain's state."""

from cdc_consumer.holdings import Held
from cdc_consumer.instruments import Instruments


def show_line(instruments: Instruments, held: Held, high_watermark: int | None, wall_clock: float) -> None:
    """Show how far a chain of ours is; `wall_clock` is seconds since 1970, for the age of what is not stored."""
    line = held.line
    if line is None:
        return
    instruments.buffered(held.chain, line.size)
    instruments.tail(held.chain, line.start)
    if high_watermark is not None:
        stored = held.caught_up and line.oldest is None and line.head is None
        age = 0.0 if line.written is None else max(0.0, wall_clock - line.written)
        instruments.lag(held.chain, 0 if stored else max(0, high_watermark - line.start), age)
