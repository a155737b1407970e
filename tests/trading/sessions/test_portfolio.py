"""Several symbols on one capital: nothing is spent twice, and the limits hold for the whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import ROUND_CEILING, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.markets import market_of, named, on_tick, random_market, without
from tests.trading.engine.tapes import settings_with
from tests.trading.sessions.strategies import steady
from trading import Candles, backtest
from trading.errors import DataError, ExitCode, Refused, UsageError
from trading.orders import Fills
from trading.sessions.portfolio import backtest_portfolio
from trading.sessions.portfolio_result import PortfolioResult
from trading.signals.records import Action

COLUMNS = [field.name for field in fields(Fills) if field.name != "market"]
ACTIVE = settings_with(grid={"spacing": 0.006})


def market(seed: int, symbol: str = "AAA/USDT", rows: int = 1_500) -> Candles:
    return named(on_tick(random_market(seed, rows, volatility=0.004)), symbol)


def check_account(result: PortfolioResult, series: Sequence[Candles], capital: Decimal) -> None:
    """Keep the shared account by hand, in the order of time and of the symbols' turns."""
    turns = []
    for turn, part in enumerate(result.symbols):
        market = part.fills.market
        for row, fill in enumerate(part.fills.table().to_pylist()):
            turns.append(((fill["timestamp"], turn, row), fill, market))
    cash, positions = capital, dict.fromkeys((part.symbol for part in result.symbols), Decimal(0))
    after: list[tuple[int, Decimal, dict[str, Decimal]]] = []
    for (timestamp, _, _), fill, market in sorted(turns, key=lambda turn: turn[0]):
        unit = Decimal(1).scaleb(-market.cash_decimals)
        price, quantity = Decimal(repr(fill["price"])), Decimal(repr(fill["quantity"]))
        fee = Decimal(repr(fill["fee"])).quantize(unit)
        assert fee == (price * quantity * Decimal("0.001")).quantize(unit, ROUND_CEILING)
        sign = {"buy": 1, "sell": -1}[fill["side"]]
        cash -= sign * price * quantity + fee
        positions[market.symbol] += sign * quantity
        assert cash >= 0
        assert positions[market.symbol] >= 0
        assert Decimal(repr(fill["cash"])).quantize(unit) == cash
        assert Decimal(repr(fill["position"])) == positions[market.symbol]
        after.append((timestamp, cash, dict(positions)))
    check_equity(result, series, capital, after)


def check_equity(
    result: PortfolioResult,
    series: Sequence[Candles],
    capital: Decimal,
    after: Sequence[tuple[int, Decimal, dict[str, Decimal]]],
) -> None:
    """Check the equity at each time against cash and the latest close of each symbol."""
    timeline = np.unique(np.concatenate([candles.timestamp for candles in series]))
    np.testing.assert_array_equal(result.timestamp, timeline)
    last = np.searchsorted([moment for moment, _, _ in after], timeline, side="right")
    worth = np.append(float(capital), [float(cash) for _, cash, _ in after])[last]
    for candles in series:
        held = np.append(0.0, [float(positions[candles.symbol]) for _, _, positions in after])[last]
        seen = np.searchsorted(candles.timestamp, timeline, side="right")
        worth = worth + held * np.append(0.0, candles.close)[seen]
    np.testing.assert_allclose(result.equity, worth, rtol=1e-11)


@examples(max_examples=12)
@given(st.integers(0, 2**32), st.sampled_from(["trailing", "limit"]), st.integers(1, 4))
def test_the_shared_account_is_kept_to_the_last_unit(seed, style, symbols):
    series = [market(seed + turn, f"S{turn}X/USDT", 500) for turn in range(symbols)]
    limits = {"max_position": 1.0, "max_exposure": 1.0}
    settings = settings_with(grid={"spacing": 0.006, "order_style": style}, limits=limits, size={"order_share": 0.2})
    result = backtest_portfolio(series, settings)
    check_account(result, series, Decimal(10_000))


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"grid": {"order_style": "limit", "spacing": 0.006}, "fills": {"rule": "touch"}},
        {"limits": {"max_drawdown": 0.01, "cooldown_candles": 100}, "fills": {"latency_candles": 1}},
        {"limits": {"daily_loss": 0.003}},
    ],
    ids=["trailing", "limit and touch", "drawdown halts", "daily halts"],
)
def test_a_portfolio_of_one_symbol_is_the_plain_backtest(sections):
    candles, settings = market(3), settings_with(**({"grid": {"spacing": 0.006}} | sections))
    alone, [part] = backtest(candles, settings), (whole := backtest_portfolio([candles], settings)).symbols
    assert len(alone.fills) > 50
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(alone.fills, name), getattr(part.fills, name), name)
    np.testing.assert_array_equal(alone.equity, whole.equity)
    assert whole.fill_rules == alone.fill_rules
    assert whole.metrics["max_drawdown"] == alone.metrics.max_drawdown
    assert whole.metrics["sharpe"] == alone.metrics.sharpe
    assert part.fills.trade_hash() == alone.fills.trade_hash()


