"""Candles by what a person calls them: a file, or a stored symbol."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.market.names import parse_symbol
from trading.market.readers import read_candles
from trading.market.store import CandleStore
from trading.setting_sources import data_home


def home_store(home: Path | None = None) -> CandleStore:
    """Return the candle store of a data home; None is the user's own."""
    return CandleStore(data_home(home) / "store")


def is_file(target: str) -> bool:
    """Return whether a target means a file: it exists, or is written like one and not like a symbol."""
    path = Path(target)
    with suppress(OSError):  # a name that is too long for the system is no file
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


def open_candles(
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
    UsageError
        When a stored symbol is named and another symbol is asked for.
    """
    if is_file(target):
        candles = read_candles(target, symbol, timeframe).between(start_ms, end_ms)
    else:
        stored = stored_symbol(target, store)
        if symbol is not None and symbol != stored:
            raise UsageError(f"{target!r} is the stored symbol {stored}, not {symbol}; --symbol names a file's market")
        candles = read_stored(target, store, timeframe, start_ms, end_ms)
    if len(candles) == 0:
        raise DataError(f"{target} has no candles in that period; check --start and --end")
    return candles


def read_stored(
    target: str, store: CandleStore, timeframe: str | None, start_ms: int | None = None, end_ms: int | None = None
) -> Candles:
    """Return the candles of a stored symbol; without a timeframe, the shortest one that is stored.

    Raises
    ------
    DataError
        When no such symbol is stored, or none of its timeframes gives the one asked for.
    """
    symbol = stored_symbol(target, store)
    return store.read(symbol, timeframe or store.timeframes(symbol)[0], start_ms, end_ms)
