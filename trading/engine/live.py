"""The core on a clock: one call for each price and each candle that closes, since every call from Python costs as much.

Where the core is its own exchange (paper), `match` fills between two prices; where a venue is, orders rest there.
"""

from __future__ import annotations

from trading.engine.codes import NEVER
from trading.engine.compiling import compiled, entry_point
from trading.engine.decisions import begin_candle, decide
from trading.engine.matching import match
from trading.engine.slots import refresh_quiet, refresh_slot
from trading.engine.state import Book
from trading.engine.tape import Tape
from trading.engine.trailing import on_price
from trading.engine.venue import see_row


@entry_point
def live_price(book: Book, opens_ms: int, price: int, is_narrow: bool, fills: bool) -> None:
    """Hear the market's latest price.

    Parameters
    ----------
    opens_ms : int
        Open time of the candle that it belongs to, which is opened when it is a new one.
    price : int
        Ticks.
    is_narrow : bool
        Whether the spread lets triggered orders take the market.
    fills : bool
        Whether the core is its own exchange.
    """
    _open_by(book, opens_ms)
    _see_spread(book, is_narrow)
    _move(book, price, fills)


@entry_point
def live_candle(book: Book, tape: Tape, row: int, fills: bool) -> None:
    """Close a candle: see its signal and decide; its prices were told before, or its close is the latest there is.

    Parameters
    ----------
    tape : Tape
        Shape (n,).
    row : int
        Which of its candles.
    fills : bool
        Whether the core is its own exchange.
    """
    _open_by(book, tape.timestamp[row])
    if book.core.time_ms <= tape.timestamp[row]:
        _move(book, tape.close[row], fills)
    see_row(book, tape, row)
    decide(book, tape.close[row])


@compiled
def _open_by(book: Book, opens_ms: int) -> None:
    if opens_ms > book.core.time_ms:
        begin_candle(book, opens_ms, 0, NEVER, NEVER)


@compiled
def _see_spread(book: Book, is_narrow: bool) -> None:
    take = 1 if is_narrow else 0
    if take == book.params.take_market:
        return
    book.params.take_market = take
    for i in range(book.params.pairs):
        refresh_slot(book, i)
    refresh_quiet(book)


@compiled
def _move(book: Book, price: int, fills: bool) -> None:
    before = book.core.last_price
    on_price(book, price, True)
    if fills:
        # nothing limits the quantity but the order
        book.core.volume_left = NEVER
        match(book, before if before > 0 else price, price)
