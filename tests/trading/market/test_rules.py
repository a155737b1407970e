"""A market's integers are exact, and its rules come from pins, the table, or the warm-up candles."""

from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.market.series import candles_at, steady
from trading.errors import DataError, Refused
from trading.market.readers import read_candles
from trading.market.rule_tables import estimate_tick, market_for
from trading.market.rules import Market
from trading.settings import MarketSettings

FREE = MarketSettings()


@st.composite
def markets(draw):
    tick = Decimal(draw(st.integers(1, 99))).scaleb(draw(st.integers(-10, 1)))
    lot = Decimal(draw(st.integers(1, 99))).scaleb(draw(st.integers(-10, 0)))
    fee = Decimal(draw(st.integers(0, 5_000))) / 1_000_000
    return Market("BTC/USDT", tick, lot, Decimal(5), fee, fee, fee_in_base=draw(st.booleans()))


@given(market=markets(), counts=st.lists(st.integers(0, 2**48), min_size=1))
def test_prices_quantities_and_money_come_back_exactly(market, counts):
    prices = np.array([float(market.price(count)) for count in counts])
    assert market.ticks(prices).tolist() == counts
    quantities = np.array([float(market.quantity(count)) for count in counts])
    assert market.lots(quantities).tolist() == counts
    assert [market.cash_units(market.money(count)) for count in counts] == counts


@given(market=markets(), ticks=st.integers(1, 10**7), lots=st.integers(1, 10**7))
def test_value_in_cash_units_is_the_exact_product(market, ticks, lots):
    units = ticks * lots * market.units_per_tick_lot
    assert market.money(units) == market.price(ticks) * market.quantity(lots)
    assert market.units_per_tick_lot >= 1


