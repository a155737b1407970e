"""Indicators against plain Python, and the corners where TA-Lib answers oddly."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import market_of, random_market
from trading.errors import DataError
from trading.market.candles import Candles
from trading.signals.indicators import IndicatorSet

MARKET = random_market(11, 400, "5m", volatility=0.004)
PERIODS = {"sma": (20,), "ema": (20,)}
METHODS = sorted(
    name for name, member in vars(IndicatorSet).items() if hasattr(member, "__wrapped__") and name != "higher"
)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _wilder_rsi(close: list[float], period: int) -> list[float]:
    moves = [after - before for before, after in pairwise(close)]
    gain = _mean([max(move, 0.0) for move in moves[:period]])
    loss = _mean([max(-move, 0.0) for move in moves[:period]])
    values = [math.nan] * period + [100 * gain / (gain + loss)]
    for move in moves[period:]:
        gain = (gain * (period - 1) + max(move, 0.0)) / period
        loss = (loss * (period - 1) + max(-move, 0.0)) / period
        values.append(100 * gain / (gain + loss))
    return values


def _ema(values: list[float], period: int, seed: float) -> list[float]:
    smoothed = [seed]
    for value in values:
        smoothed.append(smoothed[-1] + 2 / (period + 1) * (value - smoothed[-1]))
    return smoothed


def _true_ranges(candles: Candles) -> list[float]:
    return [
        max(h - low, abs(h - before), abs(low - before))
        for h, low, before in zip(candles.high[1:], candles.low[1:], candles.close[:-1], strict=True)
    ]


def test_rsi_is_wilders() -> None:
    expected = _wilder_rsi(MARKET.close.tolist(), 14)
    np.testing.assert_allclose(IndicatorSet(MARKET).rsi(), expected, rtol=1e-5)


def test_macd_is_the_difference_of_two_averages_and_their_average() -> None:
    close = MARKET.close.tolist()
    fast = _ema(close[26:], 12, _mean(close[14:26]))
    slow = _ema(close[26:], 26, _mean(close[:26]))
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    signal = _ema(line[9:], 9, _mean(line[:9]))
    found = IndicatorSet(MARKET).macd()
    assert np.isnan(found.line[:33]).all()
    np.testing.assert_allclose(found.line[33:], line[8:], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.signal[33:], signal, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.histogram[33:], np.array(line[8:]) - signal, rtol=1e-3, atol=1e-6)


def test_bollinger_bands_and_percent_b() -> None:
    indicators, t = IndicatorSet(MARKET), 137
    window = MARKET.close[t - 19 : t + 1].tolist()
    middle = _mean(window)
    deviation = math.sqrt(_mean([(value - middle) ** 2 for value in window]))
    bands = indicators.bollinger()
    assert bands.upper[t] == pytest.approx(middle + 2 * deviation)
    assert bands.middle[t] == pytest.approx(middle)
    assert bands.lower[t] == pytest.approx(middle - 2 * deviation)
    assert indicators.percent_b()[t] == pytest.approx((window[-1] - middle + 2 * deviation) / (4 * deviation), rel=1e-5)
    assert np.isnan(bands.upper[:19]).all()
    assert np.isfinite(bands.upper[19:]).all()


def test_atr_is_wilders() -> None:
    ranges = _true_ranges(MARKET)
    average = _mean(ranges[:14])
    expected = [math.nan] * 14 + [average]
    for one in ranges[14:]:
        average = (average * 13 + one) / 14
        expected.append(average)
    indicators = IndicatorSet(MARKET)
    np.testing.assert_allclose(indicators.atr(), expected, rtol=1e-9)
    np.testing.assert_allclose(indicators.atr_share(), np.array(expected) / MARKET.close, rtol=1e-5)
    ratio = expected[350] / MARKET.close[350] / _mean([expected[k] / MARKET.close[k] for k in range(63, 351)])
    assert indicators.volatility_ratio()[350] == pytest.approx(ratio, rel=1e-5)


def test_moving_averages_of_close_and_volume() -> None:
    close, indicators = MARKET.close.tolist(), IndicatorSet(MARKET)
    assert indicators.sma(20)[100] == pytest.approx(_mean(close[81:101]))
    np.testing.assert_allclose(indicators.ema(20)[19:], _ema(close[20:], 20, _mean(close[:20])))
    volume = MARKET.volume.tolist()
    assert indicators.volume_sma(20)[100] == pytest.approx(_mean(volume[81:101]))
    assert indicators.volume_ratio(20)[100] == pytest.approx(volume[100] / _mean(volume[80:100]), rel=1e-5)


def test_stochastic_and_stoch_rsi() -> None:
    indicators = IndicatorSet(MARKET)

    def raw(high: np.ndarray, low: np.ndarray, close: np.ndarray, t: int) -> float:
        top, bottom = max(high[t - 13 : t + 1]), min(low[t - 13 : t + 1])
        return float(100 * (close[t] - bottom) / (top - bottom))

    prices = (MARKET.high, MARKET.low, MARKET.close)
    k = {t: _mean([raw(*prices, one) for one in (t - 2, t - 1, t)]) for t in (98, 99, 100)}
    assert indicators.stochastic().k[100] == pytest.approx(k[100], rel=1e-5)
    assert indicators.stochastic().d[100] == pytest.approx(_mean(list(k.values())), rel=1e-5)
    rsi = np.array(_wilder_rsi(MARKET.close.tolist(), 14))
    assert indicators.stoch_rsi().k[100] == pytest.approx(raw(rsi, rsi, rsi, 100), rel=1e-5)
    of_rsi = [raw(rsi, rsi, rsi, t) for t in (98, 99, 100)]
    assert indicators.stoch_rsi().d[100] == pytest.approx(_mean(of_rsi), rel=1e-5)


def test_session_vwap_starts_anew_at_utc_midnight() -> None:
    vwap = IndicatorSet(MARKET).session_vwap()
    typical = ((MARKET.high + MARKET.low + MARKET.close) / 3).tolist()
    volume = MARKET.volume.tolist()
    for t, first in ((100, 0), (287, 0), (288, 288), (350, 288)):
        value = math.fsum(p * v for p, v in zip(typical[first : t + 1], volume[first : t + 1], strict=True))
        assert vwap[t] == pytest.approx(value / math.fsum(volume[first : t + 1]))


def test_rolling_vwap_is_that_of_its_window_alone() -> None:
    vwap = IndicatorSet(MARKET).rolling_vwap(30)
    typical = (MARKET.high + MARKET.low + MARKET.close) / 3
    for t in (29, 30, 59, 60, 61, 399):
        window = slice(t - 29, t + 1)
        assert vwap[t] == pytest.approx(np.average(typical[window], weights=MARKET.volume[window]))
    assert np.isnan(vwap[:29]).all()


def test_vwap_without_trades_is_unknown_not_zero() -> None:
    volume = np.full(60, 10.0)
    volume[20:] = 0.0
    indicators = IndicatorSet(market_of(np.linspace(100, 101, 60), volume=volume))
    assert np.isnan(indicators.rolling_vwap(10)[39:]).all()
    assert np.isnan(indicators.volume_ratio(10)[31:]).all()
    assert np.isfinite(indicators.session_vwap()).all()


def test_rounding_of_a_huge_burst_does_not_outlive_its_window() -> None:
    volume = np.full(100, 1e-3)
    volume[5] = 1e13
    indicators = IndicatorSet(market_of(np.linspace(100, 120, 100), volume=volume))
    typical = (indicators.candles.high + indicators.candles.low + indicators.candles.close) / 3
    assert indicators.rolling_vwap(10)[60] == pytest.approx(typical[51:61].mean(), rel=1e-9)


def test_efficiency_ratio_of_a_line_of_noise_and_of_stillness() -> None:
    line = IndicatorSet(market_of(np.linspace(100, 150, 120))).efficiency_ratio(20)
    assert line[20:] == pytest.approx(1.0)
    saw = IndicatorSet(market_of(100.0 + np.arange(120) % 2)).efficiency_ratio(20)
    assert saw[20:] == pytest.approx(0.0)
    still = IndicatorSet(market_of(np.full(120, 100.0))).efficiency_ratio(20)
    assert still[20:] == pytest.approx(0.0)
    assert np.isnan(line[:20]).all()
    close = MARKET.close
    expected = abs(close[200] - close[104]) / math.fsum(abs(b - a) for a, b in pairwise(close[104:201].tolist()))
    assert IndicatorSet(MARKET).efficiency_ratio()[200] == pytest.approx(expected, rel=1e-5)


def test_value_area_finds_the_crowded_prices() -> None:
    rng = np.random.default_rng(5)
    close = np.concatenate((rng.uniform(99.0, 101.0, 250), np.linspace(101, 110, 50)))
    area = IndicatorSet(market_of(close, wick=0.0)).value_area(300, 1)
    assert 99.0 <= area.poc[299] <= 101.0
    assert area.low[299] == pytest.approx(99.0, abs=0.3)
    assert 100.0 < area.high[299] < 102.0
    assert np.isnan(area.poc[:299]).all()


@given(seed=st.integers(0, 1_000), length=st.integers(2, 60))
def test_value_area_holds_its_share_of_the_volume(seed: int, length: int) -> None:
    candles = random_market(seed, 80)
    area = IndicatorSet(candles).value_area(length, 1)
    typical = (candles.high + candles.low + candles.close) / 3
    for t in (length - 1, 79):
        window, volume = typical[t - length + 1 : t + 1], candles.volume[t - length + 1 : t + 1]
        hair = 1e-9 * window[-1]
        inside = (window >= area.low[t] - hair) & (window <= area.high[t] + hair)
        assert volume[inside].sum() >= 0.7 * volume.sum() * (1 - 1e-9)
        assert area.low[t] <= area.poc[t] <= area.high[t]


def test_a_price_that_stands_still_is_neither_oversold_nor_overbought() -> None:
    indicators = IndicatorSet(market_of(np.full(1_000, 100.0), wick=0.0))
    assert (indicators.rsi()[14:] == 50).all()
    assert (indicators.stochastic().k[20:] == 50).all()
    assert (indicators.stoch_rsi().k[30:] == 50).all()
    assert (indicators.percent_b()[19:] == 0.5).all()


def test_a_price_that_only_falls_has_an_rsi_of_zero() -> None:
    assert (IndicatorSet(market_of(np.linspace(100, 50, 60))).rsi()[14:] == 0).all()


@pytest.mark.parametrize("n", [0, 1, 2, 13, 14, 15, 40])
@pytest.mark.parametrize("name", METHODS)
def test_short_series_give_unknown_values_not_errors(name: str, n: int) -> None:
    answer = getattr(IndicatorSet(MARKET[:n]), name)(*PERIODS.get(name, ()))
    for values in answer if isinstance(answer, tuple) else (answer,):
        assert values.shape == (n,)


def test_each_indicator_is_computed_once_and_cannot_be_spoilt() -> None:
    indicators = IndicatorSet(MARKET)
    assert indicators.rsi() is indicators.rsi(14)
    assert indicators.rsi(period=14) is indicators.rsi()
    assert indicators.rsi(7) is not indicators.rsi()
    with pytest.raises(ValueError, match="read-only"):
        indicators.rsi()[0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        indicators.macd().line[0] = 1.0


@pytest.mark.parametrize(
    ("column", "value"), [("close", np.nan), ("low", 0.0), ("high", np.inf), ("volume", -1.0), ("volume", np.nan)]
)
def test_values_that_are_no_prices_are_refused_with_their_place(column: str, value: float) -> None:
    columns = {name: values.copy() for name, values in MARKET.columns().items()}
    columns[column][17] = value
    spoilt = Candles.from_columns("BAD/USDT", "5m", columns)
    with pytest.raises(DataError, match=rf"BAD/USDT row 17: {column} is"):
        IndicatorSet(spoilt)