def test_a_portfolio_of_one_symbol_with_gaps_is_the_plain_backtest_too():
    candles = without(market(3), np.array([200, 201, 500, 900, 901, 902, *range(1_000, 1_030)]))
    alone, whole = (
        run(given, ACTIVE, allow_gaps=True) for run, given in ((backtest, candles), (backtest_portfolio, [candles]))
    )
    [part] = whole.symbols
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(alone.fills, name), getattr(part.fills, name), name)
    np.testing.assert_array_equal(part.fills.timestamp, candles.timestamp[part.fills.candle])
    np.testing.assert_array_equal(alone.equity, whole.equity)
    np.testing.assert_array_equal(whole.timestamp, candles.timestamp)
    assert part.candles == len(candles)
    assert whole.warnings == tuple(f"AAA/USDT: {text}" for text in alone.warnings)
    assert whole.as_json()["warnings"] == list(whole.warnings)


def test_symbols_take_turns_in_the_order_given_and_every_result_says_which():
    series = [market(1, "BBB/USDT"), market(2, "AAA/USDT"), market(3, "CCC/USDT")]
    settings = settings_with(grid={"spacing": 0.006}, limits={"max_exposure": 0.2})
    result = backtest_portfolio(series, settings)
    answer = json.loads(json.dumps(result.as_json(), allow_nan=False))
    assert answer["symbols"] == list(answer["by_symbol"]) == ["BBB/USDT", "AAA/USDT", "CCC/USDT"]
    assert answer["metrics"]["fills"] == sum(part["fills"] for part in answer["by_symbol"].values())
    again = backtest_portfolio(series, settings)
    untimed = {name: value for name, value in result.as_json().items() if name != "timing"}
    assert untimed == {name: value for name, value in again.as_json().items() if name != "timing"}
    turned = backtest_portfolio(series[::-1], settings)
    assert turned.trade_hash() != result.trade_hash()


def test_series_that_start_and_end_at_different_times_are_traded_in_step():
    series = [market(1, "AAA/USDT")[:1_000], market(2, "BBB/USDT")[400:], market(4, "CCC/USDT")[200:700]]
    result = backtest_portfolio(series, ACTIVE)
    assert len(result.timestamp) == 1_500
    for part, candles in zip(result.symbols, series, strict=True):
        assert len(part.fills) > 10
        np.testing.assert_array_equal(part.fills.timestamp, candles.timestamp[part.fills.candle])
    check_account(result, series, Decimal(10_000))
    answer = result.as_json()
    assert (answer["start"], answer["end"]) == ("2024-01-01T00:00:00Z", "2024-01-06T05:00:00Z")


def test_what_one_symbol_does_depends_on_the_others_only_from_their_first_candle_on():
    first, later = market(1, "AAA/USDT"), market(2, "BBB/USDT")[700:]
    alone, together = backtest(first, ACTIVE), backtest_portfolio([first, later], ACTIVE)
    before = alone.fills.timestamp < later.timestamp[0]
    assert before.sum() > 20
    for name in COLUMNS:
        np.testing.assert_array_equal(
            getattr(alone.fills, name)[before], getattr(together.symbols[0].fills, name)[: before.sum()], name
        )


@examples(max_examples=10)
@given(st.integers(0, 2**32), st.integers(300, 900))
def test_a_cut_portfolio_gives_the_beginning_of_the_whole(seed, end):
    series = [market(seed, "AAA/USDT", 1_000), market(seed + 1, "BBB/USDT", 1_000)]
    whole, part = backtest_portfolio(series, ACTIVE), backtest_portfolio([one[:end] for one in series], ACTIVE)
    for long, short in zip(whole.symbols, part.symbols, strict=True):
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(long.fills, name)[: len(short.fills)], getattr(short.fills, name))
        assert (long.fills.candle[len(short.fills) :] >= end).all()
    np.testing.assert_array_equal(whole.equity[:end], part.equity)


