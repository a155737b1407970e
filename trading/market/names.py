"""Symbols: how people and files write them, and the folder and file names made from them."""

from __future__ import annotations

import re
from pathlib import Path

from trading.errors import DataError, UsageError

USD_LIKE = ("USDT", "USDC", "FDUSD", "BUSD", "TUSD", "USDP", "USD", "DAI", "PERP")
_FIAT = ("EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "CAD", "CHF")
_CRYPTO = ("BTC", "ETH", "BNB")
_QUOTES = (*USD_LIKE, *_FIAT, *_CRYPTO)
# A glued symbol ends in one of these; longer ones first, so that ETHFDUSD is ETH/FDUSD and not ETHFD/USD.
_GLUED_QUOTES = sorted(_QUOTES, key=len, reverse=True)

_ASSET = r"[^\W_]{1,24}"
_SYMBOL = re.compile(rf"({_ASSET})/({_ASSET})(:{_ASSET}(?:-{_ASSET})*)?")
_TIMEFRAME = re.compile(r"[1-9]\d*[smhdw]", re.IGNORECASE)
_ENDINGS = re.compile(r"(\.(csv|gz|parquet|feather|arrow|json|txt|tsv|pq|zip))+$", re.IGNORECASE)
_TOKENS = re.compile(r"[-_ .]+")


def parse_symbol(text: str) -> str:
    """Return a symbol as ``BASE/QUOTE``, in capitals, from any of the usual ways to write it.

    Parameters
    ----------
    text : str
        ``"BTC/USDT"``, ``"btc-usdt"``, ``"BTC_USDT"``, ``"BTCUSDT"`` or ccxt's ``"BTC/USDT:USDT"``.

    Raises
    ------
    UsageError
        When the text is no symbol.
    """
    written = text.strip().upper()
    if _SYMBOL.fullmatch(written):
        return written
    pair = re.fullmatch(rf"({_ASSET})[-_]({_ASSET})", written)
    if pair:
        return f"{pair[1]}/{pair[2]}"
    split = _split_glued(written)
    if split is None:
        raise UsageError(f"{text!r} is not a symbol; write BASE/QUOTE, such as BTC/USDT")
    return split


def symbol_from_name(path: Path | str) -> str | None:
    """Return the symbol that a file's name holds, or None when it holds none.

    Parameters
    ----------
    path : Path or str
        ``SOL-USDT-5m.parquet``, ``ETHUSDT_5m.csv``, ``XRP_ETH-5m.feather``, ``BTC-PERP-1m-2022-01.parquet`` or
        ``binance_BTCUSDT_1h.csv``; only the last part of the path counts.
    """
    stem = _ENDINGS.sub("", Path(path).name)
    tokens = [token for token in _TOKENS.split(stem) if token]
    for start in range(len(tokens)):
        found = _symbol_at(tokens, start)
        if found is not None:
            return found
    return None


def _symbol_at(tokens: list[str], start: int) -> str | None:
    # Words in small letters ("my-eth-candles") are a symbol only at the start, right before a timeframe or the end.
    pair, single = tokens[start : start + 2], tokens[start]
    if len(pair) == 2 and pair[1].upper() in _QUOTES and _stands(tokens, start, 2):
        return f"{pair[0]}/{pair[1]}".upper() if re.fullmatch(_ASSET, pair[0]) else None
    if _stands(tokens, start, 1):
        return _split_glued(single.upper())
    return None


def _stands(tokens: list[str], start: int, count: int) -> bool:
    words, after = tokens[start : start + count], tokens[start + count :]
    if any(_TIMEFRAME.fullmatch(word) for word in words[:1]):
        return False
    if all(word == word.upper() for word in words):
        return True
    return start == 0 and (not after or _TIMEFRAME.fullmatch(after[0]) is not None)


def _split_glued(word: str) -> str | None:
    for quote in _GLUED_QUOTES:
        base = word.removesuffix(quote)
        if base != word and len(base) >= 2 and re.fullmatch(_ASSET, base):
            return f"{base}/{quote}"
    return None


def symbol_for(path: Path | str, symbol: str | None) -> str:
    """Return the given symbol, else the one in the file's name.

    Raises
    ------
    DataError
        When the name holds none; asks for ``--symbol``.
    """
    if symbol is not None:
        return parse_symbol(symbol)
    found = symbol_from_name(path)
    if found is None:
        raise DataError(f"the name of {Path(path).name} holds no symbol; add --symbol BASE/QUOTE")
    return found


def base_of(symbol: str) -> str:
    """Return the traded asset of a symbol: ``BTC`` of ``BTC/USDT``."""
    return symbol.partition("/")[0]


def quote_of(symbol: str) -> str:
    """Return the currency that a symbol's prices are in: ``USDT`` of ``BTC/USDT`` and of ccxt's ``BTC/USDT:USDT``."""
    return symbol.partition("/")[2].partition(":")[0]


def folder_name(symbol: str) -> str:
    """Return the folder of a symbol: ``BTC/USDT`` is ``BTC-USDT``; `symbol_of_folder` is its inverse.

    Raises
    ------
    UsageError
        When the symbol holds anything that could lead out of the folder.
    """
    if _SYMBOL.fullmatch(symbol) is None:
        raise UsageError(f"{symbol!r} cannot be stored; a symbol is BASE/QUOTE in letters and digits, such as BTC/USDT")
    return symbol.replace("/", "-").replace(":", "_")


def symbol_of_folder(name: str) -> str | None:
    """Return the symbol of a store folder, or None for a folder that is none of ours."""
    symbol = name.replace("-", "/", 1).replace("_", ":", 1)
    return symbol if _SYMBOL.fullmatch(symbol) else None
