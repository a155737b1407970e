"""Orders coming in: the checks in Binance's order, the work on the book, and the audit of all of it."""

from __future__ import annotations

from collections.abc import Callable

from trading.brokers.exchange_server.announcer import Announcer
from trading.brokers.exchange_server.audit import Accepted, AuditLog, Received
from trading.brokers.exchange_server.book import Order
from trading.brokers.exchange_server.markets import check_filters
from trading.brokers.exchange_server.order_desk import OrderDesk
from trading.brokers.exchange_server.records import (
    ExchangeRefusal,
    OrderRequest,
    OrderSnapshot,
    OrderStatus,
    OrderType,
    PlacedOrder,
    TimeInForce,
)
from trading.brokers.exchange_server.symbol_market import SymbolMarket


class OrderEntry:
    """Takes orders and cancels, each written into the audit.

    Parameters
    ----------
    desk : OrderDesk
        Keeps the orders.
    announcer : Announcer
        Tells of the book.
    audit_log : AuditLog
        Gets every request.
    now : callable
        Market time in milliseconds.
    """

    def __init__(self, desk: OrderDesk, announcer: Announcer, audit_log: AuditLog, now: Callable[[], int]) -> None:
        self._desk = desk
        self._announcer = announcer
        self._audit_log = audit_log
        self._now = now

    def known(self, symbol: str) -> SymbolMarket:
        """Return a market, its halt ended if it is over.

        Raises
        ------
        ExchangeRefusal
            -1121 when there is none.
        """
        market = self._desk.markets.get(symbol)
        if market is None:
            raise ExchangeRefusal(-1121, "Invalid symbol.")
        market.resume_if_due(self._now())
        return market

    def check(self, request: OrderRequest) -> SymbolMarket:
        """Check an order against the filters, and return its market.

        Raises
        ------
        ExchangeRefusal
            -1121 or -1013.
        """
        market = self.known(request.symbol)
        if not market.trading:
            raise ExchangeRefusal(-1013, "Market is closed.")
        check_filters(request, market.rules, market.rules.price(market.last))
        return market

    def place(self, account: str, request: OrderRequest) -> PlacedOrder:
        """Place an order; see `SimulatedExchange.place`."""
        try:
            placed = self._place(account, request)
        except ExchangeRefusal as refusal:
            self.write("place", account, request.symbol, request.client_id, str(refusal.code))
            raise
        self.write("place", account, request.symbol, request.client_id, "accepted")
        return placed

    def cancel(
        self, account: str, symbol: str, order_id: int | None, client_id: str | None, cancel_client_id: str | None
    ) -> OrderSnapshot:
        """Cancel an order; see `SimulatedExchange.cancel`."""
        try:
            order = self._desk.find(account, self.known(symbol).rules.symbol, order_id, client_id)
            if order is None or order.order_id not in self._desk.drawer(account, symbol).open:
                raise unknown_order()
        except ExchangeRefusal as refusal:
            self.write("cancel", account, symbol, client_id or str(order_id), str(refusal.code))
            raise
        self.end(order, cancel_client_id)
        self.write("cancel", account, symbol, order.client_id, "accepted")
        return self._desk.snapshot(order)

    def cancel_all(self, account: str, symbol: str) -> tuple[OrderSnapshot, ...]:
        """Cancel all orders; see `SimulatedExchange.cancel_all`."""
        orders = list(self._desk.drawer(account, self.known(symbol).rules.symbol).open.values())
        self.write("cancel_all", account, symbol, None, "accepted" if orders else "-2011")
        if not orders:
            raise unknown_order()
        for order in orders:
            self.end(order, None)
        return tuple(self._desk.snapshot(order) for order in orders)

    def end(self, order: Order, cancel_client_id: str | None) -> None:
        """Take an order out of the book and cancel it."""
        market = self._desk.markets[order.symbol]
        market.book.remove(order)
        self._desk.end(order, OrderStatus.CANCELED, self._now(), cancel_client_id)
        self._announcer.book(market)

    def write(self, kind: str, account: str, symbol: str, client_id: str | None, outcome: str) -> None:
        """Write a request into the audit."""
        self._audit_log.received.append(Received(kind, account, symbol, client_id, outcome, self._now()))

    def _place(self, name: str, request: OrderRequest) -> PlacedOrder:
        market, drawer = self.check(request), self._desk.drawer(name, request.symbol)
        known = drawer.latest.get(request.client_id or "")
        if known is not None and known.order_id in drawer.open:
            raise ExchangeRefusal(-2010, "Duplicate order sent.")
        if len(drawer.open) >= market.rules.max_orders:
            raise ExchangeRefusal(-1013, "Filter failure: MAX_NUM_ORDERS")
        account, now_ms = self._desk.till.accounts[name], self._now()
        order = self._desk.prepared(account, request)
        self._desk.accept(account, order, now_ms)
        self._audit_log.accepted.append(Accepted(order.order_id, name, request.symbol, order.client_id, now_ms))
        done = len(drawer.executions)
        self._work(market, order, now_ms)
        self._announcer.book(market)
        return PlacedOrder(self._desk.snapshot(order), tuple(drawer.executions[done:]))

    def _work(self, market: SymbolMarket, order: Order, now_ms: int) -> None:
        def expire(maker: Order) -> None:
            market.book.remove(maker)
            self._desk.end(maker, OrderStatus.EXPIRED_IN_MATCH, now_ms)

        if order.time_in_force is not TimeInForce.FOK or _can_fill(market, order):
            market.match(order, now_ms, expire)
        if order.status is OrderStatus.FILLED:
            return
        if order.type is OrderType.MARKET or order.time_in_force is not TimeInForce.GTC:
            self._desk.end(order, OrderStatus.EXPIRED, now_ms)
        else:
            market.book.add(order)


def unknown_order() -> ExchangeRefusal:
    """Return the refusal of a cancel of what is not open."""
    return ExchangeRefusal(-2011, "Unknown order sent.")


def _can_fill(market: SymbolMarket, order: Order) -> bool:
    market.make_quotes()
    there = sum(
        maker.remaining for maker in market.book.opposite(order.side, order.price) if maker.account != order.account
    )
    return there >= order.quantity
