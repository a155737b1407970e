"""``Broker``: what a session asks of a venue. Every call is one question; retries and bookkeeping are the desk's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, runtime_checkable

from trading.errors import InsufficientFunds, RiskRefused
from trading.market.rules import Market
from trading.orders.venue import Balance, NewOrder, VenueFill, VenueOrder


class OrderRejected(RiskRefused):
    """E006: the venue answered, and it refuses the order or the cancel for good."""


class FundsRejected(OrderRejected, InsufficientFunds):
    """E002: the venue refuses the order because the account cannot pay for it."""

    code, action = InsufficientFunds.code, InsufficientFunds.action


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that the venue's stream told; REST stays the truth.

    Parameters
    ----------
    order : VenueOrder, optional
        An order that changed.
    fill : VenueFill, optional
        A trade of ours.
    reconnected : bool
        The stream was interrupted and is back: what it would have told meanwhile is lost.
    balances_changed : bool
        The venue told of money that came or went other than by trading.
    """

    order: VenueOrder | None = None
    fill: VenueFill | None = None
    reconnected: bool = False
    balances_changed: bool = False


class Broker(Protocol):
    """A venue's side of trading one symbol on one account.

    Errors of every call: ``ConnectionLost`` (E001) when no usable answer came, so that nothing is known;
    ``RateLimited`` (E003) when the venue asked for a pause and did nothing; ``OrderRejected`` (E006) and
    ``FundsRejected`` (E002) when it answered no.
    """

    symbol: str

    async def open(self) -> None:
        """Connect: load the markets, measure the clock's offset, check the keys."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...

    async def time_ms(self) -> int:
        """Return the venue's clock."""
        ...

    async def market(self) -> Market:
        """Return the venue's rules and this account's fees for the symbol."""
        ...

    async def place(self, order: NewOrder) -> VenueOrder:
        """Send an order once and return the venue's answer.

        Raises
        ------
        ConnectionLost
            When it may have arrived or not: look it up by client id before anything else.
        """
        ...

    async def cancel(self, client_id: str, exchange_id: str | None) -> VenueOrder:
        """Cancel an order and return it as it is now; one that is final already is returned as that."""
        ...

    async def cancel_all(self) -> Sequence[VenueOrder]:
        """Cancel every open order of this symbol that carries this software's ids; others are left alone."""
        ...

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Return all open orders of the symbol, those of other software too."""
        ...

    async def order(self, client_id: str, exchange_id: str | None) -> VenueOrder | None:
        """Return an order; None only when the venue itself says that it knows none of that id."""
        ...

    async def fills_since(self, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's trades in the symbol from a time of the venue's clock on, oldest first, all of them."""
        ...

    async def fills_of(self, order: VenueOrder) -> Sequence[VenueFill]:
        """Return all trades of one order, oldest first; the venue's list may lag behind ``order.filled``."""
        ...

    async def balances(self) -> Mapping[str, Balance]:
        """Return the account's assets."""
        ...

    def hints(self) -> AsyncIterator[Hint]:
        """Yield what the venue's private stream tells; ends at once where there is none, survives disconnects."""
        ...


@dataclass(frozen=True, slots=True)
class Funding:
    """Money that came or went other than by trading.

    Parameters
    ----------
    funding_id : str
        The venue's id of the deposit or withdrawal.
    asset : str
        What came or went.
    amount : Decimal
        Positive came, negative went, its fee included.
    time_ms : int
        The venue's clock.
    """

    funding_id: str
    asset: str
    amount: Decimal
    time_ms: int


@runtime_checkable
class TellsFunding(Protocol):
    """A broker whose venue tells of deposits and withdrawals."""

    async def funding_since(self, since_ms: int) -> Sequence[Funding]:
        """Return completed deposits and withdrawals from a time of the venue's clock on, oldest first."""
        ...
