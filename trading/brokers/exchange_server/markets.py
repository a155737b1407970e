"""A market of the built-in exchange: its filters, checked in Binance's order and words, and its integer units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from trading.brokers.exchange_server.records import ExchangeRefusal, OrderRequest
from trading.errors import Refused
from trading.market.names import base_of, quote_of
from trading.market.rules import Market

LEAST_DECIMALS = 8
"""Decimals in which the exchange counts every asset, unless a market's lot at one tick needs more."""

_MOST_DECIMALS = 18


@dataclass(frozen=True)
class MarketRules:
    """The filters of one market; prices are counted in ticks, quantities in lots, money in units.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    tick_size, min_price, max_price, min_notional : Decimal
        Quote currency.
    lot_size, min_quantity, max_quantity, max_market_quantity : Decimal
        Base currency.
    price_up, price_down : Decimal
        A limit price may be the last price times these at most and at least.
    max_orders : int
        Open orders of one account in this market.
    """

    symbol: str
    tick_size: Decimal
    lot_size: Decimal
    min_notional: Decimal
    min_price: Decimal
    max_price: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    price_up: Decimal = Decimal(5)
    price_down: Decimal = Decimal("0.2")
    max_orders: int = 200

    @classmethod
    def of(cls, market: Market, max_orders: int = 200) -> MarketRules:
        """Return the filters of a market of the house's own kind.

        Parameters
        ----------
        market : Market
            Gives tick, lot and least order value.
        max_orders : int
            Open orders of one account.

        Raises
        ------
        Refused
            When a lot at one tick is worth less than can be counted.
        """
        tick, lot = market.tick_size, market.lot_size
        if _decimals(tick * lot) > _MOST_DECIMALS:
            raise Refused(
                f"{market.symbol} has a lot of {lot} at a tick of {tick}, finer than the {_MOST_DECIMALS} decimals in "
                "which the built-in exchange counts; set a coarser market.tick_size or market.lot_size"
            )
        return cls(
            symbol=market.symbol,
            tick_size=tick,
            lot_size=lot,
            min_notional=market.min_notional,
            min_price=tick,
            max_price=tick * 10**9,
            min_quantity=lot,
            max_quantity=lot * 9 * 10**9,
            max_market_quantity=lot * 10**9,
            max_orders=max_orders,
        )

    @cached_property
    def base(self) -> str:
        """The traded asset."""
        return base_of(self.symbol)

    @cached_property
    def quote(self) -> str:
        """The currency that prices are in."""
        return quote_of(self.symbol)

    @cached_property
    def id(self) -> str:
        """Binance's name: ``BTCUSDT``."""
        return self.base + self.quote

    @cached_property
    def product_id(self) -> str:
        """Coinbase's name: ``BTC-USDT``."""
        return f"{self.base}-{self.quote}"

    @cached_property
    def base_decimals(self) -> int:
        """Decimals in which the base asset is counted."""
        return max(LEAST_DECIMALS, _decimals(self.lot_size))

    @cached_property
    def quote_decimals(self) -> int:
        """Decimals in which the quote asset is counted."""
        return max(LEAST_DECIMALS, _decimals(self.tick_size * self.lot_size))

    def ticks(self, price: Decimal) -> int:
        """Return the ticks of a price, rounded down."""
        return int(price // self.tick_size)

    def lots(self, quantity: Decimal) -> int:
        """Return the lots of a quantity, rounded down."""
        return int(quantity // self.lot_size)

    def price(self, ticks: int) -> Decimal:
        """Return the price of a number of ticks."""
        return self.tick_size * ticks

    def quantity(self, lots: int) -> Decimal:
        """Return the quantity of a number of lots."""
        return self.lot_size * lots

    def check_price(self, price: Decimal, last_price: Decimal) -> None:
        """Refuse a limit price that a filter forbids.

        Parameters
        ----------
        price : Decimal
            The limit.
        last_price : Decimal
            Of the latest trade.

        Raises
        ------
        ExchangeRefusal
            -1013 with the filter's name.
        """
        if not self.min_price <= price <= self.max_price or price % self.tick_size:
            raise ExchangeRefusal(-1013, "Filter failure: PRICE_FILTER")
        if not last_price * self.price_down <= price <= last_price * self.price_up:
            raise ExchangeRefusal(-1013, "Filter failure: PERCENT_PRICE")

    def check_quantity(self, quantity: Decimal, *, market_order: bool) -> None:
        """Refuse a quantity that a filter forbids.

        Parameters
        ----------
        quantity : Decimal
            Base currency.
        market_order : bool
            Whether the larger limit of market orders counts too.

        Raises
        ------
        ExchangeRefusal
            -1013 with the filter's name.
        """
        if not self.min_quantity <= quantity <= self.max_quantity or quantity % self.lot_size:
            raise ExchangeRefusal(-1013, "Filter failure: LOT_SIZE")
        if market_order and quantity > self.max_market_quantity:
            raise ExchangeRefusal(-1013, "Filter failure: MARKET_LOT_SIZE")

    def check_notional(self, notional: Decimal) -> None:
        """Refuse an order whose value is too small.

        Parameters
        ----------
        notional : Decimal
            Quote currency.

        Raises
        ------
        ExchangeRefusal
            -1013 with the filter's name.
        """
        if notional < self.min_notional:
            raise ExchangeRefusal(-1013, "Filter failure: NOTIONAL")


def check_filters(request: OrderRequest, rules: MarketRules, last_price: Decimal) -> None:
    """Refuse a new order that a filter forbids.

    Parameters
    ----------
    request : OrderRequest
        With a price unless it is a market order, and with a quantity of one kind.
    rules : MarketRules
        Of its symbol.
    last_price : Decimal
        Of the latest trade.

    Raises
    ------
    ExchangeRefusal
        -1013 with the filter's name.
    """
    if request.price is not None:
        rules.check_price(request.price, last_price)
    if request.quantity is not None:
        rules.check_quantity(request.quantity, market_order=request.price is None)
        rules.check_notional(request.quantity * (request.price or last_price))
    elif request.quote_quantity is not None:
        rules.check_notional(request.quote_quantity)


def _decimals(step: Decimal) -> int:
    return max(0, -int(step.normalize().as_tuple().exponent))
