"""A session's books with a grid of buy orders planned, and the venue's words to put into them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from trading.market.rules import Market
from trading.market.synthetic import synthetic_candles
from trading.orders.journal import Journal
from trading.orders.journal_rows import SessionFacts
from trading.orders.records import Accepted, Filled, OrderRecord, Sent
from trading.orders.venue import VenueFill
from trading.sessions.books import decider_of, market_json
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.events import SessionEvent
from trading.sessions.inputs import NewCandle, Price
from trading.sessions.keeper import SessionKeeper
from trading.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "capital": 10_000,
        "grid": {"entry_drop": 0.0, "spacing": 0.005, "order_style": "limit", "activation": 0.05},
        "limits": {"max_drawdown": 1.0, "daily_loss": 1.0},
        "signals": {"warmup_candles": 50, "agents": ["momentum"]},
    }
)
MARKET = Market(
    "SIM/USDT", Decimal("0.1"), Decimal("0.00001"), Decimal(5), Decimal("0.001"), Decimal("0.001"), fee_in_base=True
)
CANDLES = synthetic_candles(MARKET.symbol, "5m", candles=110, seed=3)
HISTORY = 100
OTHER_QUOTE, OTHER_BASE = Decimal(500), Decimal("0.25")


class FixedClock:
    """Shows the time that it is given."""

    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms

    async def sleep(self, seconds: float) -> None:
        self.time_ms += round(seconds * 1000)


class Books:
    """A keeper over a journal in a file, and what it told."""

    def __init__(self, path: Path, journal: Journal, decider: Decider, clock: FixedClock) -> None:
        self.path = path
        self.clock = clock
        self.journal = journal
        self.events: list[SessionEvent] = []
        self.alone = True
        self.keeper = SessionKeeper(journal, decider, clock, self.events.append, lambda: self.alone)
        self._trades = 0

    @property
    def buys(self) -> list[OrderRecord]:
        """The planned and open buys, highest price first."""
        return sorted((one for one in self.keeper.records() if one.side > 0), key=lambda one: -one.limit_ticks)

    def now(self, client_id: str) -> OrderRecord:
        """Return an order's record."""
        record = self.keeper.record(client_id)
        assert record is not None
        return record

    def rest(self, record: OrderRecord) -> OrderRecord:
        """Send an order and let the venue take it."""
        self.keeper.apply(Sent(record.client_id, self.clock.now_ms()))
        self.keeper.apply(Accepted(record.client_id, f"x-{record.client_id}", resting=True))
        return self.now(record.client_id)

    def trade(self, record: OrderRecord, lots: int, **changes: object) -> VenueFill:
        """Return a new trade of an order at its limit, its fee in base."""
        self._trades += 1
        quantity = MARKET.quantity(lots)
        told = VenueFill(
            trade_id=f"t{self._trades}",
            exchange_id=record.exchange_id or "",
            client_id=record.client_id,
            symbol=MARKET.symbol,
            side=record.side,
            price=MARKET.price(record.limit_ticks),
            quantity=quantity,
            fee=quantity / 1_000,
            fee_asset=MARKET.base,
            time_ms=self.clock.now_ms(),
            is_maker=True,
        )
        return replace(told, **changes)  # type: ignore[arg-type]

    def fill(self, record: OrderRecord, lots: int | None = None) -> VenueFill:
        """Book a trade of an order, of all that is left unless told otherwise."""
        trade = self.trade(record, record.lots - record.filled_lots if lots is None else lots)
        self.keeper.apply(Filled(record.client_id, trade))
        return trade

    def candle(self, number: int) -> None:
        """Tell the core the next candle."""
        one = past_candles(CANDLES[number : number + 1])[0]
        self.keeper.tell(NewCandle(one.timestamp, one.open, one.high, one.low, one.close, one.volume))

    def price(self, ticks: int, *, narrow: bool = True) -> None:
        """Tell the core a price."""
        self.keeper.tell(Price(int(CANDLES.timestamp[-1]), ticks, narrow))

    def snapshot(self) -> dict[str, object]:
        """Return what must be the same after a restart."""
        keeper = self.keeper
        return {
            "open": sorted(keeper.records(), key=lambda one: one.core_id),
            "orders": self.journal.orders(),
            "fills": self.journal.fills(),
            "core": keeper.decider.to_bytes(),
            "expected": dict(keeper.expected()),
            "halted": keeper.halt_reason,
        }

    def kinds(self) -> list[str]:
        """Return the kinds of the events told so far."""
        return [event.kind for event in self.events]


@contextmanager
def new_books(path: Path) -> Iterator[Books]:
    """Begin a session: its history is seen, its first candle has planned a grid of buys."""
    facts = SessionFacts(
        name="k",
        mode="paper",
        exchange="binance",
        symbol=MARKET.symbol,
        timeframe="5m",
        capital=SETTINGS.capital,
        settings_json=SETTINGS.model_dump_json(exclude={"home"}),
        market_json=market_json(MARKET),
        created_ms=0,
        origin_ms=0,
        version="1",
        account="a",
    )
    clock = FixedClock(int(CANDLES.timestamp[HISTORY]))
    with Journal.create(path, facts) as journal:
        decider = Decider(SETTINGS, MARKET, "5m", Exchange.VENUE)
        books = Books(path, journal, decider, clock)
        past = decider.see_history(CANDLES[:HISTORY])
        books.keeper.set_other_money(OTHER_QUOTE, OTHER_BASE)
        books.keeper.begin(past)
        books.candle(HISTORY)
        yield books


@contextmanager
def same_books_again(books: Books) -> Iterator[Books]:
    """Open the same journal anew, as a restart after a crash does."""
    books.journal.close()
    with Journal.open(books.path) as journal:
        yield Books(books.path, journal, decider_of(journal, Exchange.VENUE), books.clock)
