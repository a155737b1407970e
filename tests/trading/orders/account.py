"""Test data: an account that trades legally and records its fills as the core does, and the same as a strategy."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from trading.engine.codes import FillReason
from trading.engine.records import FILL
from trading.market.rules import Market
from trading.orders import Fills

MICROLOTS = 1_000_000
HOUR_MS = 3_600_000
START_MS = 1_735_689_600_000  # 2025-01-01T00:00Z


def market(**changes: object) -> Market:
    rules = {
        "symbol": "BTC/USDT",
        "tick_size": Decimal("0.01"),
        "lot_size": Decimal("0.0001"),
        "min_notional": Decimal(5),
        "maker_fee": Decimal("0.001"),
        "taker_fee": Decimal("0.001"),
    }
    return Market(**(rules | changes))  # type: ignore[arg-type]


class Account:
    """Trades in plain Python integers and writes down what the core would."""

    def __init__(self, rules: Market, capital: Decimal = Decimal(10_000)) -> None:
        self.market, self.capital = rules, capital
        self.cash = rules.cash_units(capital)
        self.microlots = 0
        self.rows: list[tuple[int, ...]] = []

    @property
    def lots(self) -> int:
        return self.microlots // MICROLOTS

    def affordable(self, price: int) -> int:
        return (
            self.cash * 1_000_000 // (price * self.market.units_per_tick_lot * (1_000_000 + self.market.maker_fee_ppm))
        )

    def trade(
        self,
        side: int,
        price: int,
        lots: int,
        level: int = 0,
        *,
        candle: int | None = None,
        order: int | None = None,
        reason: FillReason = FillReason.LIMIT,
        reference: int = 0,
    ) -> None:
        value = price * lots * self.market.units_per_tick_lot
        ppm = self.market.maker_fee_ppm
        in_base = self.market.fee_in_base and side > 0
        fee_units = 0 if in_base else -(-value * ppm // 1_000_000)
        fee_microlots = -(-lots * MICROLOTS * ppm // 1_000_000) if in_base else 0
        self.cash -= side * value + fee_units
        self.microlots += side * lots * MICROLOTS - fee_microlots
        row = len(self.rows) if candle is None else candle
        number = len(self.rows) + 1 if order is None else order
        self.rows.append(
            (START_MS + row * HOUR_MS, row, number, side, price, lots, fee_units, fee_microlots, int(reason), level,
             self.cash, self.microlots // MICROLOTS, self.microlots % MICROLOTS, reference)
        )  # fmt: skip

    def fills(self) -> Fills:
        return Fills.from_records(np.array(self.rows, FILL), self.market)


@st.composite
def accounts(draw: st.DrawFn, max_fills: int = 40) -> Account:
    """Legal histories: several levels, partial fills that share an order, fees in quote or in base."""
    account = Account(market(fee_in_base=draw(st.booleans())))
    candle, order = 0, 0
    for _ in range(draw(st.integers(0, max_fills))):
        candle += draw(st.integers(0, 30))
        price = draw(st.integers(1_000_000, 12_000_000))
        side = draw(st.sampled_from((1, -1)))
        most = min(account.affordable(price), 400) if side > 0 else account.lots
        if most < 1:
            continue
        order += draw(st.integers(0, 1)) or (not account.rows or account.rows[-1][3] != side)
        lots = draw(st.integers(1, most))
        level = draw(st.integers(-3, 3))
        account.trade(
            side, price, lots, level, candle=candle, order=order, reason=draw(st.sampled_from(list(FillReason)))
        )
    return account
