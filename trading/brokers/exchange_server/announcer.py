"""Telling what happens: turns trades, orders, candles and books into events, for those who asked for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from trading.brokers.exchange_server.accounts import Till
from trading.brokers.exchange_server.book import Order
from trading.brokers.exchange_server.book_news import BookNews
from trading.brokers.exchange_server.events import Listeners
from trading.brokers.exchange_server.kline_watch import KlineWatch, Watched
from trading.brokers.exchange_server.order_desk import OrderDesk
from trading.brokers.exchange_server.records import (
    AssetBalance,
    BalancesChanged,
    BookChanged,
    Depth,
    Execution,
    Kline,
    KlineChanged,
    MarketTrade,
    MoneyMoved,
    OrderChange,
    OrderUpdated,
    TradeMade,
    Transfer,
)
from trading.brokers.exchange_server.symbol_market import SymbolMarket, Trade


class Announcer:
    """The news of one exchange.

    Parameters
    ----------
    listeners : Listeners
        Who asked for what.
    till : Till
        Gives balances.
    now : callable
        Market time in milliseconds.
    """

    def __init__(self, listeners: Listeners, till: Till, now: Callable[[], int]) -> None:
        self._listeners = listeners
        self._till = till
        self._now = now
        self._desk: OrderDesk | None = None
        self._watch: dict[str, KlineWatch] = {}
        self._books: dict[str, BookNews] = {}

    def attach(self, desk: OrderDesk, timeframe: str) -> None:
        """Take up the markets of a desk; nothing before it is told.

        Parameters
        ----------
        desk : OrderDesk
            With all markets.
        timeframe : str
            Of the shortest klines.
        """
        markets: Mapping[str, SymbolMarket] = desk.markets
        self._desk = desk
        self._watch = {symbol: KlineWatch(market.series, timeframe) for symbol, market in markets.items()}
        self._books = {symbol: BookNews(market) for symbol, market in markets.items()}

    def watch(self, symbol: str, timeframe: str) -> None:
        """Tell of the candles of one more timeframe."""
        self._watch[symbol].add(timeframe)

    def balances(self, account: str, assets: Iterable[str]) -> tuple[AssetBalance, ...]:
        """Return an account's balances of some assets."""
        owner, amount = self._till.accounts[account], self._till.amount
        return tuple(
            AssetBalance(asset, amount(asset, owner.balance(asset).free), amount(asset, owner.balance(asset).held))
            for asset in assets
        )

    def order(
        self, change: OrderChange, order: Order, execution: Execution | None, cancel_client_id: str | None
    ) -> None:
        """Tell that an order changed, and what its account has now."""
        if self._desk is None:
            return
        if self._listeners.wants(OrderUpdated):
            snapshot = self._desk.snapshot(order)
            self._listeners.tell(
                OrderUpdated,
                lambda number: OrderUpdated(number, self._now(), change, snapshot, execution, cancel_client_id),
            )
        rules = self._desk.markets[order.symbol].rules
        self._balances_changed(order.account, (rules.base, rules.quote))

    def money(self, transfer: Transfer) -> None:
        """Tell of a deposit or a withdrawal, and what the account has now."""
        self._listeners.tell(MoneyMoved, lambda number: MoneyMoved(number, self._now(), transfer))
        self._balances_changed(transfer.account, (transfer.asset,))

    def trade(self, market: SymbolMarket, trade: Trade) -> None:
        """Tell of a trade, and of the candles that it changed."""
        if self._listeners.wants(TradeMade):
            public = public_trade(trade, market)
            self._listeners.tell(TradeMade, lambda number: TradeMade(number, trade.time_ms, public))
        if self._listeners.wants(KlineChanged):
            self._klines(market, self._watch[market.rules.symbol].open_candles(), trade.time_ms)

    def close_candle(self, market: SymbolMarket) -> None:
        """Close a market's candle and tell of all that end with it."""
        end_ms = market.series.end_ms
        closed = self._watch[market.rules.symbol].closed_candles(market.close_candle())
        if self._listeners.wants(KlineChanged):
            self._klines(market, closed, end_ms)

    def book(self, market: SymbolMarket) -> None:
        """Tell what changed in a book since it was last told."""
        if self._listeners.wants(BookChanged):
            self._refresh(market)

    def depth(self, market: SymbolMarket, limit: int) -> Depth:
        """Return a book, told before if it has changed, so that its id fits the changes."""
        self._refresh(market)
        return self._books[market.rules.symbol].depth(limit)

    def _refresh(self, market: SymbolMarket) -> None:
        news = self._books[market.rules.symbol]
        first_id = news.update_id + 1
        bids, asks = news.refresh()
        if not bids and not asks:
            return
        top = news.depth(1)
        best_bid, best_ask = (half[0] if half else None for half in (top.bids, top.asks))
        symbol, last_id = market.rules.symbol, news.update_id
        self._listeners.tell(
            BookChanged,
            lambda number: BookChanged(number, self._now(), symbol, first_id, last_id, bids, asks, best_bid, best_ask),
        )

    def _balances_changed(self, account: str, assets: Sequence[str]) -> None:
        self._listeners.tell(
            BalancesChanged,
            lambda number: BalancesChanged(number, self._now(), account, self.balances(account, assets)),
        )

    def _klines(self, market: SymbolMarket, candles: Sequence[Watched], time_ms: int) -> None:
        for one in candles:
            kline = market.series.kline(one.bar, one.step_ms)
            self._listeners.tell(KlineChanged, partial(_kline_event, time_ms, market.rules.symbol, kline, one))


def _kline_event(time_ms: int, symbol: str, kline: Kline, one: Watched, number: int) -> KlineChanged:
    return KlineChanged(number, time_ms, symbol, one.timeframe, kline, one.closed)


def public_trade(trade: Trade, market: SymbolMarket) -> MarketTrade:
    """Return a trade as the world may see it."""
    rules = market.rules
    price, quantity = rules.price(trade.price), rules.quantity(trade.lots)
    return MarketTrade(
        trade.trade_id, rules.symbol, price, quantity, price * quantity, trade.time_ms, trade.buyer_is_maker
    )
