"""Candles by what a person calls them: a file, or a stored symbol."""

from __future__ import annotations

from pathlib import Path

from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.market.names import parse_symbol
from trading.market.readers import read_candles
from trading.market.store import CandleStore


def is_file(target: str) -> bool:
    """Return whether a target means a file: it exists, or is written like one and not like a symbol."""
    path = Path(target)
    if path.exists():
        return True
    return path.suffix != "" or path.is_absolute() or target.count("/") > 1


def stored_symbol(target: str, store: CandleStore) -> str:
    """Return the stored symbol that a target names.

    Raises
    ------
    DataError
        When there is neither such a file nor such a stored symbol.
    """
    try:
        symbol = parse_symbol(target)
        if store.timeframes(symbol):
            return symbol
    except UsageError:
        pass
    raise DataError(f"{target!r} is neither a file nor a stored symbol; `gridbot data list` shows what is stored")


def open_candles(  # noqa: PLR0913 - the options of one command line
    target: str,
    store: CandleStore,
    symbol: str | None = None,
    timeframe: str | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> Candles:
    """Return the candles of a file or of a stored symbol.

    Parameters
    ----------
    target : str
        A file's path, or a symbol in the store.
    store : CandleStore
        Where symbols are looked up.
    symbol : str, optional
        Symbol of a file; else from its name.
    timeframe : str, optional
        Candle length; else a file's own, or the shortest stored one.
    start_ms, end_ms : int, optional
        Only candles that open in ``[start_ms, end_ms)``.

    Raises
    ------
    DataError
        When nothing of that name is there, it is unusable, or the period is empty.
    """
    if is_file(target):
        candles = read_candles(target, symbol, timeframe).between(start_ms, end_ms)
        if len(candles) == 0:
            raise DataError(f"{Path(target).name} holds no candles in that period; check --start and --end")
        return candles
    name = stored_symbol(target, store)
    return store.read(name, timeframe or store.timeframes(name)[0], start_ms, end_ms)
