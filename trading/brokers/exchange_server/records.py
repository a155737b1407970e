"""What the built-in exchange tells: orders, executions, trades, klines, balances and events, all frozen."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """The order types that are spoken."""

    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"


class TimeInForce(StrEnum):
    """How long a limit order waits."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(StrEnum):
    """The states of an order at the exchange."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"


OPEN_STATUSES = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class ReplaceMode(StrEnum):
    """Whether a cancel-replace goes on when its cancel fails."""

    STOP_ON_FAILURE = "STOP_ON_FAILURE"
    ALLOW_FAILURE = "ALLOW_FAILURE"


class ExchangeRefusal(Exception):
    """The exchange's own answer no, with the code and the text that Binance uses.

    Parameters
    ----------
    code : int
        Negative, Binance's.
    text : str
        What goes into ``msg``.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as a client asks for it.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    side : Side
        Which way.
    type : OrderType
        Limit, post-only limit, or market.
    quantity : Decimal or None
        Base currency; None with ``quote_quantity``.
    price : Decimal or None
        Limit; None for market orders.
    time_in_force : TimeInForce
        Of LIMIT orders.
    quote_quantity : Decimal or None
        Quote currency that a market order spends or earns.
    client_id : str or None
        The client's own id; None lets the exchange make one.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    quote_quantity: Decimal | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """An order as it is at one instant.

    Parameters
    ----------
    order_id : int
        The exchange's, rising over all symbols.
    client_id : str
        The client's, or one that the exchange made.
    account : str
        Name of the account.
    symbol : str
        ``BASE/QUOTE``.
    side, type, time_in_force, status : enums
        As named.
    price : Decimal or None
        None for market orders.
    quantity, filled : Decimal
        Base currency.
    quote_quantity : Decimal or None
        What a market order was asked to spend or earn.
    quote_filled : Decimal
        Sum of price x quantity of its executions.
    created_ms, updated_ms : int
        Market time.
    """

    order_id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    status: OrderStatus
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    quote_quantity: Decimal | None
    quote_filled: Decimal
    created_ms: int
    updated_ms: int

    @property
    def is_open(self) -> bool:
        """Whether it can still fill."""
        return self.status in OPEN_STATUSES

    @property
    def remaining(self) -> Decimal:
        """What has not filled, base currency."""
        return self.quantity - self.filled


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade from the side of one account's order.

    Parameters
    ----------
    trade_id : int
        The same as the market trade's; rising in its symbol.
    order_id, client_id, account, symbol, side
        Of the order.
    price, quantity, quote_quantity : Decimal
        Quote currency, base currency, and their product.
    fee : Decimal
        In ``fee_asset``.
    fee_asset : str
        What the fee was taken in.
    time_ms : int
        Market time.
    is_maker : bool
        Whether the order rested.
    """

    trade_id: int
    order_id: int
    client_id: str
    account: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: str
    time_ms: int
    is_maker: bool


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """The answer to a new order: as it is now, and what filled at once."""

    order: OrderSnapshot
    executions: tuple[Execution, ...]


