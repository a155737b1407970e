"""One symbol at work: its book, the flow's quotes in it, its trades and candles, and the matching of orders."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from trading.brokers.exchange_server.book import BUYS, SELLS, Book, Order
from trading.brokers.exchange_server.candle_series import Bar, CandleSeries
from trading.brokers.exchange_server.flow import Flow, Step
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.records import OrderStatus


class Trade(NamedTuple):
    """A public trade in ticks and lots."""

    trade_id: int
    time_ms: int
    price: int
    lots: int
    buyer_is_maker: bool


class QuoteShape(NamedTuple):
    """How the flow quotes.

    Parameters
    ----------
    levels : int
        On each side.
    spread : float
        Between best bid and best ask, share of the price.
    lots : int
        Typical size at a level.
    seed : str
        Of the sizes.
    """

    levels: int
    spread: float
    lots: int
    seed: str


Settle = Callable[[Order, Order, Trade], None]
"""Called for each trade with maker, taker and the trade, after both are filled."""

TradeListener = Callable[[Trade], None]


class SymbolMarket:
    """The trading of one symbol.

    The flow's quotes stand around the last price; they are withdrawn and made anew at each of its steps, and come into
    being only when somebody looks at the book, which changes nothing that can be seen.

    Parameters
    ----------
    rules : MarketRules
        The symbol's.
    series : CandleSeries
        Its candles.
    flow : Flow
        What moves it.
    shape : QuoteShape
        The flow's quotes.
    settle : callable
        Books a trade of an account.
    on_trade : callable
        Told of every trade.
    keep_trades : int
        Newest trades that stay known.
    """

    def __init__(
        self,
        rules: MarketRules,
        series: CandleSeries,
        flow: Flow,
        shape: QuoteShape,
        settle: Settle,
        on_trade: TradeListener,
        keep_trades: int,
    ) -> None:
        self.rules = rules
        self.series = series
        self.flow = flow
        self.book = Book()
        self.trades: deque[Trade] = deque(maxlen=keep_trades)
        self.last = series.last_price
        self.trading = True
        self._resumes_ms: int | None = None
        self.steps: deque[Step] = deque(flow.steps(series.open_ms))
        self._shape = shape
        self._settle = settle
        self._on_trade = on_trade
        self._trade_id = 0
        self._quotes: list[Order] | None = None
        self._requotes = 0
        self._push = 1.0
        self._path_price = self.last

    @property
    def next_ms(self) -> int:
        """When something happens next: a step of the flow, or the end of the candle."""
        return min(self.steps[0].time_ms, self.series.end_ms) if self.steps else self.series.end_ms

    @property
    def next_is_close(self) -> bool:
        """Whether the candle's end comes before any further step."""
        return not self.steps or self.steps[0].time_ms >= self.series.end_ms

    def close_candle(self) -> Bar:
        """Close the candle and take up the steps of the next."""
        bar = self.series.close_candle()
        self.withdraw_quotes()
        self.steps.extend(self.flow.steps(self.series.open_ms))
        return bar

    def run_step(self) -> None:
        """Do what the flow does next."""
        step = self.steps.popleft()
        self.resume_if_due(step.time_ms)
        if not self.trading:
            return
        self._path_price = step.price
        if self._push != 1.0:
            step = replace(step, price=max(1, round(step.price * self._push)))
        if self.visit(step):
            return
        # The market passes through an order only when it has filled it; it comes back for the rest a little later.
        middle = (step.time_ms + self.next_ms) // 2
        self.steps.appendleft(Step(middle, self._path_price, max(1, step.lots // 2), step.buys, through=True))

    def halt(self, resumes_ms: int | None) -> None:
        """Stop trading until a market time; None is for good. The caller cancels the orders."""
        self.withdraw_quotes()
        self.trading, self._resumes_ms = False, resumes_ms

    def resume_if_due(self, now_ms: int) -> None:
        """Trade again when a halt is over."""
        if self._resumes_ms is not None and now_ms >= self._resumes_ms:
            self.trading, self._resumes_ms = True, None

    def push(self, time_ms: int, price: int, lots: int | None) -> None:
        """Bring the price somewhere at once, and all later steps of the flow by the same factor.

        Parameters
        ----------
        time_ms : int
            Market time.
        price : int
            Ticks.
        lots : int or None
            That trade on the way, so that it may end before; None fills all that rests on the way.
        """
        self._push = price / self._path_price
        through = lots is None
        self.visit(Step(time_ms, price, self._shape.lots if lots is None else lots, price >= self.last, through))

    def visit(self, step: Step) -> bool:
        """Bring the price somewhere: fill what rests on the way, then trade the remaining lots there.

        Returns
        -------
        bool
            False when an order on the way took all lots, so that the price stands there.
        """
        self.withdraw_quotes()
        side, lots = step.buys * 2 - 1, step.lots
        if self.book.crosses(BUYS, step.price):
            side = BUYS
        elif self.book.crosses(SELLS, step.price):
            side = SELLS
        else:
            self._print(step.time_ms, step.price, lots, side)
            return True
        taker = Order(0, "", side, step.price, lots)
        met = self._sweep(taker, step)
        blocker = self.book.first(-side)
        if blocker is not None and (blocker.price - step.price) * side < 0:
            self.last = blocker.price
            return False
        if taker.remaining > 0 or not met:
            self._print(step.time_ms, step.price, max(1, taker.remaining), side)
        return True

    def match(self, order: Order, time_ms: int, expire: Callable[[Order], None]) -> None:
        """Trade an order of an account against the book as far as it goes.

        Parameters
        ----------
        order : Order
            Its ``filled`` grows; what it does not fill is left to the caller.
        time_ms : int
            Market time.
        expire : callable
            Is given each resting order of the same account that is met; it must take it out of the book.
        """
        self.make_quotes()
        while (maker := self.book.first(-order.side)) is not None:
            if order.price and (maker.price - order.price) * order.side > 0:
                return
            lots = min(maker.remaining, self.lots_wanted(order, maker.price))
            if lots == 0:
                return
            if maker.account == order.account:
                expire(maker)
                continue
            self._trade(maker, order, lots, time_ms)

    def lots_wanted(self, order: Order, price: int) -> int:
        """Return how many lots an order still takes at a price."""
        if order.status is OrderStatus.FILLED:
            return 0
        if order.quote_units == 0:
            return order.remaining
        return (order.quote_units - order.quote_filled) // (price * self.quote_units)

    @property
    def quote_units(self) -> int:
        """Units of the quote currency in one lot at one tick."""
        return self.series.quote_units

    def make_quotes(self) -> None:
        """Let the flow's quotes stand in the book."""
        if self._quotes is not None or not self.trading:
            return
        shape, last = self._shape, self.last
        # What is drawn hangs on how often the flow has quoted, not on who looked.
        sizes = random.Random(f"{shape.seed}:{self._requotes}")  # noqa: S311 - a market, not a secret
        half = max(1, round(last * shape.spread / 2))
        best_ask, best_bid = self.book.best(SELLS), self.book.best(BUYS)
        ask = max(last + half, 0 if best_bid is None else best_bid + 1)
        bid = last - half if best_ask is None else min(last - half, best_ask - 1)
        self._quotes = []
        for level in range(shape.levels):
            for side, price in ((BUYS, bid - level * half), (SELLS, ask + level * half)):
                lots = max(1, int(shape.lots * (0.3 + sizes.expovariate(1.0)) * (1 + level / 2)))
                if price >= 1:
                    quote = Order(0, "", side, price, lots)
                    self._quotes.append(quote)
                    self.book.add(quote)

    def withdraw_quotes(self) -> None:
        """Take the flow's quotes out of the book; they are made anew around the last price."""
        self._requotes += 1
        if self._quotes is None:
            return
        for quote in self._quotes:
            if quote.remaining > 0:
                self.book.remove(quote)
        self._quotes = None

    def _sweep(self, taker: Order, step: Step) -> bool:
        met = False
        while (maker := self.book.first(-taker.side)) is not None:
            behind = (step.price - maker.price) * taker.side
            lots = maker.remaining if step.through and behind > 0 else min(maker.remaining, taker.remaining)
            if behind == 0 and not met:
                # The price gets here by a trade, and whoever rests here is the first to have one.
                lots = max(1, lots)
            if behind < 0 or lots <= 0:
                break
            met = behind == 0
            taker.quantity = max(taker.quantity, taker.filled + lots)
            self._trade(maker, taker, lots, step.time_ms)
        return met

    def _trade(self, maker: Order, taker: Order, lots: int, time_ms: int) -> None:
        price = maker.price
        units = price * lots * self.quote_units
        for order in (maker, taker):
            order.filled += lots
            order.quote_filled += units
        if maker.remaining == 0:
            self.book.remove(maker)
        trade = self._record(time_ms, price, lots, taker.side)
        self._settle(maker, taker, trade)
        self._on_trade(trade)

    def _print(self, time_ms: int, price: int, lots: int, side: int) -> None:
        self._on_trade(self._record(time_ms, price, lots, side))

    def _record(self, time_ms: int, price: int, lots: int, side: int) -> Trade:
        self._trade_id += 1
        trade = Trade(self._trade_id, time_ms, price, lots, side == SELLS)
        self.trades.append(trade)
        self.series.add(self._trade_id, price, lots, buyer_takes=side == BUYS)
        self.last = price
        return trade