@examples(max_examples=6)
@given(st.integers(0, 2**32), st.sampled_from([0.1, 0.2, 0.3]))
def test_the_exposure_limit_holds_over_all_symbols(seed, limit):
    # prices that swing within a few percent, so that inventory cannot outgrow the limit by its price alone
    rng = np.random.default_rng(seed)
    steps, series = np.arange(600), []
    for turn in range(3):
        wave = 100 * (1 + 0.02 * np.sin(steps / rng.uniform(5, 20)) + 0.004 * rng.standard_normal(600))
        series.append(named(on_tick(market_of(wave, volume=1_000.0)), f"S{turn}X/USDT"))
    settings = settings_with(grid={"spacing": 0.006}, limits={"max_exposure": limit, "max_position": 0.25})
    result = backtest_portfolio(series, settings, strategy=steady(Action.TRAIL_BUY))
    held = np.zeros(600)
    for part, candles in zip(result.symbols, series, strict=True):
        fills = part.fills.table()
        last = np.searchsorted(fills["candle"].to_numpy(), steps, side="right")
        held += np.append(0.0, fills["position"].to_numpy())[last] * candles.close
    share = held / result.equity
    assert share.max() <= limit * 1.06
    # the limit is what binds: without it the symbols would take more
    assert share.max() > limit * 0.7
    free = backtest_portfolio(
        series, settings_with(grid={"spacing": 0.006}, limits={"max_exposure": 0.9}), strategy=steady(Action.TRAIL_BUY)
    )
    assert len(free.symbols[2].fills) > len(result.symbols[2].fills)


def test_a_drawdown_of_the_whole_halts_every_symbol():
    fall = np.concatenate([np.full(60, 100.0), np.linspace(100, 60, 300)])
    calm = 100 + 2 * np.sin(np.arange(360) / 5)
    series = [
        named(on_tick(market_of(close, volume=1_000.0)), name) for close, name in ((fall, "A/USDT"), (calm, "B/USDT"))
    ]
    settings = settings_with(
        grid={"spacing": 0.01, "order_style": "limit", "regime_confirm": 0, "buy_levels": 30},
        limits={"max_drawdown": 0.02, "stop_loss": 0.0, "daily_loss": 0.9},
    )
    result = backtest_portfolio(series, settings, strategy=steady(Action.HOLD))
    assert result.halted == "maximum drawdown reached"
    peak = np.maximum.accumulate(result.equity)
    halted_at = int(np.argmax(result.equity / peak - 1 <= -0.02))
    assert 60 < halted_at < 300
    for part in result.symbols:
        bought = part.fills.candle[part.fills.side == 1]
        assert len(bought) > 0
        assert bought.max() <= halted_at


@pytest.mark.parametrize(
    ("series", "words"),
    [
        (lambda: [market(1), named(market(2), "BBB/EUR")], "EUR, USDT"),
        (lambda: [market(1), named(random_market(2, 800, "15m"), "BBB/USDT")], "15m, 5m"),
        (lambda: [market(1), market(2)], "AAA/USDT, AAA/USDT"),
        (list, "one symbol at least"),
    ],
    ids=["quote", "timeframe", "duplicate", "none"],
)
def test_series_that_do_not_fit_together_are_refused(series, words):
    with pytest.raises(UsageError) as refusal:
        backtest_portfolio(series(), ACTIVE)
    assert words in str(refusal.value)
    assert refusal.value.exit_code == ExitCode.USAGE


def test_one_unusable_series_refuses_the_whole():
    gappy = without(market(2, "BBB/USDT"), range(700, 720))
    with pytest.raises(DataError, match=r"BBB/USDT .* --allow-gaps"):
        backtest_portfolio([market(1), gappy], ACTIVE)
    assert "BBB/USDT: 20 of" in backtest_portfolio([market(1), gappy], ACTIVE, allow_gaps=True).warnings[0]


def test_a_shared_cash_unit_that_does_not_fit_64_bits_is_refused():
    # each fits alone; counted in the cash unit of the finer one, the coarser does not
    settings = settings_with(grid={"spacing": 0.006}, market={"lot_size": 1, "fee_in_base": True})
    coarse, fine = (
        named(on_tick(scaled(random_market(1, 600), factor), decimals), symbol)
        for factor, decimals, symbol in ((5, 2, "AAA/USDT"), (1e-6, 10, "BBB/USDT"))
    )
    for alone in (coarse, fine):
        assert backtest_portfolio([alone], settings).equity[0] == 10_000
    with pytest.raises(Refused, match=r"AAA/USDT cannot be counted exactly in 64 bits"):
        backtest_portfolio([coarse, fine], settings)


def scaled(candles: Candles, factor: float) -> Candles:
    prices = {name: getattr(candles, name) * factor for name in ("open", "high", "low", "close")}
    return replace(candles, **prices)