@given(market=markets(), capital=st.integers(1, 10**9), highest=st.floats(1e-6, 1e6))
def test_a_market_that_fits_keeps_every_product_in_64_bits(market, capital, highest):
    try:
        market.check_fits(Decimal(capital), highest)
    except Refused:
        return
    ticks = max(1, int(np.ceil(highest / float(market.tick_size))))
    units = market.units_per_tick_lot
    lots = market.cash_units(Decimal(capital)) // (ticks * units)
    for price, quantity in ((ticks, lots * 1_000), (ticks * 1_000, lots), (max(1, ticks // 1_000), lots * 1_000)):
        assert price * quantity * units < 2**62
        assert price * 1_000_000 < 2**62
        assert quantity * 1_000_000 < 2**62
    if market.fee_in_base:
        assert ticks * units * 1_000_000 < 2**62


@pytest.mark.parametrize(
    ("change", "capital", "price", "reason"),
    [
        ({"tick_size": Decimal("1e-12"), "lot_size": Decimal("1e-8")}, 10_000, 1.0, "the capital is too large"),
        ({"tick_size": Decimal("1e-8")}, 10, 100_000.0, "the price is too large"),
        ({"lot_size": Decimal(1000000)}, 10_000, 100_000.0, "the value of one lot is too large"),
        ({}, 10**7, 0.01, "the quantity is too large"),
        ({"min_notional": Decimal("1e11")}, 1, 1.0, "the least order value is too large"),
    ],
)
def test_market_that_cannot_be_counted_is_refused_with_its_numbers(change, capital, price, reason):
    market = Market("A/USDT", Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal("0.001"), Decimal("0.001"))
    market.check_fits(Decimal(10_000), 100_000.0)
    with pytest.raises(Refused, match=rf"A/USDT cannot be counted exactly in 64 bits, {reason}.*capital {capital}"):
        replace(market, **change).check_fits(Decimal(capital), price)


def test_market_is_hashable_and_survives_pickling():
    market = market_for("BTC/USDT", steady(300), FREE)
    assert market.units_per_tick_lot == 10
    assert pickle.loads(pickle.dumps(market)) == market
    assert len({market, replace(market)}) == 1


def test_table_counts_when_the_prices_fit_its_tick():
    market = market_for("ADA/USDT", candles_at(steady(300).timestamp, decimals=4), FREE)
    assert (market.tick_size, market.lot_size, market.min_notional) == (Decimal("0.0001"), Decimal("0.1"), Decimal(5))
    assert market.source == "tick and lot from the table of common symbols; default fee 0.1%"
    assert market.maker_fee == market.taker_fee == Decimal("0.001")


def test_table_is_left_when_the_prices_are_finer_than_its_tick():
    market = market_for("BTC/USDT", candles_at(steady(300).timestamp, decimals=3), FREE)
    assert market.tick_size == Decimal("0.001")
    assert "estimated from 300 warm-up candles, whose prices do not fit the table's tick 0.01" in market.source


@given(decimals=st.integers(0, 7), scale=st.sampled_from([0.002, 1.0, 64_000.0]), seed=st.integers(0, 999))
def test_estimated_tick_is_the_finest_decimal_of_the_prices(decimals, scale, seed):
    random = np.random.default_rng(seed)
    counts = np.rint(scale * 10**decimals * np.exp(random.normal(0, 0.05, 400))).astype(np.int64) + 1
    prices = np.array([float(Decimal(count).scaleb(-decimals)) for count in counts.tolist()])
    coarsest = next(
        places
        for places in range(decimals + 1)
        if all(count % 10 ** (decimals - places) == 0 for count in counts.tolist())
    )
    median = np.median(prices)
    bound = int(np.clip(-np.floor(np.log10(median * 1e-3)), 0, 12))
    if 10.0**-coarsest > median * 1e-6:
        assert estimate_tick(prices) == Decimal(1).scaleb(-max(coarsest, bound))


@pytest.mark.parametrize("prices", [[3.0, 3.0, 4.0], [100.0, 100.0], [1.23e-7, 2.34e-7]])
def test_estimated_tick_is_never_more_than_a_small_part_of_the_price(prices):
    tick = estimate_tick(np.array(prices))
    assert 0 < tick <= Decimal(str(1e-3 * np.median(prices)))


def test_estimated_tick_is_blind_to_float_noise():
    prices = np.round(np.linspace(0.69, 0.72, 400), 4)
    noisy = prices * (1 + np.random.default_rng(0).choice([-1, 0, 1], 400) * 2.2e-16)
    assert estimate_tick(noisy) == Decimal("0.0001")
    all_noise = prices * np.exp(np.random.default_rng(0).normal(0, 1e-3, 400))
    assert Decimal("1e-9") <= estimate_tick(all_noise) <= Decimal("1e-6")


@given(exponent=st.integers(-6, 5), quote=st.sampled_from(["USDT", "EUR", "BTC", "ETH"]))
def test_estimated_lot_is_a_hundredth_of_a_percent_of_a_small_order(exponent, quote):
    candles = candles_at(steady(300).timestamp, decimals=6)
    columns = {name: np.round(getattr(candles, name) * 10.0**exponent, 8) for name in ("open", "high", "low", "close")}
    market = market_for(f"NEW/{quote}", replace(candles, **columns), FREE)
    value = float(market.lot_size) * float(np.median(columns["close"]))
    coarsened = market.tick_size * market.lot_size <= Decimal("1e-10")
    assert value <= 0.011 * float(market.min_notional) or coarsened
    assert market.lot_size == Decimal(1).scaleb(market.lot_size.adjusted())
    market.check_fits(Decimal(100_000 if quote in {"USDT", "EUR"} else 100), float(columns["high"].max()))


def test_pinned_rules_stand_above_all_others_and_are_named():
    pinned = MarketSettings(tick_size="0.5", lot_size="0.001", min_notional="10", maker_fee=0, taker_fee=0.0005)
    market = market_for("BTC/USDT", steady(0), pinned)
    assert (market.tick_size, market.lot_size, market.min_notional) == (Decimal("0.5"), Decimal("0.001"), Decimal(10))
    assert (market.maker_fee_ppm, market.taker_fee_ppm) == (0, 500)
    assert market.source == "as set; pinned: tick_size, lot_size, min_notional, maker_fee, taker_fee"


def test_least_order_value_follows_the_quote_currency():
    assert market_for("XRP/ETH", steady(300), FREE).min_notional == Decimal("0.001")
    unknown = market_for("A/XYZ", steady(300), FREE)
    assert "least order value 5 assumed" in unknown.source


def test_rules_without_candles_or_pins_are_refused():
    with pytest.raises(DataError, match="no warm-up candles"):
        market_for("NEW/USDT", steady(0), FREE)


@pytest.mark.parametrize(
    ("name", "tick"),
    [
        ("ADA-USDT-1m.parquet", "0.0001"),
        ("BTC-USDT-1h-2017-2022.parquet", "0.01"),
        ("XRP_ETH-5m-sample.feather", "1e-8"),
    ],
)
def test_real_files_get_the_tick_of_their_market(name, tick, shared_data):
    candles = read_candles(shared_data / name)
    market = market_for(candles.symbol, candles[:300], FREE)
    assert market.tick_size == Decimal(tick)
    market.check_fits(Decimal(10_000), float(candles.high.max()))


@pytest.mark.parametrize("price", [3e-7, 1e-8, 1e-9])
def test_coin_that_costs_next_to_nothing_has_lots_that_can_be_counted(price):
    candles = candles_at(steady(300).timestamp)
    columns = {name: getattr(candles, name) * price / 100 for name in ("open", "high", "low", "close")}
    market = market_for("NEW/USDT", replace(candles, **columns), FREE)
    market.check_fits(Decimal(10_000), float(columns["high"].max()))
    assert float(market.lot_size) * price <= 0.011 * float(market.min_notional)
