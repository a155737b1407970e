"""What the screen Trading shows of a session, as plain records: no journal, no terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Bar(NamedTuple):
    """One candle.

    Parameters
    ----------
    time_ms : int
        Open time, milliseconds UTC.
    open, high, low, close : float
        Quote currency.
    is_filled : bool
        Made up to bridge a gap.
    """

    time_ms: int
    open: float
    high: float
    low: float
    close: float
    is_filled: bool = False


class Standing(StrEnum):
    """What a level of the grid is doing."""

    FLAT = "flat"
    ARMED = "armed"
    WORKING = "working"
    HELD = "held"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session of the data home.

    Parameters
    ----------
    name : str
        Its name.
    running : bool
        Whether a living process holds it.
    what : str
        Such as ``paper BTC/USDT 1m on binance``; empty when its journal cannot be read.
    problem : str
        Why it cannot; empty otherwise.
    """

    name: str
    running: bool
    what: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """One pair of grid levels.

    Parameters
    ----------
    number : int
        The core's number of it, from 0.
    standing : Standing
        What it is doing.
    state : str
        The same in the core's own words, such as ``armed_sell``.
    reason : str
        Why it is blocked; empty otherwise.
    buy, sell : Decimal
        The two levels, quote currency.
    held : Decimal
        What it holds, base currency.
    paid : Decimal or None
        What that cost for each unit, fees included; None while it holds nothing.
    side : int
        +1 when it waits to buy, -1 to sell.
    """

    number: int
    standing: Standing
    state: str
    reason: str
    buy: Decimal
    sell: Decimal
    held: Decimal
    paid: Decimal | None
    side: int

    @property
    def price(self) -> Decimal:
        """The level that it waits for."""
        return self.buy if self.side > 0 else self.sell


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """One of the session's orders.

    Parameters
    ----------
    client_id : str
        Our id.
    side : int
        +1 buys, -1 sells.
    price : Decimal or None
        Limit; None takes any price.
    quantity, filled : Decimal
        Base currency.
    state : str
        At the venue, with what is uncertain about the command.
    reason : str
        Why it was placed.
    created_ms : int
        The session's clock, milliseconds UTC.
    is_open : bool
        Whether it may still fill.
    note : str
        Why it is as it is.
    """

    client_id: str
    side: int
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    state: str
    reason: str
    created_ms: int
    is_open: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class OwnFill:
    """One trade of the session.

    Parameters
    ----------
    trade_id : str
        The venue's id.
    time_ms : int
        Milliseconds UTC.
    side : int
        +1 bought, -1 sold.
    price, quantity, fee : Decimal
        Quote, base and fee currency.
    fee_asset : str
        The fee's currency.
    """

    trade_id: str
    time_ms: int
    side: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str


@dataclass(frozen=True, slots=True)
class Money:
    """What a session has and what it made, quote currency unless said otherwise.

    Parameters
    ----------
    paid_in, equity, cash : Decimal
        Its capital, its worth now, and what of that is not invested.
    position : Decimal
        Base currency.
    realised, fees : Decimal
        Profit of what was sold after fees, and all fees.
    """

    paid_in: Decimal
    equity: Decimal
    cash: Decimal
    position: Decimal
    realised: Decimal
    fees: Decimal

    @property
    def profit(self) -> Decimal:
        """What it is worth more than was paid in."""
        return self.equity - self.paid_in

    @property
    def profit_share(self) -> Decimal | None:
        """The same as a share of what was paid in; None when nothing was."""
        return self.profit / self.paid_in if self.paid_in else None


@dataclass(frozen=True, slots=True)
class Live:
    """What a running session answers about itself.

    Parameters
    ----------
    feed, gate, held : str
        How its data arrives, whether orders go out, and why entries are held back.
    errors : mapping of str to object
        What it has met.
    """

    feed: str
    gate: str
    held: str
    errors: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session as it stands.

    Parameters
    ----------
    name, mode, exchange, symbol, timeframe, base, quote : str
        What it is.
    running : bool
        Whether a living process holds it.
    price : Decimal or None
        Newest price that is known; None before the first.
    price_places : int
        Digits behind the point that its prices have.
    money : Money
        Balances and profit.
    bars : tuple of Bar
        Newest candles, oldest first.
    slots : tuple of Slot
        The grid, highest level first.
    orders : tuple of OwnOrder
        All open ones, and the newest that ended.
    fills : tuple of OwnFill
        The newest, oldest first.
    fill_count, order_count : int
        All there are.
    now_ms : int
        The session's time: what ages are counted from.
    live : Live or None
        None when it is not running or gave no answer.
    notes : tuple of str
        What a person should know: halted, crashed, silent.
    """

    name: str
    mode: str
    exchange: str
    symbol: str
    timeframe: str
    base: str
    quote: str
    running: bool
    price: Decimal | None
    price_places: int
    money: Money
    bars: tuple[Bar, ...]
    slots: tuple[Slot, ...]
    orders: tuple[OwnOrder, ...]
    fills: tuple[OwnFill, ...]
    fill_count: int
    order_count: int
    now_ms: int
    live: Live | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vote:
    """What one agent said about the newest candle.

    Parameters
    ----------
    agent : str
        Its name.
    action : int
        +1 trail a buy, -1 trail a sale, 0 hold.
    confidence, trail, weight : float
        0 to 1, fraction of the price, and its weight in this vote.
    skipped : str
        Why it took no part; empty when it did.
    reasons : tuple of str
        The numbers behind it.
    """

    agent: str
    action: int
    confidence: float
    trail: float
    weight: float
    skipped: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """What the agents made of the newest candle together.

    Parameters
    ----------
    candle_ms : int
        Open time of the candle, milliseconds UTC.
    action : int
        +1, -1 or 0, as in `Vote`.
    confidence, trail, disagreement : float
        Of the consensus; the trail is a fraction of the price.
    regime, volatility : str
        What kind of market it is.
    votes : tuple of Vote
        In the order of the settings.
    """

    candle_ms: int
    action: int
    confidence: float
    trail: float
    disagreement: float
    regime: str
    volatility: str
    votes: tuple[Vote, ...]
