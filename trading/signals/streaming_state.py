"""The state that a stream carries from candle to candle: records of fixed size, all that recursions need."""

from __future__ import annotations

from math import sqrt
from typing import Annotated, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from trading.market.resampling import bucket_opens
from trading.market.timeframes import timeframe_ms
from trading.profiles import profile_in_force
from trading.settings import Settings
from trading.signals.alignment import higher_timeframes, swing_timeframe
from trading.signals.kernels import SWING_LEGS
from trading.signals.registry import BUILT_IN

SLOTS = ("volatility", "momentum", "volume_profile", "market_structure", "regime")
"""The agents that the compiled step knows, in the order of its votes."""
CLASSES = tuple(BUILT_IN[name] for name in SLOTS)
"""Their classes."""

RATIO_CANDLES = 288
RECENT = 64
"""Rows of the rings; a power of two over the votes' horizon and over twice the swings' lookback."""
FEW = 8
"""Rows of a series' rings; a power of two over twice the lookback of slow swings."""
LONG_AGO = -1_000_000
_DAY_MS = 86_400_000

Fives = Annotated[NDArray[np.float64], (len(SLOTS),)]
Codes = Annotated[NDArray[np.int64], (len(SLOTS),)]
Votes = Annotated[NDArray[np.int8], (len(SLOTS),)]
Shares = Annotated[NDArray[np.float32], (len(SLOTS),)]
Sides = Annotated[NDArray[np.int64], (2,)]
Levels = Annotated[NDArray[np.float64], (2,)]
Singles = Annotated[NDArray[np.float32], (2,)]
Ring = Annotated[NDArray[np.float32], (RECENT,)]
Few = Annotated[NDArray[np.float64], (FEW,)]


class Series:
    """One candle series, as `SERIES` lays it out; row 0 is the base, the others are longer candles made of it."""

    # The longer candle that is being made.
    length_ms: int
    offset_ms: int
    bucket_ms: int
    kept: int
    done: int
    any_real: int
    part_high: float
    part_low: float
    part_close: float
    # Candles so far, and what the recursions carry.
    count: int
    close: float
    still: int
    gain: float
    loss: float
    atr: float
    highs: Few
    lows: Few
    kind: int
    legs: int
    last: float
    before: float
    sizes: Annotated[NDArray[np.float64], (SWING_LEGS,)]
    # The latest values.
    exact_rsi: float
    rsi: np.float32
    atr_share: np.float32
    swing: np.float32


class Base:
    """Everything that is carried beside the series, as `BASE` lays it out.

    Of pairs of swings the first is the high; of pairs of events the first is down or bullish.
    """

    # Settings.
    step_ms: int
    slow: int
    slow_scale: np.float32
    means: int
    mean_of: Sides
    adapt: int
    min_confidence: float
    base_trail: float
    voters: int
    order: Codes
    heard: Codes
    start: Fives
    # Recursions.
    fast: float
    long: float
    signal: float
    closes: float
    path: float
    centre: float
    deviations: float
    squares: float
    until_renewal: int
    ranges: float
    range_ring: Annotated[NDArray[np.float64], (RATIO_CANDLES,)]
    volumes: float
    most_volume: float
    value: float
    traded: float
    trend: Annotated[NDArray[np.int64], (3,)]
    storm: Annotated[NDArray[np.int64], (3,)]
    slow_atr_known: int
    slow_swing_known: int
    # The latest swings: row, price, price as of the candle before, oscillators there.
    swing_row: Sides
    level: Levels
    level_before: Levels
    swing_rsi: Singles
    swing_histogram: Singles
    rsi_ring: Ring
    histogram_ring: Ring
    # Rows of the latest events.
    broke: Sides
    swept: Sides
    pushed: Sides
    diverged: Sides
    diverged_twice: Sides
    # The latest values.
    exact_histogram: float
    upper: float
    histogram: np.float32
    histogram_before: np.float32
    percent_b: np.float32
    efficiency: np.float32
    ratio: np.float32
    volume_ratio: np.float32
    vwap: float
    area_high: float
    area_low: float
    mean_rsi: np.float32
    slow_atr: np.float32
    swing_size: np.float32
    move: np.float32
    regime: int
    storminess: int
    # Votes: past ones, how they were judged, and the latest, by slot.
    voted: Annotated[NDArray[np.int8], (RECENT, len(SLOTS))]
    recent: Annotated[NDArray[np.float64], (len(SLOTS), 2)]
    judged: Annotated[NDArray[np.int64], (len(SLOTS), 2)]
    earned: Fives
    action: Votes
    confidence: Shares
    trail: Shares
    # Room for the votes of those who are heard, in the order of the settings.
    said: Votes
    sure: Shares
    far: Shares
    weight: Fives


