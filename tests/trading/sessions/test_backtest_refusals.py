"""What a backtest refuses before it starts: one sentence with the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tests.markets import on_tick, random_market
from tests.trading.engine.tapes import settings_with
from trading import Candles, Settings, backtest
from trading.errors import DataError, ExitCode, Refused, UsageError


def market(rows: int = 600) -> Candles:
    return on_tick(random_market(1, rows))


def refusal(candles: Candles, settings: Settings, kind: type[Exception]) -> str:
    with pytest.raises(kind) as caught:
        backtest(candles, settings)
    assert caught.value.exit_code == (ExitCode.USAGE if kind is UsageError else ExitCode.REFUSED)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


def test_a_series_that_ends_within_the_warm_up_is_refused_with_both_lengths():
    sentence = refusal(market(50), settings_with(), DataError)
    assert "50 candles" in sentence
    assert "the warm-up takes 50" in sentence
    assert "signals.warmup_candles" in sentence
    assert len(backtest(market(51), settings_with()).equity) == 51
    assert "has 300 candles" in refusal(market(300), Settings(), DataError)


def test_a_series_without_candles_is_refused():
    assert "0 candles" in refusal(Candles.empty("BTC/USDT", "5m"), settings_with(), DataError)


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"grid": {"spacing": 0.0039}}, ["0.3900%", "0.4000%", "0.0040"]),
        ({"grid": {"spacing": 0.01}, "market": {"taker_fee": 0.003}}, ["1.0000%", "1.2000%"]),
        ({"grid": {"spacing": 0.003, "order_style": "limit"}, "market": {"maker_fee": 0.0008}}, ["0.3000%", "0.3200%"]),
    ],
)
def test_a_pinned_spacing_under_twice_the_round_trip_fee_is_refused_with_both_numbers(sections, words):
    sentence = refusal(market(), settings_with(**sections), Refused)
    for word in ["grid.spacing", "TEST/USDT", *words]:
        assert word in sentence


def test_a_spacing_at_twice_the_round_trip_fee_is_taken():
    assert backtest(market(), settings_with(grid={"spacing": 0.004})).as_json()["params"]["grid.spacing"] == 0.004


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"capital": 100}, ["3.00 USDT", "minimum of 5", "capital of 167"]),
        ({"capital": 10_000, "market": {"min_notional": 500}}, ["300.00 USDT", "minimum of 500", "16667"]),
        ({"capital": 10_000, "size": {"order_share": 0.0005}}, ["3.00 USDT", "minimum of 5"]),
    ],
)
def test_orders_that_would_fall_under_the_least_value_are_refused_with_the_numbers(changes, words):
    sentence = refusal(market(), settings_with(**changes), Refused)
    for word in ["TEST/USDT", *words]:
        assert word in sentence


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"capital": "1e14"}, "capital"),
        ({"market": {"tick_size": "1e-12", "lot_size": "1e-12"}}, "64 bits"),
        ({"market": {"min_notional": "1e12"}}, "least order value"),
    ],
)
def test_a_market_that_does_not_fit_64_bits_is_refused(changes, word):
    sentence = refusal(market(), settings_with(**changes), Refused)
    assert "cannot be counted exactly in 64 bits" in sentence
    assert word in sentence
    assert "market.tick_size" in sentence


def test_prices_under_one_tick_are_refused():
    sentence = refusal(market(), settings_with(market={"tick_size": 1_000}), Refused)
    assert "under one tick of 1000" in sentence


@pytest.mark.parametrize(
    ("column", "value"),
    [("close", np.nan), ("open", -1.0), ("high", 0.0), ("low", 1e9), ("volume", -5.0), ("volume", np.inf)],
)
def test_values_that_no_candle_can_have_are_refused_and_named(column, value):
    good = market()
    broken = good.columns()[column].copy()
    broken[417] = value
    sentence = refusal(replace(good, **{column: broken}), settings_with(), DataError)
    assert column in sentence
    assert "row 418" in sentence


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"signals": {"agents": ["momentum", "astrology"], "warmup_candles": 50}}, "astrology"),
        ({"signals": {"weights": {"astrology": 2.0}, "warmup_candles": 50}}, "astrology"),
        ({"orders": {"blackouts": ["noon"]}}, "noon"),
        ({"orders": {"blackouts": ["25:00-26:00"]}}, "25:00-26:00"),
    ],
)
def test_settings_that_mean_nothing_are_refused_as_usage(changes: Mapping[str, object], word: str):
    assert word in refusal(market(), settings_with(**changes), UsageError)


def test_a_refused_backtest_leaves_the_candles_as_they_were():
    candles = market()
    before = {name: column.copy() for name, column in candles.columns().items()}
    refusal(candles, settings_with(capital=100), Refused)
    for name, column in candles.columns().items():
        np.testing.assert_array_equal(column, before[name])
