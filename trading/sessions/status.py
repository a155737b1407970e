"""What a session is and does, as JSON has it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from trading.brokers.desk import OrderDesk
from trading.brokers.error_tally import ErrorTally
from trading.engine.codes import Rule
from trading.market.feeds.protocol import FeedState
from trading.sessions.backtest import halt_sentence
from trading.sessions.keeper import MICROLOTS, SessionKeeper


def session_facts(keeper: SessionKeeper) -> dict[str, object]:
    """Return what a session was begun as."""
    facts = keeper.journal.facts
    return {
        "mode": facts.mode,
        "exchange": facts.exchange,
        "symbol": facts.symbol,
        "timeframe": facts.timeframe,
        "capital": str(facts.capital),
    }


def session_status(
    keeper: SessionKeeper, desk: OrderDesk | None, feed_state: FeedState, errors: ErrorTally
) -> Mapping[str, object]:
    """Return what a session is doing now.

    Parameters
    ----------
    keeper : SessionKeeper
        Its books.
    desk : OrderDesk or None
        Its orders at the venue.
    feed_state : FeedState
        How its market data arrives.
    errors : ErrorTally
        What it has met.
    """
    market, core = keeper.decider.market, keeper.decider.state.core
    return {
        **session_facts(keeper),
        "session": keeper.journal.facts.name,
        "candle": int(core.candle),
        "price": str(market.price(int(core.last_price))),
        "equity": str(market.money(keeper.decider.equity_units)),
        "cash": str(market.money(int(core.cash))),
        "position": str(market.quantity(int(core.position_lots))),
        "dust": str(Decimal(int(core.dust_microlots)) / MICROLOTS * market.lot_size),
        "open_orders": len(keeper.records()),
        "halted": keeper.halt_reason or halt_sentence(keeper.decider.halted),
        "feed": feed_state.value,
        "gate": desk.gate.value if desk is not None else None,
        "held": desk.held if desk is not None else "",
        "errors": errors.as_json(),
        "refused": {rule.name.lower(): int(core.refused[rule]) for rule in Rule if core.refused[rule]},
    }
