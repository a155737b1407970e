"""``SimulatedExchange``: a whole spot exchange without I/O, moved by its caller's market time.

It matches orders of accounts against a deterministic order flow by price-time priority. It differs from a real
exchange in what docs/exchange.md lists; the most important: the flow's makers quote anew at each of the flow's steps,
so they stand behind orders of accounts that rested before, and the flow has money without limit.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from operator import attrgetter

from trading.brokers.exchange_server.accounts import Account, Till
from trading.brokers.exchange_server.announcer import Announcer
from trading.brokers.exchange_server.audit import Accepted, AuditLog, Received
from trading.brokers.exchange_server.book import Order
from trading.brokers.exchange_server.config import ExchangeConfig, FlowKind
from trading.brokers.exchange_server.construction import MarketPlan, make_market, plan_exchange
from trading.brokers.exchange_server.events import Listener, Listeners
from trading.brokers.exchange_server.market_views import day_ticker, trades_between
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.order_desk import Fees, OrderDesk, no_funds
from trading.brokers.exchange_server.order_entry import OrderEntry
from trading.brokers.exchange_server.records import (
    AssetBalance,
    BalancesChanged,
    BookChanged,
    DayTicker,
    Depth,
    Event,
    ExchangeRefusal,
    Execution,
    Kline,
    KlineChanged,
    MarketTrade,
    MoneyMoved,
    OrderRequest,
    OrderSnapshot,
    OrderUpdated,
    PlacedOrder,
    ReplacedOrder,
    ReplaceMode,
    TradeMade,
    Transfer,
)
from trading.brokers.exchange_server.symbol_market import SymbolMarket, Trade
from trading.market.candles import Candles
from trading.market.timeframes import is_timeframe, timeframe_ms

_EVENTS = (OrderUpdated, BalancesChanged, MoneyMoved, TradeMade, KlineChanged, BookChanged)


class SimulatedExchange:
    """An exchange whose market time is moved from outside.

    Parameters
    ----------
    config : ExchangeConfig
        Markets, accounts, flow.
    candles : sequence of Candles
        Replayed for their symbols, which need not stand in the config then; all of one timeframe. The first
        ``config.history`` of each are history, and market time starts where the first of the others opens.

    Raises
    ------
    DataError
        When candles are too few.
    UsageError
        When symbols, timeframes or starts do not fit together.
    """

    def __init__(self, config: ExchangeConfig, candles: Sequence[Candles] = ()) -> None:
        self.config = config
        plan = plan_exchange(config, candles)
        self.symbols = tuple(plan.markets)
        self.timeframe = plan.timeframe
        self.audit_log = AuditLog()
        self._listeners = Listeners()
        self._transfers: list[Transfer] = []
        self._till = Till(plan.decimals())
        self._announcer = Announcer(self._listeners, self._till, lambda: self._now_ms)
        fees = {name: one.fees for name, one in plan.markets.items()}
        self._desk = OrderDesk(self._till, fees, self._announcer.order)
        self._markets = self._desk.markets
        for symbol, one in plan.markets.items():
            self._markets[symbol] = self._made(one, plan.start_ms)
        self._announcer.attach(self._desk, self.timeframe)
        self._entry = OrderEntry(self._desk, self._announcer, self.audit_log, lambda: self._now_ms)
        self._known = self._entry.known
        self._ids = {
            name: rules.symbol
            for rules in (market.rules for market in self._markets.values())
            for name in (rules.id, rules.product_id)
        }
        self._now_ms = plan.start_ms
        self._open_accounts()
        self.advance_to(plan.now_ms)

    @property
    def now_ms(self) -> int:
        """Market time, milliseconds UTC."""
        return self._now_ms

    @property
    def ended(self) -> bool:
        """Whether no flow is left: every replay is over."""
        return self.config.flow is not FlowKind.STILL and all(
            market.flow.ended and not market.steps for market in self._markets.values()
        )

    @property
    def fees(self) -> Mapping[str, Fees]:
        """Fees by symbol."""
        return self._desk.fees

    @property
    def accounts(self) -> Mapping[str, Account]:
        """Accounts by name."""
        return self._till.accounts

    def advance_to(self, now_ms: int) -> None:
        """Let everything happen up to a market time, in time order; earlier times change nothing.

        Parameters
        ----------
        now_ms : int
            Milliseconds UTC.
        """
        markets = list(self._markets.values())
        while True:
            market = markets[0] if len(markets) == 1 else min(markets, key=_next_of)
            at_ms = market.next_ms
            if at_ms > now_ms:
                break
            self._now_ms = max(self._now_ms, at_ms)
            if market.next_is_close:
                self._announcer.close_candle(market)
            else:
                market.run_step()
            self._announcer.book(market)
        self._now_ms = max(self._now_ms, now_ms)

    def on_event(self, listener: Listener, kinds: Sequence[type[Event]] = ()) -> Callable[[], None]:
        """Subscribe to events; only what somebody asked for is made, and the book's changes cost the most.

        Parameters
        ----------
        listener : callable
            Called with each event, at once; it must not raise.
        kinds : sequence of type
            Wanted events; none means all.

        Returns
        -------
        callable
            Ends the subscription.
        """
        return self._listeners.add(listener, tuple(kinds) or _EVENTS)

    def watch_klines(self, symbol: str, timeframe: str) -> None:
        """Tell of the candles of one more timeframe from now on; the shortest one is always told.

        Raises
        ------
        ExchangeRefusal
            -1120 when the timeframe is none of this exchange's.
        """
        self._check_timeframe(timeframe)
        self._announcer.watch(symbol, timeframe)

    def market(self, symbol: str) -> MarketRules:
        """Return a symbol's filters.

        Raises
        ------
        ExchangeRefusal
            -1121 when there is no such symbol.
        """
        return self._known(symbol).rules

    def find(self, market_id: str) -> str | None:
        """Return the symbol that a venue's id (``BTCUSDT``, ``BTC-USDT``) names, or None."""
        return self._ids.get(market_id)

    def is_trading(self, symbol: str) -> bool:
        """Return whether a symbol trades; a delisted one does not."""
        return self._known(symbol).trading

    def account_of(self, api_key: str) -> Account | None:
        """Return the account that a key belongs to, or None."""
        return next((account for account in self._till.accounts.values() if account.api_key == api_key), None)

    def place(self, account: str, request: OrderRequest) -> PlacedOrder:
        """Place an order.

        Parameters
        ----------
        account : str
            Name of the account.
        request : OrderRequest
            The order.

        Raises
        ------
        ExchangeRefusal
            With Binance's code and text.
        """
        return self._entry.place(account, request)

    def check(self, request: OrderRequest) -> None:
        """Check an order against the filters without placing it.

        Raises
        ------
        ExchangeRefusal
            With Binance's code and text.
        """
        self._entry.check(request)

    def refuse_funds(self, account: str, request: OrderRequest) -> ExchangeRefusal:
        """Return the refusal for want of funds, written into the audit; what the fault of that name uses."""
        self._entry.write("place", account, request.symbol, request.client_id, "-2010")
        return no_funds()

    def cancel(
        self,
        account: str,
        symbol: str,
        order_id: int | None = None,
        client_id: str | None = None,
        cancel_client_id: str | None = None,
    ) -> OrderSnapshot:
        """Cancel an open order.

        Parameters
        ----------
        account, symbol : str
            Whose, and ``BASE/QUOTE``.
        order_id : int, optional
            The exchange's id.
        client_id : str, optional
            The client's; one of the two.
        cancel_client_id : str, optional
            The request's own id.

        Raises
        ------
        ExchangeRefusal
            -2011 when there is no such open order.
        """
        return self._entry.cancel(account, symbol, order_id, client_id, cancel_client_id)

    def cancel_all(self, account: str, symbol: str) -> tuple[OrderSnapshot, ...]:
        """Cancel all open orders of an account in a symbol.

        Raises
        ------
        ExchangeRefusal
            -2011 when there is none.
        """
        return self._entry.cancel_all(account, symbol)

    def cancel_replace(
        self,
        account: str,
        symbol: str,
        order_id: int | None,
        client_id: str | None,
        request: OrderRequest,
        mode: ReplaceMode = ReplaceMode.STOP_ON_FAILURE,
    ) -> ReplacedOrder:
        """Cancel an order and place another in one request.

        Parameters
        ----------
        account, symbol : str
            Whose, and ``BASE/QUOTE``.
        order_id, client_id : int and str, optional
            Of the order to cancel.
        request : OrderRequest
            The new order.
        mode : ReplaceMode
            Whether it is placed when the cancel fails.
        """
        cancelled: OrderSnapshot | ExchangeRefusal
        try:
            cancelled = self.cancel(account, symbol, order_id, client_id)
        except ExchangeRefusal as refusal:
            cancelled = refusal
            if mode is ReplaceMode.STOP_ON_FAILURE:
                return ReplacedOrder(cancelled, None)
        try:
            return ReplacedOrder(cancelled, self.place(account, request))
        except ExchangeRefusal as refusal:
            return ReplacedOrder(cancelled, refusal)

    def order(
        self, account: str, symbol: str, order_id: int | None = None, client_id: str | None = None
    ) -> OrderSnapshot:
        """Return an order, open or not.

        Raises
        ------
        ExchangeRefusal
            -2013 when there is none.
        """
        found = self._desk.find(account, self._known(symbol).rules.symbol, order_id, client_id)
        if found is None:
            raise ExchangeRefusal(-2013, "Order does not exist.")
        return self._desk.snapshot(found)

    def open_orders(self, account: str, symbol: str | None = None) -> tuple[OrderSnapshot, ...]:
        """Return the open orders of an account, of all symbols when none is named."""
        drawers = self._desk.drawers(account) if symbol is None else [self._desk.drawer(account, symbol)]
        return tuple(self._desk.snapshot(order) for drawer in drawers for order in drawer.open.values())

    def all_orders(
        self,
        account: str,
        symbol: str,
        order_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> tuple[OrderSnapshot, ...]:
        """Return orders of an account in a symbol, oldest first.

        Parameters
        ----------
        account, symbol : str
            Whose, and ``BASE/QUOTE``.
        order_id : int, optional
            Those of this id and higher.
        start_ms, end_ms : int, optional
            Those that came in between, both included.
        limit : int
            Without an id or a start the newest so many, else the oldest.
        """
        found = [
            order
            for order in self._desk.drawer(account, self._known(symbol).rules.symbol).orders.values()
            if (order_id is None or order.order_id >= order_id)
            and (start_ms is None or order.created_ms >= start_ms)
            and (end_ms is None or order.created_ms <= end_ms)
        ]
        page = found[-limit:] if order_id is None and start_ms is None else found[:limit]
        return tuple(self._desk.snapshot(order) for order in page)

    def my_trades(
        self,
        account: str,
        symbol: str,
        order_id: int | None = None,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> tuple[Execution, ...]:
        """Return executions of an account in a symbol, oldest first.

        Parameters
        ----------
        account, symbol : str
            Whose, and ``BASE/QUOTE``.
        order_id : int, optional
            Those of one order.
        from_id : int, optional
            Those of this trade id and higher.
        start_ms, end_ms : int, optional
            Those in between, both included.
        limit : int
            Without an id or a start the newest so many, else the oldest.
        """
        executions = self._desk.drawer(account, self._known(symbol).rules.symbol).executions
        # both times and ids only grow, so that what is asked for of a long list is found without reading it
        first = max(
            0 if from_id is None else bisect_left(executions, from_id, key=attrgetter("trade_id")),
            0 if start_ms is None else bisect_left(executions, start_ms, key=attrgetter("time_ms")),
        )
        last = len(executions) if end_ms is None else bisect_right(executions, end_ms, key=attrgetter("time_ms"))
        found = [one for one in executions[first:last] if order_id is None or one.order_id == order_id]
        return tuple(found[-limit:] if from_id is None and start_ms is None else found[:limit])

    def balances(self, account: str) -> tuple[AssetBalance, ...]:
        """Return all balances of an account, assets of its markets first."""
        owner = self._till.accounts[account]
        return self._announcer.balances(account, dict.fromkeys([*self._till.decimals, *owner.balances]))

    def transfers(self, account: str) -> tuple[Transfer, ...]:
        """Return an account's deposits and withdrawals, oldest first, those of its opening left out."""
        return tuple(one for one in self._transfers if one.account == account)

    def deposit(self, account: str, asset: str, amount: Decimal) -> Transfer:
        """Bring money in; a negative amount takes it out.

        Raises
        ------
        ExchangeRefusal
            -2010 when there is not so much to take out.
        """
        owner, units = self._till.accounts[account], self._till.units(asset, amount)
        if owner.balance(asset).free + units < 0:
            raise no_funds()
        self._till.deposit(owner, asset, units)
        moved = Transfer(len(self._transfers) + 1, account, asset, self._till.amount(asset, units), self._now_ms)
        self._transfers.append(moved)
        self._announcer.money(moved)
        return moved

    def klines(
        self,
        symbol: str,
        timeframe: str,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> tuple[Kline, ...]:
        """Return candles, oldest first, the open one among them.

        Parameters
        ----------
        symbol, timeframe : str
            ``BASE/QUOTE``, and a multiple of the shortest timeframe.
        start_ms, end_ms : int, optional
            Open times, both included. With a start the oldest ``limit`` of them, else the newest.
        limit : int
            How many at most.

        Raises
        ------
        ExchangeRefusal
            -1120 when the timeframe cannot be made.
        """
        series = self._known(symbol).series
        self._check_timeframe(timeframe)
        step = timeframe_ms(timeframe)
        return tuple(series.kline(bar, step) for bar in series.bars(timeframe, start_ms, end_ms, limit))

    def recent_trades(self, symbol: str, limit: int = 500) -> tuple[MarketTrade, ...]:
        """Return the latest trades, oldest first."""
        return trades_between(self._known(symbol), None, None, None, limit)

    def trades_between(
        self,
        symbol: str,
        from_id: int | None = None,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> tuple[MarketTrade, ...]:
        """Return trades from an id or a time on, oldest first, as far back as they are kept."""
        return trades_between(self._known(symbol), from_id, start_ms, end_ms, limit)

    def depth(self, symbol: str, limit: int = 100) -> Depth:
        """Return the book, best levels first."""
        return self._announcer.depth(self._known(symbol), limit)

    def last_price(self, symbol: str) -> Decimal:
        """Return the price of the latest trade."""
        market = self._known(symbol)
        return market.rules.price(market.last)

    def day_ticker(self, symbol: str) -> DayTicker:
        """Return the last 24 hours of a symbol."""
        return day_ticker(self._known(symbol), self._now_ms)

    def push_price(self, symbol: str, price: Decimal, volume: Decimal | None = None) -> Decimal:
        """Bring the price somewhere now; the flow goes on from there.

        Parameters
        ----------
        symbol : str
            ``BASE/QUOTE``.
        price : Decimal
            Rounded down to a tick.
        volume : Decimal, optional
            Base currency that trades on the way, so that it may end before; None fills all that rests on the way.

        Returns
        -------
        Decimal
            Where it ended.
        """
        market = self._known(symbol)
        lots = None if volume is None else max(1, market.rules.lots(volume))
        market.push(self._now_ms, max(1, market.rules.ticks(price)), lots)
        self._announcer.book(market)
        return market.rules.price(market.last)

    def delist(self, symbol: str, seconds: int = 0) -> None:
        """Stop the trading of a symbol and cancel its open orders.

        Parameters
        ----------
        symbol : str
            ``BASE/QUOTE``.
        seconds : int
            After so much market time it trades again; 0 is for good.
        """
        market = self._known(symbol)
        market.halt(self._now_ms + seconds * 1_000 if seconds else None)
        for account in self._till.accounts:
            for order in list(self._desk.drawer(account, symbol).open.values()):
                self._entry.end(order, None)
        self._announcer.book(market)

    def check_conservation(self) -> None:
        """Check that accounts, flow and fees add up to the deposits, asset by asset.

        Raises
        ------
        StateCorrupt
            When they do not.
        """
        self._till.check()

    def audit(self) -> dict[str, object]:
        """Return all that a test asks afterwards as plain data: the same seed and requests give the same bytes."""
        self._till.check()
        log = self.audit_log
        return {
            "now_ms": self._now_ms,
            "accepted": [_plain(one) for one in log.accepted],
            "received": [_plain(one) for one in log.received],
            "repeated_client_ids": log.repeated_client_ids(),
            "orders": [_plain(self._desk.snapshot(order)) for order in self._all_orders()],
            "executions": [
                _plain(one)
                for account in self._till.accounts
                for drawer in self._desk.drawers(account)
                for one in drawer.executions
            ],
            "balances": {
                account: {one.asset: [str(one.free), str(one.locked)] for one in self.balances(account)}
                for account in self._till.accounts
            },
            "fees": {asset: str(self._till.amount(asset, units)) for asset, units in self._till.fees.items()},
            "flow": {asset: str(self._till.amount(asset, units)) for asset, units in self._till.flow.items()},
            "deposited": {asset: str(self._till.amount(asset, units)) for asset, units in self._till.deposited.items()},
            "transfers": [_plain(one) for one in self._transfers],
            "last_prices": {symbol: str(self.last_price(symbol)) for symbol in self.symbols},
        }

    def _check_timeframe(self, timeframe: str) -> None:
        shortest = timeframe_ms(self.timeframe)
        if not is_timeframe(timeframe) or timeframe_ms(timeframe) % shortest:
            raise ExchangeRefusal(-1120, "Invalid interval.")

    def _made(self, plan: MarketPlan, start_ms: int) -> SymbolMarket:
        units = self._till.units(plan.rules.quote, plan.rules.tick_size * plan.rules.lot_size)

        def on_trade(trade: Trade) -> None:
            self._announcer.trade(market, trade)

        market = make_market(self.config, plan, start_ms, units, self._desk.settle, on_trade)
        return market

    def _open_accounts(self) -> None:
        for opened in self.config.accounts:
            account = Account(opened.name, opened.api_key, opened.secret, opened.can_withdraw)
            self._till.accounts[account.name] = account
            for asset, amount in opened.balances.items():
                self._till.deposit(account, asset, self._till.units(asset, amount))

    def _all_orders(self) -> list[Order]:
        orders = [
            order
            for account in self._till.accounts
            for drawer in self._desk.drawers(account)
            for order in drawer.orders.values()
        ]
        return sorted(orders, key=lambda order: order.order_id)


def _next_of(market: SymbolMarket) -> int:
    return market.next_ms


def _plain(record: Accepted | Received | OrderSnapshot | Execution | Transfer) -> dict[str, object]:
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in asdict(record).items()}
