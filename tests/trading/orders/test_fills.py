"""Fills: the table of the contract, the file and the hash."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.orders.account import Account, accounts, market
from trading.engine.codes import FillReason
from trading.errors import DataError, Refused
from trading.orders.fills import decimal_column, empty_fills, exact_sum

CONTRACT = [
    "timestamp", "candle", "order_id", "side", "price", "quantity", "fee", "reason", "level", "cash", "position",
]  # fmt: skip


@pytest.fixture
def account() -> Account:
    account = Account(market())
    account.trade(1, 5_000_001, 100, level=-1, reason=FillReason.TRAIL)
    account.trade(-1, 5_100_003, 40, level=-1, reason=FillReason.TAKE_PROFIT)
    return account


def test_table_has_the_columns_of_the_contract_with_exact_decimals(account: Account) -> None:
    table = account.fills().table()
    assert table.column_names == CONTRACT
    first, second = table.to_pylist()
    assert (first["side"], second["side"]) == ("buy", "sell")
    assert (first["reason"], second["reason"]) == ("trail", "take_profit")
    assert (first["price"], first["quantity"], first["level"]) == (50000.01, 0.01, -1)
    assert first["fee"] == float(Decimal("50000.01") * Decimal("0.01") * Decimal("0.001"))
    assert first["cash"] == float(Decimal(10_000) - Decimal("500.0001") - Decimal("0.5000001"))
    assert (first["position"], second["position"]) == (0.01, 0.006)


def test_fee_in_base_is_valued_at_the_fill_and_taken_from_the_position() -> None:
    account = Account(market(fee_in_base=True))
    account.trade(1, 5_000_000, 100)
    row = account.fills().table().to_pylist()[0]
    assert row["fee"] == 0.5
    assert row["position"] == 0.00999
    assert row["cash"] == 9_500


@given(accounts())
def test_total_fees_are_the_sum_of_the_table(account: Account) -> None:
    fills = account.fills()
    assert float(fills.fees) == pytest.approx(sum(fills.table()["fee"].to_pylist()), abs=1e-9)
    exact = sum(row[4] * row[5] * account.market.units_per_tick_lot for row in account.rows)
    assert fills.traded == account.market.money(exact)


def test_file_is_the_table_and_writing_twice_gives_the_same_bytes(account: Account, tmp_path: Path) -> None:
    fills = account.fills()
    one, two = fills.write(tmp_path / "new" / "a.parquet"), fills.write(tmp_path / "b.parquet")
    assert one.read_bytes() == two.read_bytes()
    assert pq.read_table(one).equals(fills.table())
    assert [path.name for path in one.parent.iterdir()] == ["a.parquet"]


def test_file_that_cannot_be_written_is_refused(account: Account, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refused, match="cannot be written"):
        account.fills().write(tmp_path / "file" / "fills.parquet")


def test_trade_hash_is_sha256_of_the_documented_bytes(account: Account) -> None:
    message = b"gridbot fills 1|0.01|0.0001|8\n"
    for time, _, _, side, price, lots, fee, fee_microlots, *_ in account.rows:
        message += struct.pack("<qbqqqq", time, side, price, lots, fee, fee_microlots)
    assert account.fills().trade_hash() == hashlib.sha256(message).hexdigest()


@pytest.mark.parametrize("column", ["timestamp", "side", "price_ticks", "lots", "fee_units"])
def test_trade_hash_sees_a_change_of_one_unit(account: Account, column: str) -> None:
    fills = account.fills()
    changed = getattr(fills, column).copy()
    changed[1] += 1
    assert replace(fills, **{column: changed}).trade_hash() != fills.trade_hash()


def test_trade_hash_of_other_units_differs(account: Account) -> None:
    fills = account.fills()
    assert replace(fills, market=market(tick_size=Decimal("0.1"))).trade_hash() != fills.trade_hash()


def test_no_fills_make_an_empty_table_with_the_same_types() -> None:
    account = Account(market())
    account.trade(1, 5_000_000, 1)
    empty = empty_fills(market())
    assert len(empty) == 0
    assert empty.table().schema.types == account.fills().table().schema.types


def test_columns_of_different_length_are_refused(account: Account) -> None:
    with pytest.raises(DataError, match="'lots'"):
        replace(account.fills(), lots=np.arange(5))


def test_columns_are_read_only_copies(account: Account) -> None:
    fills = account.fills()
    with pytest.raises(ValueError, match="read-only"):
        fills.lots[0] = 9


@given(st.integers(0, 2**52), st.sampled_from(["0.01", "0.1", "1", "1e-8", "10", "0.5"]))
def test_decimal_column_is_the_nearest_float(count: int, unit: str) -> None:
    if count * int("".join(map(str, Decimal(unit).normalize().as_tuple().digits))) < 2**53:
        assert decimal_column(np.array([count]), Decimal(unit))[0] == float(count * Decimal(unit))


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=30))
def test_exact_sum_does_not_overflow(values: list[int]) -> None:
    assert exact_sum(np.array(values, np.int64)) == sum(values)
