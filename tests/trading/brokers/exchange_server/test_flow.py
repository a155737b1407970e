from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from tests.trading.brokers.exchange_server.exchanges import BTC, MINUTE, account, candles, limit, still
from trading.brokers.exchange_server.config import ExchangeConfig
from trading.brokers.exchange_server.records import KlineChanged, OrderStatus, OrderUpdated, Side, TradeMade
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.market.resampling import resample
from trading.market.synthetic import synthetic_candles

FLAT = (100.0, 100.0, 100.0, 100.0, 10.0)


def replaying(rows, **changes):
    given = {"history": 2, "accounts": (account(),)} | changes
    return SimulatedExchange(ExchangeConfig(**given), [candles([FLAT, FLAT, *rows])])


def synthetic(**changes):
    return SimulatedExchange(ExchangeConfig(**({"accounts": (account(),)} | changes)))


def test_a_replay_gives_back_the_very_candles():
    made = synthetic_candles(BTC, "1m", 400, seed=3, start_price=100.0)
    exchange = SimulatedExchange(ExchangeConfig(history=100), [made])
    exchange.advance_to(int(made.timestamp[-1]) + MINUTE)

    klines = exchange.klines(BTC, "1m", int(made.timestamp[0]), limit=400)

    for name in ("open", "high", "low", "close"):
        assert [float(getattr(kline, name)) for kline in klines] == getattr(made, name).tolist()
    volumes = np.array([float(kline.volume) for kline in klines])
    # Volume comes in lots; a candle of less than four has a few more, because four prices need four trades.
    assert np.abs(volumes - made.volume).max() <= 4 * float(exchange.market(BTC).lot_size)
    assert exchange.ended


def test_a_rising_candle_visits_its_high_first_and_a_falling_one_its_low():
    exchange = replaying([(100.0, 103.0, 98.0, 101.0, 50.0), (101.0, 104.0, 97.0, 99.0, 50.0)], trades_per_candle=4)
    exchange.advance_to(exchange.now_ms + 2 * MINUTE)

    prices = [float(trade.price) for trade in exchange.recent_trades(BTC)]

    assert prices == [100.0, 103.0, 98.0, 101.0, 101.0, 97.0, 104.0, 99.0]


def test_a_hole_in_the_candles_is_a_time_without_trades():
    made = candles([FLAT] * 6)
    holed = Candles(BTC, "1m", *(np.delete(column, 3) for column in made.columns().values()))
    exchange = SimulatedExchange(ExchangeConfig(history=2), [holed])
    exchange.advance_to(int(made.timestamp[-1]) + MINUTE)

    volumes = [kline.volume for kline in exchange.klines(BTC, "1m", int(made.timestamp[2]), limit=4)]

    assert [volume > 0 for volume in volumes] == [True, False, True, True]


def test_an_order_that_the_price_passes_fills_whole():
    exchange = replaying([(100.0, 100.0, 90.0, 95.0, 50.0)])
    order = exchange.place("main", limit(Side.BUY, "1", "92.00")).order
    exchange.advance_to(exchange.now_ms + MINUTE)

    filled = exchange.order("main", BTC, order.order_id)

    assert (filled.status, filled.filled) == (OrderStatus.FILLED, Decimal(1))
    assert {trade.price for trade in exchange.my_trades("main", BTC)} == {Decimal("92.00")}
    assert all(trade.is_maker for trade in exchange.my_trades("main", BTC))


def test_an_order_larger_than_the_flow_fills_in_parts_while_the_price_waits_for_it():
    exchange = replaying([(100.0, 100.0, 90.0, 95.0, 0.5), FLAT])
    order = exchange.place("main", limit(Side.BUY, "20", "92.00")).order
    seen = []
    exchange.on_event(lambda event: seen.append(event.order), (OrderUpdated,))
    exchange.advance_to(exchange.now_ms + MINUTE)

    assert next(one.status for one in seen) is OrderStatus.PARTIALLY_FILLED
    assert seen[-1].status is OrderStatus.FILLED
    times = [trade.time_ms for trade in exchange.my_trades("main", BTC)]
    assert times[-1] > times[0]
    assert exchange.order("main", BTC, order.order_id).filled == Decimal(20)
    low = exchange.klines(BTC, "1m", end_ms=exchange.now_ms - MINUTE, limit=1)[0].low
    assert low == Decimal("90.00")


