"""A session's orders as the journal keeps them, and the facts about them that change them."""

from __future__ import annotations

from dataclasses import dataclass

from trading.orders.states import FINAL_STATES, CommandState, OrderState
from trading.orders.venue import VenueFill


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """One order of a session: what the core asked for, and all that is known about it.

    Parameters
    ----------
    client_id : str
        Our id: session and sequence, the same for ever.
    core_id : int
        The core's number of the order, unique in the session.
    slot : int
        The core's slot that the order works for.
    side : int
        +1 buys, -1 sells.
    lots : int
        Ordered quantity.
    limit_ticks : int
        Limit; 0 takes any price.
    taker : bool
        Whether it is to take what is there rather than rest.
    why : int
        A `trading.engine.codes.FillReason`.
    created_ms : int
        When it was decided, the session's clock.
    state : OrderState
        At the venue; PENDING until the venue has told of it.
    command : CommandState or None
        None while it is planned and was never sent.
    cancel_wanted : bool
        The core wants it gone; it may fill all the same.
    exchange_id : str or None
        The venue's id.
    filled_lots : int
        Lots booked from trades.
    sends : int
        How often it was sent.
    sent_ms : int
        When last, the session's clock; 0 never.
    checks : int
        How often it was asked for in vain since then.
    note : str
        Why it is as it is, in words.
    """

    client_id: str
    core_id: int
    slot: int
    side: int
    lots: int
    limit_ticks: int
    taker: bool
    why: int
    created_ms: int
    state: OrderState = OrderState.PENDING
    command: CommandState | None = None
    cancel_wanted: bool = False
    exchange_id: str | None = None
    filled_lots: int = 0
    sends: int = 0
    sent_ms: int = 0
    checks: int = 0
    note: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of it but a late fill."""
        return self.state in FINAL_STATES or self.command in (CommandState.REJECTED, CommandState.DENIED)

    @property
    def is_planned(self) -> bool:
        """Whether it was decided and never sent."""
        return self.command is None and not self.is_final

    @property
    def is_unresolved(self) -> bool:
        """Whether it was sent and no answer came: it may rest at the venue."""
        return self.command in (CommandState.SENT, CommandState.UNRESOLVED) and not self.is_final


@dataclass(frozen=True, slots=True)
class Sent:
    """An order goes out: written down before it is sent."""

    client_id: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has the order; ``resting`` when part of it waits in the book."""

    client_id: str
    exchange_id: str
    resting: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """The order will never be at the venue: refused there (its code and words), denied here, or found never arrived.

    Parameters
    ----------
    client_id : str
        Which order.
    reason : str
        One sentence.
    code : str
        E-code of the error.
    denied : bool
        True when it was refused here, before it was sent.
    """

    client_id: str
    reason: str
    code: str = "E006"
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """No usable answer came to an order or a question about it; ``asked`` when it was a question."""

    client_id: str
    reason: str
    asked: bool = False


@dataclass(frozen=True, slots=True)
class CancelSent:
    """A cancel goes out."""

    client_id: str


@dataclass(frozen=True, slots=True)
class CancelFailed:
    """No answer came to a cancel, or the venue would not; the order is as it was."""

    client_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A trade of one of our orders; the same trade may be told many times."""

    client_id: str
    fill: VenueFill


@dataclass(frozen=True, slots=True)
class Closed:
    """The venue says that an order is final, and all its trades are booked."""

    client_id: str
    state: OrderState
    reason: str = ""


Fact = Sent | Accepted | Refused | Silent | CancelSent | CancelFailed | Filled | Closed
