"""The session's core: the same fills as a backtest, the same bytes from a recording, late fills booked."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trading.market.candles import Candles
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.sessions.backtest import backtest
from trading.sessions.decider import CoreFill, Decider, Exchange, past_candles
from trading.sessions.inputs import Input, NewCandle
from trading.settings import Settings

SETTINGS = Settings.model_validate(
    {"capital": 10_000, "grid": {"entry_drop": 0.0, "spacing": 0.005}, "signals": {"warmup_candles": 50}}
)


def new_candles(candles: Candles) -> list[NewCandle]:
    return [
        NewCandle(one.timestamp, one.open, one.high, one.low, one.close, one.volume, one.filled)
        for one in past_candles(candles)
    ]


def play(decider: Decider, items: list[Input]) -> list[CoreFill]:
    return [fill for item in items for fill in decider.apply(item).fills]


@pytest.mark.parametrize("seed", [3, 8])
@pytest.mark.parametrize("history", [0, 49])
def test_the_same_candles_make_the_same_fills_as_a_backtest(seed: int, history: int) -> None:
    candles = synthetic_candles("SIM/USDT", "5m", candles=1_500, seed=seed)
    expected = backtest(candles, SETTINGS)
    market = market_for("SIM/USDT", candles[:50], SETTINGS.market)
    decider = Decider(SETTINGS, market, "5m", Exchange.CANDLES)
    decider.see_history(candles[:history])
    fills = play(decider, list(new_candles(candles[history:])))
    assert len(expected.fills) > 20
    for name in ("timestamp", "candle", "side", "price_ticks", "lots", "fee_units", "cash_units", "position_lots"):
        assert [getattr(fill, name) for fill in fills] == getattr(expected.fills, name).tolist(), name
    assert market.money(decider.equity_units) == Decimal(str(round(float(expected.equity[-1]), 8)))