def test_a_price_that_is_only_touched_fills_no_more_than_was_traded_there():
    exchange = replaying([(100.0, 100.0, 92.0, 95.0, 2.0)], trades_per_candle=4)
    order = exchange.place("main", limit(Side.BUY, "20", "92.00")).order
    exchange.advance_to(exchange.now_ms + MINUTE)

    partly = exchange.order("main", BTC, order.order_id)

    assert partly.status is OrderStatus.PARTIALLY_FILLED
    assert 0 < partly.filled <= Decimal(2)
    exchange.check_conservation()


def test_of_two_orders_at_one_price_the_older_fills_first():
    exchange = replaying([(100.0, 100.0, 92.0, 95.0, 2.0)], trades_per_candle=4, accounts=(account(), account("other")))
    exchange.place("other", limit(Side.BUY, "0.06", "92.00"))
    exchange.place("main", limit(Side.BUY, "20", "92.00"))
    exchange.advance_to(exchange.now_ms + MINUTE)

    first, second = exchange.my_trades("other", BTC), exchange.my_trades("main", BTC)

    assert exchange.all_orders("other", BTC)[0].status is OrderStatus.FILLED
    assert first[0].trade_id < second[0].trade_id


def test_looking_at_the_book_changes_nothing():
    looked, left_alone = synthetic(seed=5), synthetic(seed=5)
    for exchange in (looked, left_alone):
        for minute in range(30):
            if exchange is looked:
                exchange.depth(BTC, 20)
                exchange.day_ticker(BTC)
            exchange.place("main", limit(Side.BUY, "0.01", str(exchange.last_price(BTC) * 2), f"c{minute}"))
            exchange.advance_to(exchange.now_ms + 47_000)

    assert looked.audit() == left_alone.audit()


def test_the_same_seed_gives_the_same_market_and_another_one_does_not():
    first, same, other = (synthetic(seed=seed) for seed in (1, 1, 2))
    for exchange in (first, same, other):
        exchange.advance_to(exchange.now_ms + 100 * MINUTE)

    assert first.klines(BTC, "5m") == same.klines(BTC, "5m")
    assert first.depth(BTC) == same.depth(BTC)
    assert first.klines(BTC, "5m") != other.klines(BTC, "5m")


def test_large_steps_and_small_ones_lead_to_the_same_market():
    large, small = synthetic(), synthetic()
    large.advance_to(large.now_ms + 50 * MINUTE)
    for _ in range(3_000):
        small.advance_to(small.now_ms + 1_000)

    assert large.klines(BTC, "1m") == small.klines(BTC, "1m")
    assert large.recent_trades(BTC) == small.recent_trades(BTC)


def test_longer_klines_are_those_that_resampling_makes():
    exchange = synthetic(history=600)
    exchange.advance_to(exchange.now_ms + 45 * MINUTE)
    minutes = exchange.klines(BTC, "1m", limit=1_000)[:-1]
    columns = {
        name: np.array([float(getattr(one, name)) for one in minutes])
        for name in ("open", "high", "low", "close", "volume")
    }
    series = Candles(BTC, "1m", np.array([one.open_ms for one in minutes]), **columns)
    expected = resample(series, "15m")

    klines = exchange.klines(BTC, "15m", int(expected.timestamp[0]), limit=1_000)[: len(expected)]

    assert [kline.open_ms for kline in klines] == expected.timestamp.tolist()
    for name in ("open", "high", "low", "close"):
        assert [float(getattr(kline, name)) for kline in klines] == getattr(expected, name).tolist()
    np.testing.assert_allclose([float(kline.volume) for kline in klines], expected.volume, atol=1e-9)


