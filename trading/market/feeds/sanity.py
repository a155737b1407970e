"""Sanity of what a venue tells: a candle or price is sound, or there is a reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import isfinite

from trading.market.feeds.protocol import ClosedCandle, Tick

_DAY_MS = 86_400_000
# Times that a market can have: 1990 to 2100.
_FIRST_MS = 631_152_000_000
_LAST_MS = 4_102_444_800_000


class Unsound(StrEnum):
    """Why a candle or price is refused."""

    NO_NUMBER = "no_number"
    NOT_POSITIVE = "not_positive"
    IMPOSSIBLE_RANGE = "impossible_range"
    NEGATIVE_VOLUME = "negative_volume"
    OFF_GRID = "off_grid"


def number(value: object) -> float | None:
    """Return a finite number, or None for whatever is none: text, NaN, infinity, a truth value, nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def candle_of_row(symbol: str, row: object, step_ms: int) -> ClosedCandle | Unsound:
    """Return the candle that a row of numbers tells, or why it tells none.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    row : object
        Timestamp, open, high, low, close, volume, as numbers or as text; anything else is refused.
    step_ms : int
        Candle length, milliseconds.
    """
    if not isinstance(row, Sequence) or isinstance(row, str | bytes) or len(row) < 6:
        return Unsound.NO_NUMBER
    values = [number(value) for value in row[:6]]
    time_ms, opened, high, low, close, volume = values
    if time_ms is None or opened is None or high is None or low is None or close is None or volume is None:
        return Unsound.NO_NUMBER
    candle = ClosedCandle(symbol, int(time_ms), opened, high, low, close, volume)
    return candle_fault(candle, step_ms) or candle


def candle_fault(candle: ClosedCandle, step_ms: int) -> Unsound | None:
    """Return why a candle cannot be one, or None when it can."""
    low, high, volume = candle.low, candle.high, candle.volume
    fault = None
    if not all(map(isfinite, (candle.open, high, low, candle.close, volume))):
        fault = Unsound.NO_NUMBER
    elif low <= 0:
        fault = Unsound.NOT_POSITIVE
    elif low > min(candle.open, candle.close) or high < max(candle.open, candle.close):
        fault = Unsound.IMPOSSIBLE_RANGE
    elif volume < 0:
        fault = Unsound.NEGATIVE_VOLUME
    # Candles of a day or less open at multiples of their length; longer ones where the venue wants.
    elif not _FIRST_MS <= candle.timestamp <= _LAST_MS or (_DAY_MS % step_ms == 0 and candle.timestamp % step_ms):
        fault = Unsound.OFF_GRID
    return fault


def tick_of_ticker(symbol: str, ticker: object, now_ms: int) -> Tick | Unsound:
    """Return the price that a ticker tells, or why it tells none.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    ticker : object
        ccxt's unified ticker: ``last`` (or ``close``), ``bid``, ``ask``, ``timestamp``; the middle of bid and ask
        stands where no trade is told.
    now_ms : int
        The venue's time, which stands where the ticker has none; milliseconds UTC.
    """
    if not isinstance(ticker, Mapping):
        return Unsound.NO_NUMBER
    bid, ask = _positive(ticker.get("bid")), _positive(ticker.get("ask"))
    if bid is not None and ask is not None and bid > ask:
        return Unsound.IMPOSSIBLE_RANGE
    told = next((value for value in (ticker.get("last"), ticker.get("close")) if value is not None), None)
    price = number(told)
    if told is None and bid is not None and ask is not None:
        price = (bid + ask) / 2
    if price is None:
        return Unsound.NO_NUMBER
    stamp = number(ticker.get("timestamp"))
    tick = Tick(symbol, now_ms if stamp is None else int(stamp), price, bid, ask)
    return tick_fault(tick) or tick


def tick_fault(tick: Tick) -> Unsound | None:
    """Return why a tick cannot be one, or None when it can."""
    prices = [price for price in (tick.price, tick.bid, tick.ask) if price is not None]
    fault = None
    if not all(map(isfinite, prices)):
        fault = Unsound.NO_NUMBER
    elif min(prices) <= 0:
        fault = Unsound.NOT_POSITIVE
    elif tick.bid is not None and tick.ask is not None and tick.bid > tick.ask:
        fault = Unsound.IMPOSSIBLE_RANGE
    elif not _FIRST_MS <= tick.time_ms <= _LAST_MS:
        fault = Unsound.OFF_GRID
    return fault


def _positive(value: object) -> float | None:
    found = number(value)
    return found if found is not None and found > 0 else None
