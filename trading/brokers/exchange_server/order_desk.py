"""The orders of all accounts: accepting, holding money, booking trades, cancelling, and looking up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from trading.brokers.exchange_server.accounts import Account, Till, fee_units
from trading.brokers.exchange_server.book import BUYS, SELLS, Order
from trading.brokers.exchange_server.config import FeeAsset
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.records import (
    ExchangeRefusal,
    Execution,
    OrderChange,
    OrderRequest,
    OrderSnapshot,
    OrderStatus,
    OrderType,
    Side,
)
from trading.brokers.exchange_server.symbol_market import SymbolMarket, Trade

OrderListener = Callable[[OrderChange, Order, "Execution | None", "str | None"], None]

_SIDES = {Side.BUY: BUYS, Side.SELL: SELLS}
_NAMES = {BUYS: Side.BUY, SELLS: Side.SELL}


def no_funds() -> ExchangeRefusal:
    """Return the refusal of what cannot be paid for."""
    return ExchangeRefusal(-2010, "Account has insufficient balance for requested action.")


@dataclass(frozen=True, slots=True)
class Fees:
    """What trading costs.

    Parameters
    ----------
    maker_ppm, taker_ppm : int
        Parts per million.
    asset : FeeAsset
        What it is taken from.
    """

    maker_ppm: int
    taker_ppm: int
    asset: FeeAsset


@dataclass(slots=True)
class Drawer:
    """The orders and executions of one account in one symbol."""

    orders: dict[int, Order] = field(default_factory=dict)
    open: dict[int, Order] = field(default_factory=dict)
    latest: dict[str, Order] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)


class OrderDesk:
    """Orders and the money behind them.

    Parameters
    ----------
    till : Till
        All money.
    fees : dict of str to Fees
        By symbol.
    listener : callable
        Told of every change of an order.
    """

    def __init__(self, till: Till, fees: dict[str, Fees], listener: OrderListener) -> None:
        self.till = till
        self.fees = fees
        self.markets: dict[str, SymbolMarket] = {}
        self._drawers: dict[tuple[str, str], Drawer] = {}
        self._listener = listener
        self._order_id = 0

    def drawer(self, account: str, symbol: str) -> Drawer:
        """Return the orders of an account in a symbol."""
        key = (account, symbol)
        if key not in self._drawers:
            self._drawers[key] = Drawer()
        return self._drawers[key]

    def drawers(self, account: str) -> Iterable[Drawer]:
        """Return an account's orders, symbol by symbol in the order of the markets."""
        return [self.drawer(account, symbol) for symbol in self.markets]

    def prepared(self, account: Account, request: OrderRequest) -> Order:
        """Return a request as an order that the account can pay for, or refuse it; nothing is changed.

        Parameters
        ----------
        account : Account
            Who asks.
        request : OrderRequest
            Checked against the filters.

        Raises
        ------
        ExchangeRefusal
            When it would trade at once though it must not, or the money is not there.
        """
        market = self.markets[request.symbol]
        rules, side = market.rules, _SIDES[request.side]
        order = Order(
            order_id=0,
            account=account.name,
            side=side,
            price=0 if request.price is None else rules.ticks(request.price),
            quantity=0 if request.quantity is None else rules.lots(request.quantity),
            symbol=request.symbol,
            client_id=request.client_id or "",
            type=request.type,
            time_in_force=request.time_in_force,
        )
        if request.quote_quantity is not None:
            order.quote_units = self.till.units(rules.quote, request.quote_quantity)
        market.make_quotes()
        if order.type is OrderType.LIMIT_MAKER and market.book.crosses(side, order.price):
            raise ExchangeRefusal(-2010, "Order would immediately match and take.")
        order.held = self._first_hold(market, order)
        asset = rules.quote if side == BUYS else rules.base
        if order.held > account.balance(asset).free:
            raise no_funds()
        return order

    def accept(self, account: Account, order: Order, time_ms: int) -> None:
        """Give an order its id and lock its money."""
        self._order_id += 1
        order.order_id = self._order_id
        order.client_id = order.client_id or f"exchange-{self._order_id}"
        order.created_ms = order.updated_ms = time_ms
        account.hold(self._paid_with(order), order.held)
        drawer = self.drawer(account.name, order.symbol)
        drawer.orders[order.order_id] = drawer.open[order.order_id] = order
        drawer.latest[order.client_id] = order
        self._listener(OrderChange.NEW, order, None, None)

    def settle(self, maker: Order, taker: Order, trade: Trade) -> None:
        """Book a trade for the accounts in it, and against the flow where one side is the flow's."""
        for order, is_maker in ((maker, True), (taker, False)):
            if order.account:
                self._book(order, trade, is_maker=is_maker)
        if not maker.account or not taker.account:
            rules = self.markets[(maker if maker.account else taker).symbol].rules
            flow_side = taker.side if maker.account else maker.side
            self.till.add_flow(rules.base, flow_side * trade.lots * self._base_units(rules))
            self.till.add_flow(rules.quote, -flow_side * self._value(rules, trade))

    def end(self, order: Order, status: OrderStatus, time_ms: int, cancel_client_id: str | None = None) -> None:
        """End an order that is open and is in no book: give back what it holds and tell."""
        self._release(order, status, time_ms)
        change = {OrderStatus.CANCELED: OrderChange.CANCELED, OrderStatus.EXPIRED: OrderChange.EXPIRED}.get(
            status, OrderChange.TRADE_PREVENTION
        )
        self._listener(change, order, None, cancel_client_id)

    def find(self, account: str, symbol: str, order_id: int | None, client_id: str | None) -> Order | None:
        """Return an order by the exchange's id or the client's, of several of one client id the latest, or None."""
        drawer = self.drawer(account, symbol)
        if order_id is None:
            order = drawer.latest.get(client_id or "")
        else:
            order = drawer.orders.get(order_id)
            if client_id is not None and order is not None and order.client_id != client_id:
                order = None
        return order

    def snapshot(self, order: Order) -> OrderSnapshot:
        """Return an order as the world may see it."""
        rules = self.markets[order.symbol].rules
        quote = rules.quote
        return OrderSnapshot(
            order.order_id,
            order.client_id,
            order.account,
            order.symbol,
            _NAMES[order.side],
            order.type,
            order.time_in_force,
            order.status,
            rules.price(order.price) if order.price else None,
            rules.quantity(order.quantity),
            rules.quantity(order.filled),
            self.till.amount(quote, order.quote_units) if order.quote_units else None,
            self.till.amount(quote, order.quote_filled),
            order.created_ms,
            order.updated_ms,
        )

    def _paid_with(self, order: Order) -> str:
        rules = self.markets[order.symbol].rules
        return rules.quote if order.side == BUYS else rules.base

    def _base_units(self, rules: MarketRules) -> int:
        return self.till.units(rules.base, rules.lot_size)

    def _value(self, rules: MarketRules, trade: Trade) -> int:
        return trade.price * trade.lots * self.markets[rules.symbol].quote_units

    def _first_hold(self, market: SymbolMarket, order: Order) -> int:
        if order.price:
            return self._limit_hold(market, order)
        lots = value = 0
        for maker in market.book.opposite(order.side, 0):
            if maker.account == order.account:
                continue
            price_units = maker.price * market.quote_units
            wanted = order.quantity - lots
            if order.quote_units:
                wanted = (order.quote_units - value) // price_units
            take = min(maker.remaining, wanted)
            if take <= 0:
                break
            lots, value = lots + take, value + take * price_units
        if order.side == SELLS:
            return lots * self._base_units(market.rules)
        return value + self._fee_on_top(order, value)

    def _limit_hold(self, market: SymbolMarket, order: Order) -> int:
        if order.side == SELLS:
            return order.remaining * self._base_units(market.rules)
        value = order.price * order.remaining * market.quote_units
        return value + self._fee_on_top(order, value)

    def _fee_on_top(self, order: Order, value: int) -> int:
        fees = self.fees[order.symbol]
        if fees.asset is FeeAsset.RECEIVED:
            return 0
        return -fee_units(-value, max(fees.maker_ppm, fees.taker_ppm))

    def _book(self, order: Order, trade: Trade, *, is_maker: bool) -> None:
        rules, account = self.markets[order.symbol].rules, self.till.accounts[order.account]
        value, base = self._value(rules, trade), trade.lots * self._base_units(rules)
        fees = self.fees[order.symbol]
        ppm = fees.maker_ppm if is_maker else fees.taker_ppm
        fee_asset = rules.base if order.side == BUYS and fees.asset is FeeAsset.RECEIVED else rules.quote
        fee = fee_units(base if fee_asset == rules.base else value, ppm)
        if order.side == BUYS:
            cost = value + (fee if fee_asset == rules.quote else 0)
            self._pay(order, account, cost)
            account.receive(rules.base, base - (fee if fee_asset == rules.base else 0))
        else:
            self._pay(order, account, base)
            account.receive(rules.quote, value - fee)
        self.till.add_fee(fee_asset, fee)
        order.updated_ms = trade.time_ms
        order.status = self._status_after(order, trade)
        execution = self._execution(order, trade, fee_asset, fee, is_maker=is_maker)
        drawer = self.drawer(order.account, order.symbol)
        drawer.executions.append(execution)
        if order.status is OrderStatus.FILLED:
            self._release(order, OrderStatus.FILLED, trade.time_ms)
        self._listener(OrderChange.TRADE, order, execution, None)

    def _status_after(self, order: Order, trade: Trade) -> OrderStatus:
        if order.quote_units:
            order.quantity = order.filled
            whole = order.quote_units - order.quote_filled < trade.price * self.markets[order.symbol].quote_units
        else:
            whole = order.remaining == 0
        return OrderStatus.FILLED if whole else OrderStatus.PARTIALLY_FILLED

    def _pay(self, order: Order, account: Account, units: int) -> None:
        market = self.markets[order.symbol]
        asset = self._paid_with(order)
        account.pay(asset, units)
        left = self._limit_hold(market, order) if order.price else order.held - units
        account.release(asset, order.held - units - left)
        order.held = left

    def _release(self, order: Order, status: OrderStatus, time_ms: int) -> None:
        self.till.accounts[order.account].release(self._paid_with(order), order.held)
        order.held, order.status, order.updated_ms = 0, status, time_ms
        self.drawer(order.account, order.symbol).open.pop(order.order_id, None)

    def _execution(self, order: Order, trade: Trade, fee_asset: str, fee: int, *, is_maker: bool) -> Execution:
        rules = self.markets[order.symbol].rules
        return Execution(
            trade.trade_id,
            order.order_id,
            order.client_id,
            order.account,
            order.symbol,
            _NAMES[order.side],
            rules.price(trade.price),
            rules.quantity(trade.lots),
            self.till.amount(rules.quote, self._value(rules, trade)),
            self.till.amount(fee_asset, fee),
            fee_asset,
            trade.time_ms,
            is_maker,
        )
