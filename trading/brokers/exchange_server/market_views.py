"""What is read off a market: its trades, and its last 24 hours."""

from __future__ import annotations

from trading.brokers.exchange_server.announcer import public_trade
from trading.brokers.exchange_server.candle_series import joined
from trading.brokers.exchange_server.records import DayTicker, MarketTrade
from trading.brokers.exchange_server.symbol_market import SymbolMarket

_DAY_MS = 86_400_000


def trades_between(
    market: SymbolMarket, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
) -> tuple[MarketTrade, ...]:
    """Return trades, oldest first, as far back as they are kept.

    Parameters
    ----------
    market : SymbolMarket
        Whose.
    from_id : int or None
        Those of this id and higher.
    start_ms, end_ms : int or None
        Those in between, both included.
    limit : int
        With an id or a start the oldest so many, else the newest.
    """
    found = [
        trade
        for trade in market.trades
        if (from_id is None or trade.trade_id >= from_id)
        and (start_ms is None or trade.time_ms >= start_ms)
        and (end_ms is None or trade.time_ms <= end_ms)
    ]
    page = found[:limit] if from_id is not None or start_ms is not None else found[-limit:]
    return tuple(public_trade(trade, market) for trade in page)


def day_ticker(market: SymbolMarket, now_ms: int) -> DayTicker:
    """Return the last 24 hours of a market, candle by candle.

    Parameters
    ----------
    market : SymbolMarket
        Whose.
    now_ms : int
        Market time.
    """
    series, rules = market.series, market.rules
    day, now = series.joined_since(now_ms - _DAY_MS), series.current()
    whole = now if day is None else joined((day, now), day.open_ms)
    opened = rules.price(whole.open)
    return DayTicker(
        symbol=rules.symbol,
        open_ms=whole.open_ms,
        close_ms=now_ms,
        open=opened,
        high=rules.price(whole.high),
        low=rules.price(whole.low),
        last=rules.price(market.last),
        previous_close=opened,
        last_quantity=rules.quantity(market.trades[-1].lots if market.trades else 0),
        volume=rules.quantity(whole.lots),
        quote_volume=rules.tick_size * rules.lot_size / market.quote_units * whole.units,
        trades=whole.trades,
        first_trade_id=whole.first_id,
        last_trade_id=whole.last_id,
    )
