"""The ledger conserves money, and the audit finds every wrong record."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.trading.orders.account import MICROLOTS, Account, accounts, market
from trading.errors import ExitCode
from trading.orders import Fills, Ledger, LedgerMismatch, empty_fills, replay

AUDITED = ("cash_units", "position_lots", "dust_microlots", "price_ticks", "lots", "fee_units", "fee_microlots")


@given(accounts())
def test_replay_agrees_with_a_legal_history(account: Account) -> None:
    check = replay(account.fills(), account.capital)
    assert (check.fills, check.ledger.cash_units) == (len(account.rows), account.cash)
    assert check.ledger.position_microlots == account.microlots


@given(accounts(), st.data())
def test_replay_finds_any_number_that_was_changed(account: Account, data: st.DataObject) -> None:
    assume(account.rows)
    fills = account.fills()
    row = data.draw(st.integers(0, len(fills) - 1))
    column = data.draw(st.sampled_from(AUDITED))
    changed = getattr(fills, column).copy()
    changed[row] += data.draw(st.sampled_from((-1, 1)))
    with pytest.raises(LedgerMismatch, match=f"fill {row} of"):
        replay(replace(fills, **{column: changed}), account.capital)


@given(accounts())
def test_ledger_one_fill_at_a_time_is_the_account(account: Account) -> None:
    ledger = Ledger.opened(account.market, account.capital)
    for _, _, _, side, price, lots, fee, fee_microlots, *_ in account.rows:
        ledger = ledger.after(side, price, lots, fee, fee_microlots)
    assert (ledger.cash_units, ledger.position_microlots) == (account.cash, account.microlots)


@given(accounts(), st.integers(1, 12_000_000))
def test_equity_is_cash_and_the_position_at_the_price(account: Account, price: int) -> None:
    ledger = Ledger(account.market, account.cash, account.microlots)
    position = Decimal(account.microlots) / MICROLOTS * account.market.lot_size
    assert ledger.equity(price) == account.market.money(account.cash) + position * account.market.price(price)


def test_a_trade_at_one_price_costs_exactly_its_fees() -> None:
    ledger = Ledger.opened(market(), Decimal(1_000))
    after = ledger.after(1, 5_000_000, 10, 7).after(-1, 5_000_000, 10, 5)
    assert after.equity(1) == Decimal(1_000) - market().money(12)


def test_lesson_12_fee_in_base_leaves_less_to_sell() -> None:
    ledger = Ledger.opened(market(fee_in_base=True), Decimal(1_000)).after(1, 1_000_000, 100, 0, 100_000)
    assert ledger.position_microlots == 99_900_000
    with pytest.raises(LedgerMismatch, match="BTC/USDT: a fill of -100 lots"):
        ledger.after(-1, 1_000_000, 100)
    assert ledger.after(-1, 1_000_000, 99).position_microlots == 900_000


def test_a_buy_without_cash_is_refused() -> None:
    with pytest.raises(LedgerMismatch, match="USDT"):
        Ledger.opened(market(), Decimal(1)).after(1, 5_000_000, 10)


def buy_and_sell() -> Fills:
    account = Account(market())
    account.trade(1, 1_000_000, 100)
    account.trade(-1, 1_010_000, 100)
    return account.fills()


@pytest.mark.parametrize(
    ("column", "values", "fault"),
    [("timestamp", [5, 4], "earlier"), ("side", [1, 0], "impossible"), ("lots", [100, 0], "impossible"),
     ("price_ticks", [2**61, 1], "impossible"), ("fee_units", [-1, 0], "impossible")],
)  # fmt: skip
def test_impossible_rows_are_named(column: str, values: list[int], fault: str) -> None:
    with pytest.raises(LedgerMismatch, match=fault) as caught:
        replay(replace(buy_and_sell(), **{column: np.array(values)}), Decimal(10_000))
    assert caught.value.exit_code is ExitCode.HALTED
    assert caught.value.code == "E007"


def test_short_sale_is_found_even_when_recorded_consistently() -> None:
    account = Account(market())
    account.trade(-1, 1_000_000, 100)
    with pytest.raises(LedgerMismatch, match="sells more than is owned"):
        replay(account.fills(), account.capital)


def test_spending_more_than_the_capital_is_found_even_when_recorded_consistently() -> None:
    account = Account(market(), Decimal(1))
    account.trade(1, 1_000_000, 100)
    with pytest.raises(LedgerMismatch, match="negative cash"):
        replay(account.fills(), account.capital)


def test_no_fills_leave_the_capital() -> None:
    assert replay(empty_fills(market()), Decimal("12.5")).ledger.equity(1) == Decimal("12.5")
