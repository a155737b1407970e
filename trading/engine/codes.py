"""Numbers that the core's arrays hold, by name."""

from __future__ import annotations

from enum import IntEnum

from trading.market.rules import PPM
from trading.signals.records import Action, Regime, VolatilityClass

__all__ = [
    "BUY",
    "NEVER",
    "PPM",
    "SELL",
    "Action",
    "FillReason",
    "Halt",
    "IntentKind",
    "Policy",
    "Regime",
    "Rule",
    "SlotState",
    "VolatilityClass",
]


class SlotState(IntEnum):
    """What a slot (one adjacent pair of levels) is doing; it has at most one working order."""

    FLAT = 0
    ARMED_BUY = 1
    BUYING = 2
    PARTIAL = 3
    HELD = 4
    ARMED_SELL = 5
    SELLING = 6
    BLOCKED = 7


class Rule(IntEnum):
    """Why an order was refused (E006): a slot keeps the reason, and the core counts refusals by rule."""

    NONE = 0
    HALTED = 1
    MAX_POSITION = 2
    MAX_EXPOSURE = 3
    MAX_OPEN_LEVELS = 4
    CASH = 5
    MIN_NOTIONAL = 6
    DUST = 7
    VENUE = 8
    VENUE_FUNDS = 9


class Halt(IntEnum):
    """Why a session opens nothing."""

    NONE = 0
    DRAWDOWN = 1
    DAILY_LOSS = 2
    ORDERED = 3


class FillReason(IntEnum):
    """Why the order that filled was placed."""

    LIMIT = 0
    TRAIL = 1
    STOP = 2
    TAKE_PROFIT = 3
    ENTRY = 4
    FLATTEN = 5


class Policy(IntEnum):
    """What a signal allows one side of a slot to do."""

    BLOCKED = 0
    LIMIT = 1
    ARMED = 2


class IntentKind(IntEnum):
    """What the core asks of a broker."""

    PLACE = 0
    CANCEL = 1


BUY, SELL = 1, -1
NEVER = 2**62
"""A price, candle or time that is never reached; its negative is never undercut."""