class Row:
    """One row of `Signals`, as `ROW` lays it out; fields in the order of `SignalRow`."""

    action: np.int8
    confidence: np.float32
    trail: np.float32
    regime: np.int8
    volatility: np.int8
    swing_high: float
    swing_low: float
    swing_size: np.float32
    disagreement: np.float32


def _layout(record: type) -> np.dtype[np.void]:
    fields = []
    for name, hint in get_type_hints(record, include_extras=True).items():
        if get_origin(hint) is Annotated:
            array, shape = get_args(hint)
            fields.append((name, get_args(get_args(array)[1])[0], shape))
        else:
            fields.append((name, np.int64 if hint is int else np.float64 if hint is float else hint, ()))
    return np.dtype(fields, align=True)


SERIES, BASE, ROW = _layout(Series), _layout(Base), _layout(Row)
"""The records' layouts in memory."""

Records = NDArray[np.void]


def new_state(settings: Settings, timeframe: str) -> tuple[Records, Records]:
    """Return the state before the first candle: `BASE` of shape (1,), `SERIES` of shape (1 to 4,).

    Parameters
    ----------
    settings : Settings
        Of which all agents are among `SLOTS`.
    timeframe : str
        Of the base candles.
    """
    higher = higher_timeframes(timeframe)
    slow = swing_timeframe(timeframe)
    longer = tuple(dict.fromkeys((*higher, *(() if slow == timeframe else (slow,)))))
    series = np.zeros(1 + len(longer), SERIES).view(np.recarray)
    for name in ("rsi", "atr_share", "swing", "last", "before"):
        series[name] = np.nan
    for row, name in enumerate(longer, start=1):
        series[row].length_ms = timeframe_ms(name)
        # Weeks begin on Mondays.
        day = np.array([4 * _DAY_MS], np.int64)
        series[row].offset_ms = (bucket_opens(day, timeframe_ms(name))[0]) % timeframe_ms(name)
    base = np.zeros(1, BASE).view(np.recarray)
    for name in BASE.names or ():
        if BASE[name].base == np.float32:
            base[name] = np.nan
    _set(base[0], settings, timeframe)
    one = base[0]
    one.means = len(higher)
    one.mean_of[: len(higher)] = [1 + longer.index(name) for name in higher]
    one.slow = 0 if slow == timeframe else 1 + longer.index(slow)
    one.slow_scale = np.float32(sqrt(timeframe_ms(slow) / timeframe_ms(timeframe)))
    return base, series


def _set(one: Base, settings: Settings, timeframe: str) -> None:
    profile, signals = profile_in_force(settings), settings.signals
    one.step_ms = timeframe_ms(timeframe)
    one.adapt, one.min_confidence, one.base_trail = signals.adapt, profile.min_confidence, profile.base_trail
    one.voters = len(signals.agents)
    one.order[: len(signals.agents)] = [SLOTS.index(name) for name in signals.agents]
    one.start[:] = [signals.weights.get(name, 1.0) for name in SLOTS]
    one.earned[:] = one.start
    one.heard[:] = 1
    one.trend[:], one.storm[:] = (1, 1, 0), (1, 1, 0)
    one.swing_row[:] = -1
    one.level[:], one.level_before[:] = np.nan, np.nan
    one.vwap, one.area_high, one.area_low = np.nan, np.nan, np.nan
    for rows in (one.broke, one.swept, one.pushed, one.diverged, one.diverged_twice):
        rows[:] = LONG_AGO
