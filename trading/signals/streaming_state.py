"""The state that a stream carries from candle to candle: records of fixed size, all that recursions need."""

from __future__ import annotations

from math import sqrt

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

SERIES = np.dtype(
    [
        # The longer candle that is being made.
        ("length_ms", "i8"), ("offset_ms", "i8"), ("bucket_ms", "i8"),
        ("kept", "i8"), ("done", "i8"), ("real", "i8"), ("part_high", "f8"), ("part_low", "f8"), ("part_close", "f8"),
        # Candles so far, and what the recursions carry.
        ("count", "i8"), ("close", "f8"), ("still", "i8"), ("gain", "f8"), ("loss", "f8"), ("atr", "f8"),
        ("highs", "f8", FEW), ("lows", "f8", FEW),
        ("kind", "i8"), ("legs", "i8"), ("last", "f8"), ("before", "f8"), ("sizes", "f8", SWING_LEGS),
        # The latest values.
        ("exact_rsi", "f8"), ("rsi", "f4"), ("atr_share", "f4"), ("swing", "f4"),
    ],
    align=True,
)  # fmt: skip
"""One candle series: row 0 is the base, the others are longer candles made of it."""

BASE = np.dtype(
    [
        # Settings.
        ("step_ms", "i8"), ("slow", "i8"), ("slow_scale", "f4"), ("means", "i8"), ("mean_of", "i8", 2),
        ("adapt", "i8"), ("min_confidence", "f8"), ("base_trail", "f8"),
        ("voters", "i8"), ("order", "i8", len(SLOTS)), ("heard", "i8", len(SLOTS)), ("start", "f8", len(SLOTS)),
        # Recursions.
        ("fast", "f8"), ("long", "f8"), ("signal", "f8"), ("sum", "f8"), ("upper", "f8"), ("path", "f8"),
        ("centre", "f8"), ("deviations", "f8"), ("squares", "f8"), ("until_renewal", "i8"),
        ("ranges", "f8"), ("range_ring", "f8", RATIO_CANDLES), ("volumes", "f8"), ("most_volume", "f8"),
        ("value", "f8"), ("traded", "f8"), ("trend", "i8", 3), ("storm", "i8", 3),
        ("slow_atr_known", "i8"), ("slow_swing_known", "i8"),
        # Swings: row, oscillators and price of the latest high (0) and low (1), and the levels one candle before.
        ("swing_row", "i8", 2), ("level", "f8", 2), ("level_before", "f8", 2),
        ("swing_rsi", "f4", 2), ("swing_histogram", "f4", 2),
        ("rsi_ring", "f4", RECENT), ("histogram_ring", "f4", RECENT),
        # Rows of the latest events, by side: down or bullish (0), up or bearish (1).
        ("broke", "i8", 2), ("swept", "i8", 2), ("pushed", "i8", 2), ("diverged", "i8", 2), ("diverged_twice", "i8", 2),
        # The latest values.
        ("exact_histogram", "f8"), ("histogram", "f4"), ("histogram_before", "f4"), ("percent_b", "f4"), ("efficiency", "f4"), ("ratio", "f4"),
        ("volume_ratio", "f4"), ("vwap", "f8"), ("area_high", "f8"), ("area_low", "f8"), ("mean_rsi", "f4"),
        ("slow_atr", "f4"), ("swing_size", "f4"), ("move", "f4"), ("regime", "i8"), ("storminess", "i8"),
        # Votes: past ones, how they were judged, and the latest.
        ("voted", "i1", (RECENT, len(SLOTS))), ("recent", "f8", (len(SLOTS), 2)), ("judged", "i8", (len(SLOTS), 2)),
        ("earned", "f8", len(SLOTS)),
        ("action", "i1", len(SLOTS)), ("confidence", "f4", len(SLOTS)), ("trail", "f4", len(SLOTS)),
        # Room for the votes of those who are heard, in the order of the settings.
        ("said", "i1", len(SLOTS)), ("sure", "f4", len(SLOTS)), ("far", "f4", len(SLOTS)), ("weight", "f8", len(SLOTS)),
    ],
    align=True,
)  # fmt: skip
"""Everything else, in one record."""

ROW = np.dtype(
    [
        ("action", "i1"), ("confidence", "f4"), ("trail", "f4"), ("regime", "i1"), ("volatility", "i1"),
        ("swing_high", "f8"), ("swing_low", "f8"), ("swing_size", "f4"), ("disagreement", "f4"),
    ],
    align=True,
)  # fmt: skip
"""One row of `Signals`; fields in the order of `SignalRow`."""

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


def _set(one: np.record, settings: Settings, timeframe: str) -> None:
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
    for name in ("level", "level_before"):
        one[name][:] = np.nan
    for name in ("vwap", "area_high", "area_low"):
        one[name] = np.nan
    for name in ("broke", "swept", "pushed", "diverged", "diverged_twice"):
        one[name][:] = LONG_AGO