@dataclass(frozen=True, slots=True)
class ReplacedOrder:
    """The answer to a cancel-replace: each half is a result or the refusal.

    Parameters
    ----------
    cancelled : OrderSnapshot or ExchangeRefusal
        The old order.
    placed : PlacedOrder, ExchangeRefusal or None
        The new one; None when it was not tried.
    """

    cancelled: OrderSnapshot | ExchangeRefusal
    placed: PlacedOrder | ExchangeRefusal | None


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A public trade.

    Parameters
    ----------
    trade_id : int
        Rising by one in its symbol.
    symbol : str
        ``BASE/QUOTE``.
    price, quantity, quote_quantity : Decimal
        Quote currency, base currency, and their product.
    time_ms : int
        Market time.
    buyer_is_maker : bool
        True when a seller took.
    """

    trade_id: int
    symbol: str
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    time_ms: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class Kline:
    """A candle, open or closed.

    Parameters
    ----------
    open_ms, close_ms : int
        Market time; ``close_ms`` is the last millisecond in it.
    open, high, low, close : Decimal
        Quote currency.
    volume, taker_volume : Decimal
        Base currency: all, and what takers bought.
    quote_volume, taker_quote_volume : Decimal
        The same in quote currency.
    trades : int
        Count.
    first_trade_id, last_trade_id : int
        -1 where there is none.
    """

    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_volume: Decimal
    taker_quote_volume: Decimal
    first_trade_id: int = -1
    last_trade_id: int = -1


@dataclass(frozen=True, slots=True)
class Level:
    """All that rests at one price.

    Parameters
    ----------
    price : Decimal
        Quote currency.
    quantity : Decimal
        Base currency; 0 in a change means that the level is gone.
    """

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Depth:
    """The book, best levels first.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    update_id : int
        Of the last change that is in it; the same count as `BookChanged.last_update_id`.
    bids, asks : tuple of Level
        Best first.
    """

    symbol: str
    update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class DayTicker:
    """The last 24 hours of a symbol, as far as its candles go back.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    open_ms, close_ms : int
        Market time of the window.
    open, high, low, last, previous_close : Decimal
        Quote currency.
    last_quantity, volume : Decimal
        Base currency.
    quote_volume : Decimal
        Quote currency.
    trades, first_trade_id, last_trade_id : int
        Count and ids; -1 where there is none.
    """

    symbol: str
    open_ms: int
    close_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    previous_close: Decimal
    last_quantity: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    first_trade_id: int
    last_trade_id: int


@dataclass(frozen=True, slots=True)
class AssetBalance:
    """What an account has of one asset.

    Parameters
    ----------
    asset : str
        Such as ``"USDT"``.
    free, locked : Decimal
        What may be used, and what open orders hold.
    """

    asset: str
    free: Decimal
    locked: Decimal


@dataclass(frozen=True, slots=True)
class Transfer:
    """A deposit (positive) or a withdrawal (negative).

    Parameters
    ----------
    transfer_id : int
        Rising.
    account, asset : str
        Whose, and what.
    amount : Decimal
        In the asset.
    time_ms : int
        Market time.
    """

    transfer_id: int
    account: str
    asset: str
    amount: Decimal
    time_ms: int


class OrderChange(StrEnum):
    """What an order update tells, in Binance's words."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


@dataclass(frozen=True, slots=True)
class Event:
    """What all events have.

    Parameters
    ----------
    sequence : int
        Rising by one over all events that are made; those that nobody asked for are not.
    time_ms : int
        Market time.
    """

    sequence: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class OrderUpdated(Event):
    """Private: an order changed.

    Parameters
    ----------
    change : OrderChange
        What happened.
    order : OrderSnapshot
        After it.
    execution : Execution or None
        With TRADE.
    cancel_client_id : str or None
        With CANCELED: the id of the request that cancelled it.
    """

    change: OrderChange
    order: OrderSnapshot
    execution: Execution | None = None
    cancel_client_id: str | None = None


@dataclass(frozen=True, slots=True)
class BalancesChanged(Event):
    """Private: the balances of the named assets are these now (after an order changed, or money moved).

    Parameters
    ----------
    account : str
        Whose.
    balances : tuple of AssetBalance
        Only those that may have changed.
    """

    account: str
    balances: tuple[AssetBalance, ...]


@dataclass(frozen=True, slots=True)
class MoneyMoved(Event):
    """Private: a deposit or a withdrawal; a `BalancesChanged` follows."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class TradeMade(Event):
    """Public: a trade.

    Parameters
    ----------
    trade : MarketTrade
        It.
    """

    trade: MarketTrade


@dataclass(frozen=True, slots=True)
class KlineChanged(Event):
    """Public: a candle changed, or closed.

    Parameters
    ----------
    symbol, timeframe : str
        ``BASE/QUOTE`` and such as ``"1m"``.
    kline : Kline
        As it is.
    closed : bool
        True once per candle, when market time reaches its end; ``time_ms`` is that end then.
    """

    symbol: str
    timeframe: str
    kline: Kline
    closed: bool


@dataclass(frozen=True, slots=True)
class BookChanged(Event):
    """Public: the book changed.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    first_update_id, last_update_id : int
        Ids of the changes in it; the next event's first is this one's last plus one.
    bids, asks : tuple of Level
        Changed levels with their new quantity, 0 where the level is gone.
    best_bid, best_ask : Level or None
        The top of the book after it.
    """

    symbol: str
    first_update_id: int
    last_update_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    best_bid: Level | None
    best_ask: Level | None
