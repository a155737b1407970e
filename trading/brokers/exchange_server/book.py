"""The order book of one symbol: price-time priority in whole ticks and lots."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from trading.brokers.exchange_server.records import OrderStatus, OrderType, TimeInForce

BUYS = 1
SELLS = -1


@dataclass(slots=True, eq=False)
class Order:
    """An order as the exchange works on it.

    Parameters
    ----------
    order_id : int
        0 for the quotes of the order flow.
    account : str
        Whose; empty for the order flow.
    side : int
        +1 buys, -1 sells.
    price : int
        Ticks; 0 for market orders.
    quantity : int
        Lots.
    filled : int
        Lots.
    quote_units : int
        What a market order may spend or should earn, units; 0 when it is counted in lots.
    quote_filled : int
        Units.
    held : int
        What is locked in the account for it, units of the asset that it pays with.
    """

    order_id: int
    account: str
    side: int
    price: int
    quantity: int
    symbol: str = ""
    client_id: str = ""
    type: OrderType = OrderType.LIMIT
    time_in_force: TimeInForce = TimeInForce.GTC
    status: OrderStatus = OrderStatus.NEW
    filled: int = 0
    quote_units: int = 0
    quote_filled: int = 0
    held: int = 0
    created_ms: int = 0
    updated_ms: int = 0

    @property
    def remaining(self) -> int:
        """Lots that have not filled."""
        return self.quantity - self.filled


@dataclass(slots=True)
class _Half:
    """One side of the book; keys rise towards the best price."""

    sign: int
    keys: list[int] = field(default_factory=list)
    levels: dict[int, dict[int, Order]] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        key = order.price * self.sign
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = level = {}
            insort(self.keys, key)
        level[id(order)] = order

    def remove(self, order: Order) -> None:
        key = order.price * self.sign
        level = self.levels[key]
        del level[id(order)]
        if not level:
            del self.levels[key]
            self.keys.remove(key)

    def orders(self) -> Iterator[Order]:
        for key in reversed(self.keys):
            yield from self.levels[key].values()


class Book:
    """Resting orders of one symbol.

    Orders at a better price come first; at one price, who came first.
    """

    def __init__(self) -> None:
        self._halves = {BUYS: _Half(BUYS), SELLS: _Half(SELLS)}

    def add(self, order: Order) -> None:
        """Let an order rest; the caller has matched it first."""
        self._halves[order.side].add(order)

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        self._halves[order.side].remove(order)

    def best(self, side: int) -> int | None:
        """Return the best price of a side in ticks, or None when it is empty."""
        half = self._halves[side]
        return half.keys[-1] * side if half.keys else None

    def crosses(self, side: int, price: int) -> bool:
        """Return whether an order of that side and limit (0 takes any price) would match at once."""
        other = self.best(-side)
        return other is not None and (price == 0 or (other - price) * side <= 0)

    def opposite(self, side: int, price: int) -> Iterator[Order]:
        """Yield the resting orders that an order of that side and limit may trade with, in priority."""
        for maker in self._halves[-side].orders():
            if price and (maker.price - price) * side > 0:
                return
            yield maker

    def orders(self, side: int) -> Iterator[Order]:
        """Yield the resting orders of a side in priority."""
        return self._halves[side].orders()

    def levels(self, side: int, limit: int) -> list[tuple[int, int]]:
        """Return price in ticks and lots at it of the best levels of a side.

        Parameters
        ----------
        side : int
            +1 bids, -1 asks.
        limit : int
            How many at most.
        """
        half = self._halves[side]
        best = half.keys[: -limit - 1 : -1]
        return [(key * side, sum(order.quantity - order.filled for order in half.levels[key].values())) for key in best]

    def first(self, side: int) -> Order | None:
        """Return the order of a side that is next to trade, or None."""
        half = self._halves[side]
        return next(iter(half.levels[half.keys[-1]].values())) if half.keys else None
