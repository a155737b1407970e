"""A venue in memory that behaves like one over a bad line.

What it does to a request is drawn from ``faults``: per method a queue of words, empty means a plain answer.

- ``drop_before``: it never arrived. ``drop_after``: it was done, the answer was lost.
- ``late``: the answer is lost at once, and the request arrives up to 4.5 s later, within the receive window.
- ``busy``: the venue asks for a pause and does nothing. ``stale``: the answer is some seconds old.
- ``late_fill`` (cancel): the order fills on its way out, and the venue tells of it later.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tests.trading.live.virtual_clock import VirtualClock
from trading.brokers.protocol import FundsRejected, Hint, OrderRejected
from trading.errors import ConnectionLost, RateLimited
from trading.market.rules import Market
from trading.orders.states import OrderState
from trading.orders.venue import Balance, NewOrder, VenueFill, VenueOrder

MARKET = Market(
    "BTC/USDT",
    Decimal("0.01"),
    Decimal("0.001"),
    Decimal("0.1"),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)


@dataclass(frozen=True)
class Snapshot:
    """What an answer of that time would have said."""

    time_ms: int
    orders: Mapping[str, VenueOrder]
    balances: Mapping[str, Balance]


class InMemoryVenue:
    """Implements `trading.brokers.protocol.Broker`."""

    symbol = MARKET.symbol

    def __init__(self, clock: VirtualClock, cash: Decimal = Decimal(100_000), base: Decimal = Decimal(10)) -> None:
        self.clock = clock
        self.faults: defaultdict[str, deque[str]] = defaultdict(deque)
        self.outage = False
        self.latency_s = 0.05
        self.trade_lag_s = 0.0
        self.stale_s = 2.0
        self.late_s = 4.5
        self.orders: dict[str, VenueOrder] = {}
        self.accepted: Counter[str] = Counter()
        self.arrivals: list[tuple[int, str]] = []
        self.sent: list[tuple[int, str]] = []
        self.calls: Counter[str] = Counter()
        self.trades: list[tuple[int, VenueFill]] = []
        self.events: list[Hint] = []
        self.totals = {MARKET.base: base, MARKET.quote: cash}
        self._history: deque[Snapshot] = deque(maxlen=200)
        self._due: list[tuple[int, int, NewOrder | tuple[str, Decimal]]] = []
        self._ids = itertools.count(1)
        self._remember()

    # what the world does

    def fill(self, exchange_id: str, lots: int, lag_s: float | None = None) -> VenueFill:
        order = self.orders[exchange_id]
        quantity = min(MARKET.quantity(lots), order.quantity - order.filled)
        assert quantity > 0
        price = order.price or Decimal(100)
        fill = VenueFill(
            f"t{next(self._ids)}", exchange_id, None, self.symbol, order.side, price, quantity,
            price * quantity * Decimal("0.001"), MARKET.quote, self.clock.now_ms(), True,
        )  # fmt: skip
        filled = order.filled + quantity
        state = order.state
        if not order.is_final:
            state = OrderState.FILLED if filled == order.quantity else OrderState.PARTIAL
        self.orders[exchange_id] = replace(order, filled=filled, state=state)
        self.totals[MARKET.base] += order.side * quantity
        self.totals[MARKET.quote] -= order.side * price * quantity + fill.fee
        visible_ms = self.clock.now_ms() + int(1000 * (self.trade_lag_s if lag_s is None else lag_s))
        self.trades.append((visible_ms, fill))
        self.events += [Hint(fill=fill), Hint(order=self.orders[exchange_id])]
        self._remember()
        return fill

    def end(self, exchange_id: str, state: OrderState = OrderState.CANCELLED) -> None:
        self.orders[exchange_id] = replace(self.orders[exchange_id], state=state)
        self.events.append(Hint(order=self.orders[exchange_id]))
        self._remember()

    def foreign_order(self, client_id: str | None) -> str:
        return self._accept(NewOrder(client_id or "", self.symbol, 1, Decimal("0.001"), Decimal(50)), client_id)

    def move_money(self, asset: str, amount: Decimal) -> None:
        self.totals[asset] += amount
        self._remember()

    def open_now(self) -> list[VenueOrder]:
        self._deliver()
        return [order for order in self.orders.values() if not order.is_final]

    def of(self, client_id: str) -> VenueOrder | None:
        """Return the newest order under a client id."""
        self._deliver()
        return next((order for order in reversed(self.orders.values()) if order.client_id == client_id), None)

    # Broker

    async def open(self) -> None:
        await self.clock.sleep(self.latency_s)

    async def close(self) -> None:
        await self.clock.sleep(0)

    async def time_ms(self) -> int:
        await self._reach("time_ms")
        return self.clock.now_ms()

    async def market(self) -> Market:
        await self._reach("market")
        return MARKET

    async def place(self, order: NewOrder) -> VenueOrder:
        self.sent.append((self.clock.now_ms(), order.client_id))
        if self.faults["place"] and self.faults["place"][0] == "late":
            self.faults["place"].popleft()
            self._later(self.late_s, order)
            raise ConnectionLost("the line broke")
        fault = await self._reach("place")
        exchange_id = self._accept(order, order.client_id)
        if fault == "drop_after":
            raise ConnectionLost("the answer was lost")
        await self.clock.sleep(self.latency_s)
        return self.orders[exchange_id] if fault != "stale" else replace(self.orders[exchange_id], filled=Decimal(0))

    async def cancel(self, client_id: str, exchange_id: str | None) -> VenueOrder:
        fault = await self._reach("cancel")
        order = self._find(client_id, exchange_id)
        if order is None or (order.is_final and fault == "unknown_when_final"):
            raise OrderRejected(f"unknown order {client_id}")
        if not order.is_final:
            self.end(order.exchange_id)
            if fault == "late_fill":
                self._later(3.0, (order.exchange_id, order.quantity - order.filled))
        if fault == "drop_after":
            raise ConnectionLost("the answer was lost")
        return self.orders[order.exchange_id]

    async def cancel_all(self) -> Sequence[VenueOrder]:
        await self._reach("cancel_all")
        ours = [order for order in self.open_now() if order.client_id is not None]
        for order in ours:
            self.end(order.exchange_id)
        return [self.orders[order.exchange_id] for order in ours]

    async def open_orders(self) -> Sequence[VenueOrder]:
        snapshot = self._seen_through(await self._reach("open_orders"))
        await self.clock.sleep(self.latency_s)  # what happens meanwhile is not in the answer
        return [order for order in snapshot.orders.values() if not order.is_final]

    async def order(self, client_id: str, exchange_id: str | None) -> VenueOrder | None:
        snapshot = self._seen_through(await self._reach("order"))
        return self._find(client_id, exchange_id, snapshot.orders)

    async def fills_since(self, since_ms: int) -> Sequence[VenueFill]:
        await self._reach("fills_since")
        return [fill for fill in self._visible() if fill.time_ms >= since_ms]

    async def fills_of(self, order: VenueOrder) -> Sequence[VenueFill]:
        await self._reach("fills_of")
        return [fill for fill in self._visible() if fill.exchange_id == order.exchange_id]

    async def balances(self) -> Mapping[str, Balance]:
        return self._seen_through(await self._reach("balances")).balances

    async def hints(self) -> AsyncIterator[Hint]:
        while self.events:
            yield self.events.pop(0)

    # inside

    async def _reach(self, method: str) -> str:
        self.calls[method] += 1
        fault = self.faults[method].popleft() if self.faults[method] else ""
        await self.clock.sleep(self.latency_s)
        self._deliver()
        if self.outage or fault == "drop_before":
            raise ConnectionLost(f"no answer to {method}")
        if fault == "busy":
            raise RateLimited("pause, please")
        if fault == "reject":
            raise OrderRejected("not like that")
        return fault

    def _accept(self, order: NewOrder, client_id: str | None) -> str:
        self._deliver()
        taken = [known for known in self.open_now() if client_id is not None and known.client_id == client_id]
        if taken:
            raise OrderRejected(f"duplicate client id {client_id}")
        price = order.price or Decimal(100)
        free = self._balances()[MARKET.quote if order.side > 0 else MARKET.base].free
        if free < (order.quantity * price if order.side > 0 else order.quantity):
            raise FundsRejected("account has insufficient balance")
        exchange_id = f"x{next(self._ids)}"
        self.accepted[order.client_id] += 1
        self.arrivals.append((self.clock.now_ms(), order.client_id))
        self.orders[exchange_id] = VenueOrder(
            client_id, exchange_id, self.symbol, order.side, OrderState.SUBMITTED, order.quantity, Decimal(0),
            order.price, self.clock.now_ms(),
        )  # fmt: skip
        self.events.append(Hint(order=self.orders[exchange_id]))
        self._remember()
        if order.price is None:
            self.fill(exchange_id, int(order.quantity / MARKET.lot_size))
        return exchange_id

    def _later(self, seconds: float, what: NewOrder | tuple[str, Decimal]) -> None:
        heapq.heappush(self._due, (self.clock.now_ms() + int(seconds * 1000), next(self._ids), what))

    def _deliver(self) -> None:
        while self._due and self._due[0][0] <= self.clock.now_ms():
            _, _, what = heapq.heappop(self._due)
            if isinstance(what, NewOrder):
                try:
                    self._accept(what, what.client_id)
                except OrderRejected:
                    continue  # nobody hears it
            else:
                self.fill(what[0], int(what[1] / MARKET.lot_size))

    def _visible(self) -> list[VenueFill]:
        return [fill for visible_ms, fill in self.trades if visible_ms <= self.clock.now_ms()]

    def _find(
        self, client_id: str, exchange_id: str | None, orders: Mapping[str, VenueOrder] | None = None
    ) -> VenueOrder | None:
        known = self.orders if orders is None else orders
        if exchange_id is not None:
            return known.get(exchange_id)
        return next((order for order in reversed(known.values()) if order.client_id == client_id), None)

    def _balances(self) -> dict[str, Balance]:
        locked = {MARKET.base: Decimal(0), MARKET.quote: Decimal(0)}
        for order in self.orders.values():
            if not order.is_final:
                left = order.quantity - order.filled
                locked[MARKET.quote if order.side > 0 else MARKET.base] += left * (
                    order.price or Decimal(100) if order.side > 0 else Decimal(1)
                )
        return {asset: Balance(total - locked[asset], locked[asset]) for asset, total in self.totals.items()}

    def _remember(self) -> None:
        self._history.append(Snapshot(self.clock.now_ms(), dict(self.orders), self._balances()))

    def _seen_through(self, fault: str) -> Snapshot:
        now = Snapshot(self.clock.now_ms(), dict(self.orders), self._balances())
        if fault != "stale":
            return now
        past_ms = self.clock.now_ms() - int(self.stale_s * 1000)
        older = [snapshot for snapshot in self._history if snapshot.time_ms <= past_ms]
        return older[-1] if older else self._history[0]
