"""Proof that the recursions of the stream are those of the TA-Lib at hand, whose roundings differ between versions."""

from __future__ import annotations

import logging
from functools import cache

import numpy as np
import talib
from numpy.typing import NDArray

from trading.market.candles import Candles
from trading.settings import Settings
from trading.signals.streaming_history import CandleHistory
from trading.signals.streaming_indicators import BAND_CANDLES, BAND_DEVIATIONS, FAST, SIGNAL, SLOW
from trading.signals.streaming_kernel import advance
from trading.signals.streaming_series import PERIOD
from trading.signals.streaming_state import ROW, new_state

_LOG = logging.getLogger(__name__)
_CANDLES = 1_200
_EVERY = 7


@cache
def recursions_agree() -> bool:
    """Return whether the stream's recursions equal TA-Lib's to the last bit, on candles that bring out the difference.

    Where they do not, on another version or processor, streams compute each row from all candles instead.
    """
    candles = _trying_candles()
    history = CandleHistory(candles.symbol, candles.timeframe)
    history.extend(candles)
    base, series = new_state(Settings(), candles.timeframe)
    carried = np.empty((_CANDLES // _EVERY, 4))
    for k in range(len(carried)):
        rows = np.zeros(_EVERY, ROW).view(np.recarray)
        advance(base, series, history.values, history.timestamp, history.filled, k * _EVERY, rows)
        one, own = base[0], series[0]
        carried[k] = own.exact_rsi, own.atr, one.exact_histogram, one.upper
    expected = _by_talib(candles)[_EVERY - 1 :: _EVERY][: len(carried)]
    known = ~np.isnan(expected)
    agree = bool(np.array_equal(carried[known], expected[known]))
    if not agree:
        _LOG.warning(
            "event=signal_stream_slow talib=%s reason=its roundings are not the stream's, so each row is computed "
            "from all candles",
            talib.__version__,
        )
    return agree


def _by_talib(candles: Candles) -> NDArray[np.float64]:
    close = candles.close
    return np.column_stack(
        (
            talib.RSI(close, PERIOD),
            talib.ATR(candles.high, candles.low, close, PERIOD),
            talib.MACD(close, FAST, SLOW, SIGNAL)[2],
            talib.BBANDS(close, BAND_CANDLES, BAND_DEVIATIONS, BAND_DEVIATIONS)[0],
        )
    )


def _trying_candles() -> Candles:
    # Quiet and wild stretches, standing prices and leaps, where running sums lose their digits.
    rng = np.random.default_rng(20_240_101)
    sizes = np.repeat(10.0 ** rng.integers(-6, -1, _CANDLES // 40), 40)
    moves = rng.normal(0.0, 1.0, _CANDLES) * sizes
    moves[rng.random(_CANDLES) < 0.3] = 0.0
    leaps = rng.random(_CANDLES) < 0.005
    moves[leaps] += rng.normal(0.0, 2.0, int(leaps.sum()))
    close = 100.0 * np.exp(np.cumsum(moves))
    opening = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(opening, close) * (1.0 + np.abs(rng.normal(0.0, 0.3, _CANDLES)) * sizes)
    low = np.minimum(opening, close) / (1.0 + np.abs(rng.normal(0.0, 0.3, _CANDLES)) * sizes)
    timestamp = np.arange(_CANDLES, dtype=np.int64) * 300_000
    return Candles("PROOF/USDT", "5m", timestamp, opening, high, low, close, rng.random(_CANDLES))
