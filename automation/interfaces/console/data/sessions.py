"""How the sessions of a data home stand: what the running ones answer, and what the journals say of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path

from trading.errors import GridBotError
from trading.orders.journal_reader import JournalReader
from trading.sessions.books import market_of
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest
from trading.sessions.control_address import read_address
from trading.sessions.control_client import ask
from trading.sessions.daily import DAY_MS
from trading.sessions.figures import MICROLOTS

_PATIENCE_S = 2.0
# a writer commits within milliseconds; whoever holds a journal for longer is told of
_JOURNAL_PATIENCE_S = 0.5
_MOST_POINTS = 400


class Standing(StrEnum):
    """How a session stands."""

    RUNNING = "running"
    HALTED = "halted"
    SILENT = "silent"
    STOPPED = "stopped"
    DIED = "died"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Books:
    """What a journal says of the account.

    Parameters
    ----------
    equity : Decimal or None
        At the newest candle's close, in ``currency``; None before the first.
    position : Decimal
        In the base asset.
    price : Decimal or None
        At the newest candle's close.
    points : tuple of float
        Equity over the last day of the market, thinned out, oldest first.
    last_ms : int
        Close of the newest candle, milliseconds UTC; 0 before the first.
    """

    equity: Decimal | None
    position: Decimal
    price: Decimal | None
    points: tuple[float, ...]
    last_ms: int


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """One session.

    Parameters
    ----------
    name : str
        Its name.
    standing : Standing
        How it stands.
    note : str
        Why it halted, is silent or cannot be read; empty otherwise.
    mode, exchange, symbol, timeframe : str
        What it is; empty when its journal cannot be read.
    currency : str
        The quote asset.
    capital, equity : Decimal or None
        In ``currency``; None when it is not known.
    position : Decimal or None
        In the base asset.
    price : Decimal or None
        The newest.
    open_orders : int or None
        Orders at the venue; None unless it runs.
    feed : str
        How its market data arrives; empty unless it runs.
    points : tuple of float
        Equity over the last day of the market, oldest first.
    last_ms : int
        Close of the newest candle, milliseconds UTC.
    """

    name: str
    standing: Standing
    note: str = ""
    mode: str = ""
    exchange: str = ""
    symbol: str = ""
    timeframe: str = ""
    currency: str = ""
    capital: Decimal | None = None
    equity: Decimal | None = None
    position: Decimal | None = None
    price: Decimal | None = None
    open_orders: int | None = None
    feed: str = ""
    points: tuple[float, ...] = ()
    last_ms: int = 0

    @property
    def profit(self) -> Decimal | None:
        """Equity less capital."""
        return None if self.equity is None or self.capital is None else self.equity - self.capital


class SessionReader:
    """Reads sessions again and again, and the books of those that did not change only once.

    Parameters
    ----------
    home : Path
        The data home.
    """

    def __init__(self, home: Path) -> None:
        self._catalog = SessionCatalog(home)
        self._books: dict[str, tuple[tuple[int, ...], Books]] = {}
        self._at_rest: dict[str, tuple[tuple[int, ...], SessionFacts]] = {}

    def read(self) -> tuple[SessionFacts, ...]:
        """Return every session, those that run first; one that cannot be read says why."""
        found = [self._session(name) for name in self._catalog.names()]
        return tuple(sorted(found, key=lambda one: (one.open_orders is None, -one.last_ms, one.name)))

    def _session(self, name: str) -> SessionFacts:
        try:
            return self._known_or_read(name)
        except (GridBotError, OSError, ValueError, ArithmeticError) as error:
            return SessionFacts(name, Standing.UNREADABLE, " ".join(str(error).split()))

    def _known_or_read(self, name: str) -> SessionFacts:
        files = self._catalog.files_of(name)
        # what is at rest is opened again only when something in its folder changed
        stamp = (*_stamp(files.journal), *_times(files.folder))
        known = self._at_rest.get(name)
        if known is not None and known[0] == stamp and not self._catalog.is_running(name):
            return known[1]
        facts = self._readable(name)
        if facts.open_orders is None:
            self._at_rest[name] = stamp, facts
        return facts

    def _readable(self, name: str) -> SessionFacts:
        files, running = self._catalog.files_of(name), self._catalog.is_running(name)
        with JournalReader.read(files.journal, patience_s=_JOURNAL_PATIENCE_S) as journal:
            facts = journal.facts
            books = self._books_of(name, files.journal, journal)
        told, problem = self._told(name) if running else ({}, "")
        if running:
            halted = str(told.get("halted") or "")
            standing = Standing.SILENT if problem else Standing.HALTED if halted else Standing.RUNNING
            note = problem or halted
        else:
            standing, note = _at_rest(files.folder)
        return SessionFacts(
            name,
            standing,
            note,
            facts.mode,
            facts.exchange,
            facts.symbol,
            facts.timeframe,
            facts.symbol.partition("/")[2],
            facts.capital,
            _amount(told.get("equity")) or books.equity,
            books.position if _amount(told.get("position")) is None else _amount(told.get("position")),
            _amount(told.get("price")) or books.price,
            _count(told.get("open_orders")) if running else None,
            str(told.get("feed") or ""),
            books.points,
            books.last_ms,
        )

    def _books_of(self, name: str, file: Path, journal: JournalReader) -> Books:
        stamp = _stamp(file)
        known = self._books.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        books = _books(journal)
        self._books[name] = (stamp, books)
        return books

    def _told(self, name: str) -> tuple[Mapping[str, object], str]:
        try:
            return ask(self._catalog.path_of(name), ControlRequest(command="status"), _PATIENCE_S), ""
        except GridBotError as error:
            return {}, str(error)


def _books(journal: JournalReader) -> Books:
    last = journal.last_equity()
    if last is None:
        return Books(None, Decimal(0), None, (), 0)
    market = market_of(journal.facts)
    points = journal.equity(last.time_ms - DAY_MS)
    step = max(1, len(points) // _MOST_POINTS)
    # counted from the end, so that the newest point is always among them
    thinned = points[::-1][::step][::-1]
    return Books(
        market.money(last.equity_units),
        Decimal(last.position_microlots) / MICROLOTS * market.lot_size,
        market.price(last.price_ticks),
        tuple(float(market.money(point.equity_units)) for point in thinned),
        last.time_ms,
    )


def _at_rest(folder: Path) -> tuple[Standing, str]:
    # a session that ended in order took its address away
    if read_address(folder) is None:
        return Standing.STOPPED, ""
    return Standing.DIED, "it died; the same name recovers it"


def _stamp(file: Path) -> tuple[int, ...]:
    parts = (file, file.with_name(file.name + "-wal"))
    return tuple(number for part in parts if part.exists() for number in _times(part))


def _times(file: Path) -> tuple[int, int]:
    kept = file.stat()
    return kept.st_mtime_ns, kept.st_size


def _amount(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
