"""What travels between a session and a venue: new orders, the venue's own view of orders, fills and balances."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.orders.states import FINAL_STATES, OrderState


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it is sent; quantity and price are on the market's lots and ticks already.

    Parameters
    ----------
    client_id : str
        Our own id, the same in every attempt to send this order; the venue's codec may write it in another form.
    symbol : str
        ``BASE/QUOTE``.
    side : int
        +1 buys, -1 sells.
    quantity : Decimal
        Base currency.
    price : Decimal or None
        Limit, quote currency; None takes any price.
    """

    client_id: str
    symbol: str
    side: int
    quantity: Decimal
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """An order as the venue tells it.

    Parameters
    ----------
    client_id : str or None
        Our id, decoded; None when the order is not of this software.
    exchange_id : str
        The venue's id.
    symbol : str
        ``BASE/QUOTE``.
    side : int
        +1 buys, -1 sells.
    state : OrderState
        Never PENDING: the venue knows it.
    quantity, filled : Decimal
        Ordered and filled, base currency.
    price : Decimal or None
        Limit, quote currency; None for a market order.
    time_ms : int
        When the venue took it, its own clock.
    """

    client_id: str | None
    exchange_id: str
    symbol: str
    side: int
    state: OrderState
    quantity: Decimal
    filled: Decimal
    price: Decimal | None
    time_ms: int

    @property
    def is_final(self) -> bool:
        """Whether the venue will never change it again, but for fills that it tells late."""
        return self.state in FINAL_STATES


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One trade of one of our orders, as the venue tells it.

    Parameters
    ----------
    trade_id : str
        The venue's id of the trade, unique in its market.
    exchange_id : str
        The venue's id of the order.
    client_id : str or None
        Our id of the order where the venue tells it with the trade.
    symbol : str
        ``BASE/QUOTE``.
    side : int
        +1 bought, -1 sold.
    price, quantity : Decimal
        Quote and base currency.
    fee : Decimal
        What the venue took, in ``fee_asset``.
    fee_asset : str
        Base, quote, or a third asset.
    time_ms : int
        The venue's own clock.
    is_maker : bool
        Whether the order rested.
    """

    trade_id: str
    exchange_id: str
    client_id: str | None
    symbol: str
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    time_ms: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account has of one asset.

    Parameters
    ----------
    free, locked : Decimal
        What may be used, and what open orders hold.
    """

    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        """Both together."""
        return self.free + self.locked
