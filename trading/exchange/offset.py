"""How far an exchange's clock is from ours, from a few round trips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from statistics import median

from trading.errors import FeedFailed


async def clock_offset_ms(ask: Callable[[], Awaitable[object]], now_ms: Callable[[], int], trips: int = 3) -> int:
    """Estimate what to add to our clock to get the exchange's, as NTP does: the median over a few round trips.

    Each trip's offset is the told time less the middle of the times of asking and of hearing.

    Parameters
    ----------
    ask : callable
        Asks for the exchange's time, milliseconds UTC.
    now_ms : callable
        Our clock, milliseconds UTC.
    trips : int
        Round trips.

    Returns
    -------
    int
        Milliseconds.

    Raises
    ------
    FeedFailed
        When the answer is no time.
    """
    offsets = []
    for _ in range(trips):
        asked_ms = now_ms()
        told = await ask()
        heard_ms = now_ms()
        if not isinstance(told, int) or isinstance(told, bool) or told <= 0:
            raise FeedFailed("the exchange told no time of its own; try again later")
        offsets.append(told - (asked_ms + heard_ms) / 2)
    return round(median(offsets))
