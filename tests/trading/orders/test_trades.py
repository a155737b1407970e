"""Trades: FIFO within a level, nothing lost to the last cash unit."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.orders.account import HOUR_MS, MICROLOTS, Account, accounts, market
from trading.engine.codes import FillReason
from trading.orders import LedgerMismatch, empty_fills, pair_trades
from trading.orders.pairing import prorated


def plain_fifo(account: Account) -> dict[tuple[int, int], list[int]]:
    """The same pairing in plain Python: quantity by buy order and sell order, in microlots."""
    queues: dict[int, deque[list[int]]] = {}
    everything: list[list[int]] = []
    paired: dict[tuple[int, int], list[int]] = {}
    for _, _, order, side, _, lots, _, fee_microlots, _, level, *_ in account.rows:
        quantity = lots * MICROLOTS - fee_microlots
        own = queues.setdefault(level, deque())
        if side > 0:
            lot = [order, quantity]
            own.append(lot)
            everything.append(lot)
            continue
        while quantity:
            lot = next((lot for lot in own if lot[1]), None) or next(lot for lot in everything if lot[1])
            part = min(lot[1], quantity)
            lot[1] -= part
            quantity -= part
            paired.setdefault((lot[0], order), [0])[0] += part
    return paired


@given(accounts())
def test_profit_and_open_cost_are_the_change_in_cash(account: Account) -> None:
    trades = pair_trades(account.fills())
    left = trades.open_lots
    cash_change = account.cash - account.market.cash_units(account.capital)
    assert int(trades.pnl_units.sum()) - int(left.cost_units.sum()) - int(left.fee_units.sum()) == cash_change


@given(accounts())
def test_open_lots_are_the_position(account: Account) -> None:
    trades = pair_trades(account.fills())
    assert int(trades.open_lots.parts.sum()) * (MICROLOTS // trades.parts_per_lot) == account.microlots
    assert (trades.open_lots.parts > 0).all()


@given(accounts())
def test_pairing_equals_a_plain_fifo(account: Account) -> None:
    fills = account.fills()
    trades = pair_trades(fills)
    found = {
        (int(fills.order_id[entry]), int(fills.order_id[leave])): int(parts) * (MICROLOTS // trades.parts_per_lot)
        for entry, leave, parts in zip(trades.entry_fill, trades.exit_fill, trades.parts, strict=True)
    }
    assert found == {pair: quantity for pair, (quantity,) in plain_fifo(account).items()}


@given(accounts())
def test_trades_close_in_order_and_never_before_they_open(account: Account) -> None:
    trades = pair_trades(account.fills())
    assert (trades.holding_ms >= 0).all()
    assert (np.diff(trades.exit_fill) >= 0).all()


def test_round_trip_by_hand() -> None:
    account = Account(market())
    account.trade(1, 1_000_000, 100, level=2, candle=3)
    account.trade(-1, 1_020_000, 100, level=2, candle=8, reason=FillReason.TRAIL)
    trades = pair_trades(account.fills())
    # 0.01 BTC bought for 100 USDT and sold for 102, fees 0.1 and 0.102.
    assert trades.pnl.tolist() == [1.798]
    assert (trades.level[0], trades.holding_ms[0], trades.reason[0]) == (2, 5 * HOUR_MS, FillReason.TRAIL)
    assert len(trades.open_lots) == 0


def test_each_level_sells_its_own_lots() -> None:
    account = Account(market())
    account.trade(1, 1_000_000, 10, level=0)
    account.trade(1, 900_000, 10, level=1)
    account.trade(-1, 950_000, 10, level=1)
    trades = pair_trades(account.fills())
    assert trades.entry_fill.tolist() == [1]
    assert trades.open_lots.level.tolist() == [0]


def test_lesson_11_remainder_of_another_level_is_sold_when_the_own_level_is_empty() -> None:
    account = Account(market())
    account.trade(1, 1_000_000, 3, level=0)
    account.trade(1, 900_000, 10, level=1)
    account.trade(-1, 950_000, 13, level=1)
    trades = pair_trades(account.fills())
    assert sorted(trades.level.tolist()) == [0, 1]
    assert len(trades.open_lots) == 0


def test_partial_fills_of_one_order_pair_are_one_trade() -> None:
    account = Account(market())
    for lots in (7, 2, 1):
        account.trade(1, 1_000_000, lots, order=1)
    for lots in (4, 6):
        account.trade(-1, 1_010_000, lots, order=2)
    trades = pair_trades(account.fills())
    assert len(trades) == 1
    assert (trades.parts[0], trades.entry_fill[0], trades.exit_fill[0]) == (10, 0, 4)


def test_more_sold_than_owned_names_the_fill() -> None:
    account = Account(market())
    account.trade(1, 1_000_000, 5)
    account.trade(-1, 1_000_000, 5)
    fills = account.fills()
    with pytest.raises(LedgerMismatch, match=r"fill 1 .* sells more than is owned"):
        pair_trades(replace(fills, lots=np.array([5, 6])))


def test_no_fills_make_no_trades() -> None:
    trades = pair_trades(empty_fills(market()))
    assert len(trades) == len(trades.open_lots) == 0


def test_a_hundred_thousand_fills_conserve_cash() -> None:
    account = Account(market(), Decimal(1_000_000))
    generator = np.random.default_rng(5)
    prices = (5_000_000 * np.exp(np.cumsum(generator.normal(0, 1e-3, 50_000)))).astype(int).tolist()
    for number, price in enumerate(prices):
        account.trade(1, price, 5, level=number % 41)
        account.trade(-1, price + 3_000, 5, level=(number * 7) % 41)
    trades = pair_trades(account.fills())
    assert len(account.rows) == 100_000
    assert account.microlots == 0
    assert int(trades.pnl_units.sum()) == account.cash - account.market.cash_units(account.capital)


@given(st.data())
def test_share_is_exact_where_the_product_passes_64_bits(data: st.DataObject) -> None:
    whole = data.draw(st.integers(1, 2**61 - 1))
    part = data.draw(st.integers(0, whole))
    amount = data.draw(st.integers(0, 2**63 - 1))
    assert prorated(amount, part, whole) == amount * part // whole
