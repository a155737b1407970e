"""Two state machines as data: an order's state at the venue, and the state of the command that asked for it.

They are apart because they fail apart: a command can be unresolved (no answer came) while its order rests, and an
order can fill after the command to cancel it was confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from trading.errors import GridBotError, UsageError


class OrderState(StrEnum):
    """How far an order has come at the venue; how much of it filled is counted beside."""

    PENDING = "pending"
    SUBMITTED = "submitted"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class OrderEventKind(StrEnum):
    """What the venue says about an order; COMPLETE is what a FILL of all that is open becomes."""

    ACCEPT = "accept"
    FILL = "fill"
    COMPLETE = "complete"
    CANCEL = "cancel"
    REJECT = "reject"
    EXPIRE = "expire"


class CommandState(StrEnum):
    """What is known about the command that places an order, or asks to cancel it."""

    SENT = "sent"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DENIED = "denied"
    UNRESOLVED = "unresolved"
    CANCEL_PENDING = "cancel_pending"


class CommandEvent(StrEnum):
    """What happens to a command: NO_ANSWER is a timeout or a lost connection, DENY is our own refusal."""

    SEND = "send"
    DENY = "deny"
    CONFIRM = "confirm"
    REJECT = "reject"
    NO_ANSWER = "no_answer"
    CANCEL = "cancel"


_S, _E = OrderState, OrderEventKind
_C, _D = CommandState, CommandEvent

ORDER_TRANSITIONS: Final[Mapping[tuple[OrderState, OrderEventKind], OrderState]] = MappingProxyType(
    {
        (_S.PENDING, _E.ACCEPT): _S.SUBMITTED,
        (_S.PENDING, _E.FILL): _S.PARTIAL,
        (_S.PENDING, _E.COMPLETE): _S.FILLED,
        (_S.PENDING, _E.CANCEL): _S.CANCELLED,
        (_S.PENDING, _E.REJECT): _S.REJECTED,
        (_S.PENDING, _E.EXPIRE): _S.EXPIRED,
        (_S.SUBMITTED, _E.ACCEPT): _S.SUBMITTED,
        (_S.SUBMITTED, _E.FILL): _S.PARTIAL,
        (_S.SUBMITTED, _E.COMPLETE): _S.FILLED,
        (_S.SUBMITTED, _E.CANCEL): _S.CANCELLED,
        (_S.SUBMITTED, _E.REJECT): _S.REJECTED,
        (_S.SUBMITTED, _E.EXPIRE): _S.EXPIRED,
        (_S.PARTIAL, _E.ACCEPT): _S.PARTIAL,
        (_S.PARTIAL, _E.FILL): _S.PARTIAL,
        (_S.PARTIAL, _E.COMPLETE): _S.FILLED,
        (_S.PARTIAL, _E.CANCEL): _S.CANCELLED,
        (_S.PARTIAL, _E.EXPIRE): _S.EXPIRED,
        # An acknowledgement that arrives after the end says nothing new.
        (_S.FILLED, _E.ACCEPT): _S.FILLED,
        (_S.CANCELLED, _E.ACCEPT): _S.CANCELLED,
        (_S.EXPIRED, _E.ACCEPT): _S.EXPIRED,
        # A fill can arrive after the cancel was confirmed: it counts, and the order stays cancelled.
        (_S.CANCELLED, _E.FILL): _S.CANCELLED,
        (_S.CANCELLED, _E.COMPLETE): _S.CANCELLED,
    }
)
"""Legal steps of an order; what is not here is illegal."""

FINAL_STATES: Final = frozenset({_S.FILLED, _S.CANCELLED, _S.REJECTED, _S.EXPIRED})
"""States that an order never leaves."""

COMMAND_TRANSITIONS: Final[Mapping[tuple[CommandState | None, CommandEvent], CommandState]] = MappingProxyType(
    {
        (None, _D.SEND): _C.SENT,
        (None, _D.DENY): _C.DENIED,
        (_C.SENT, _D.CONFIRM): _C.CONFIRMED,
        (_C.SENT, _D.REJECT): _C.REJECTED,
        (_C.SENT, _D.NO_ANSWER): _C.UNRESOLVED,
        # Only an answer of the venue resolves it; silence again changes nothing.
        (_C.UNRESOLVED, _D.CONFIRM): _C.CONFIRMED,
        (_C.UNRESOLVED, _D.REJECT): _C.REJECTED,
        (_C.UNRESOLVED, _D.NO_ANSWER): _C.UNRESOLVED,
        (_C.CONFIRMED, _D.CONFIRM): _C.CONFIRMED,
        (_C.CONFIRMED, _D.CANCEL): _C.CANCEL_PENDING,
        # A refused cancel leaves the order as it was: resting, or already filled.
        (_C.CANCEL_PENDING, _D.CONFIRM): _C.CONFIRMED,
        (_C.CANCEL_PENDING, _D.REJECT): _C.CONFIRMED,
        (_C.CANCEL_PENDING, _D.NO_ANSWER): _C.CANCEL_PENDING,
    }
)
"""Legal steps of a command; None is a command that has not begun."""


class IllegalTransition(GridBotError):
    """An event that the state machine does not allow where it stands."""


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One message of the venue about an order.

    Parameters
    ----------
    kind : OrderEventKind
        What happened.
    lots : int
        Lots that filled; 0 for every other kind.
    """

    kind: OrderEventKind
    lots: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """An order and what the venue has said about it.

    Parameters
    ----------
    order_id : str
        Our own id of the order.
    side : int
        +1 buys, -1 sells.
    lots : int
        Ordered quantity in lots.
    price_ticks : int or None
        Limit price in ticks; None takes any price.
    state : OrderState
        State at the venue.
    filled_lots : int
        Lots filled so far, late fills included; never more than ``lots``.

    Raises
    ------
    UsageError
        When the side, a quantity or the price is impossible.
    """

    order_id: str
    side: int
    lots: int
    price_ticks: int | None = None
    state: OrderState = OrderState.PENDING
    filled_lots: int = 0

    def __post_init__(self) -> None:
        if self.side not in (1, -1):
            raise UsageError(f"order {self.order_id} has side {self.side}; write +1 for a buy or -1 for a sell")
        if self.lots <= 0 or not 0 <= self.filled_lots <= self.lots:
            raise UsageError(
                f"order {self.order_id} has {self.filled_lots} of {self.lots} lots filled; "
                "order at least one lot and fill no more than ordered"
            )
        if self.price_ticks is not None and self.price_ticks <= 0:
            raise UsageError(f"order {self.order_id} has price {self.price_ticks} ticks; give a positive price or None")

    @property
    def open_lots(self) -> int:
        """Lots that have not filled, whether or not they still can."""
        return self.lots - self.filled_lots

    def apply(self, event: OrderEvent) -> Order:
        """Return the order after an event.

        Parameters
        ----------
        event : OrderEvent
            What the venue says.

        Returns
        -------
        Order
            The same order with its new state and filled lots.

        Raises
        ------
        IllegalTransition
            When the event is illegal in this state, or fills more than is open.
        """
        kind = self._table_kind(event)
        state = ORDER_TRANSITIONS.get((self.state, kind))
        if state is None:
            raise IllegalTransition(
                f"order {self.order_id} is {self.state} and cannot {event.kind}; ask the venue for its true state"
            )
        return replace(self, state=state, filled_lots=self.filled_lots + event.lots)

    def _table_kind(self, event: OrderEvent) -> OrderEventKind:
        is_fill = event.kind in (OrderEventKind.FILL, OrderEventKind.COMPLETE)
        if not is_fill and event.lots:
            raise IllegalTransition(
                f"order {self.order_id}: {event.kind} comes with {event.lots} lots; only a fill has lots"
            )
        if not is_fill:
            return event.kind
        if not 0 < event.lots <= self.open_lots:
            raise IllegalTransition(
                f"order {self.order_id} has {self.open_lots} of {self.lots} lots open and cannot fill {event.lots}; "
                "look for a fill that was counted twice"
            )
        completes = event.lots == self.open_lots
        if event.kind is OrderEventKind.COMPLETE and not completes:
            raise IllegalTransition(
                f"order {self.order_id} is not complete with {event.lots} lots of {self.open_lots} open; send a fill"
            )
        return OrderEventKind.COMPLETE if completes else OrderEventKind.FILL


@dataclass(frozen=True, slots=True)
class Command:
    """The command that places an order (and may later cancel it), and what is known about it.

    Parameters
    ----------
    order_id : str
        Our own id of the order.
    state : CommandState or None
        None before it is sent or denied.
    """

    order_id: str
    state: CommandState | None = None

    @property
    def may_rest(self) -> bool:
        """True when the order may be at the venue, so that it has to be asked for."""
        return self.state not in (None, CommandState.DENIED, CommandState.REJECTED)

    def apply(self, event: CommandEvent) -> Command:
        """Return the command after an event.

        Raises
        ------
        IllegalTransition
            When the event is illegal in this state.
        """
        state = COMMAND_TRANSITIONS.get((self.state, event))
        if state is None:
            raise IllegalTransition(
                f"the command of order {self.order_id} is {self.state or 'new'} and cannot {event}; "
                "resolve it with the venue first"
            )
        return replace(self, state=state)