def test_kline_pages_are_the_oldest_from_a_start_and_else_the_newest():
    exchange = synthetic(history=500)
    every = exchange.klines(BTC, "5m", limit=1_000)

    assert exchange.klines(BTC, "5m", every[3].open_ms, limit=4) == every[3:7]
    assert exchange.klines(BTC, "5m", every[3].open_ms - 1, limit=4) == every[3:7]
    assert exchange.klines(BTC, "5m", end_ms=every[9].open_ms, limit=4) == every[6:10]
    assert exchange.klines(BTC, "5m", limit=4) == every[-4:]
    assert exchange.klines(BTC, "5m", every[-1].open_ms + 1) == ()


def test_klines_are_told_as_they_change_and_close_once():
    exchange = synthetic()
    exchange.watch_klines(BTC, "5m")
    told: list[KlineChanged] = []
    exchange.on_event(told.append, (KlineChanged,))
    exchange.advance_to(exchange.now_ms + 12 * MINUTE)

    for timeframe, count in (("1m", 12), ("5m", 2)):
        closed = [event.kline for event in told if event.timeframe == timeframe and event.closed]
        assert closed == list(exchange.klines(BTC, timeframe, closed[0].open_ms, limit=count))
        assert len(closed) == count
    assert all(event.time_ms == event.kline.close_ms + 1 for event in told if event.closed)


def test_every_trade_is_told_once_and_in_order():
    exchange = synthetic()
    told = []
    stop = exchange.on_event(lambda event: told.append(event.trade), (TradeMade,))
    exchange.advance_to(exchange.now_ms + 5 * MINUTE)
    stop()
    exchange.advance_to(exchange.now_ms + 5 * MINUTE)

    first = told[0].trade_id
    assert [trade.trade_id for trade in told] == list(range(first, first + len(told)))
    assert tuple(told) == exchange.trades_between(BTC, first, limit=len(told))


def test_a_push_moves_the_price_and_all_that_comes_later():
    pushed, left_alone = synthetic(), synthetic()
    price = pushed.last_price(BTC)
    assert pushed.push_price(BTC, price * 2) == price * 2
    for exchange in (pushed, left_alone):
        exchange.advance_to(exchange.now_ms + 30 * MINUTE)

    assert float(pushed.last_price(BTC)) == pytest.approx(2 * float(left_alone.last_price(BTC)), rel=1e-5)


def test_a_push_with_little_volume_ends_at_the_order_in_its_way():
    exchange = still()
    exchange.place("main", limit(Side.SELL, "5", "101.00"))

    assert exchange.push_price(BTC, Decimal(110), Decimal(2)) == Decimal("101.00")
    assert exchange.open_orders("main")[0].filled == Decimal(2)
    assert exchange.push_price(BTC, Decimal(110)) == Decimal("110.00")
    assert exchange.open_orders("main") == ()


def test_candles_that_the_history_uses_up_are_refused():
    with pytest.raises(DataError, match="history use up"):
        SimulatedExchange(ExchangeConfig(history=10), [candles([FLAT] * 10)])


def test_candles_of_two_timeframes_are_refused():
    made = synthetic_candles("ETH/USDT", "5m", 100, seed=1)
    with pytest.raises(UsageError, match="one timeframe"):
        SimulatedExchange(ExchangeConfig(history=2), [candles([FLAT] * 10), made])


def test_several_symbols_run_on_one_clock():
    exchange = synthetic(symbols=("BTC/USDT", "ETH/USDT"))
    told = []
    exchange.on_event(told.append, (TradeMade,))
    exchange.advance_to(exchange.now_ms + 5 * MINUTE)

    assert {event.trade.symbol for event in told} == {"BTC/USDT", "ETH/USDT"}
    assert [event.time_ms for event in told] == sorted(event.time_ms for event in told)


def test_old_candles_are_let_go():
    exchange = synthetic(keep_candles=1_000, history=1_000)
    exchange.advance_to(exchange.now_ms + 3_500 * MINUTE)

    oldest = exchange.klines(BTC, "1m", 0, limit=1)[0]

    assert 1_000 * MINUTE <= exchange.now_ms - oldest.open_ms <= 2_002 * MINUTE
