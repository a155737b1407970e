"""What was ordered, filled, owned and earned: order states, fills, the ledger and trades, all in exact integers."""

from trading.orders.fills import Fills, empty_fills
from trading.orders.ledger import Ledger, LedgerCheck, LedgerMismatch, replay
from trading.orders.states import (
    COMMAND_TRANSITIONS,
    FINAL_STATES,
    ORDER_TRANSITIONS,
    Command,
    CommandEvent,
    CommandState,
    IllegalTransition,
    Order,
    OrderEvent,
    OrderEventKind,
    OrderState,
)
from trading.orders.trades import OpenLots, Trades, pair_trades

__all__ = [
    "COMMAND_TRANSITIONS",
    "FINAL_STATES",
    "ORDER_TRANSITIONS",
    "Command",
    "CommandEvent",
    "CommandState",
    "Fills",
    "IllegalTransition",
    "Ledger",
    "LedgerCheck",
    "LedgerMismatch",
    "OpenLots",
    "Order",
    "OrderEvent",
    "OrderEventKind",
    "OrderState",
    "Trades",
    "empty_fills",
    "pair_trades",
    "replay",
]
