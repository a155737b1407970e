"""Reading a candle file: its kind is found from its content, its columns by their usual names."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.market.names import symbol_for
from trading.market.readers_arrow import read_feather, read_parquet
from trading.market.readers_csv import read_csv
from trading.market.readers_json import read_json
from trading.market.resampling import resample
from trading.market.rows import RawRows
from trading.market.timeframes import timeframe_ms

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_FEATHER = (b"ARROW1", b"FEA1")
_WIDE_TEXT = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BOM = b"\xef\xbb\xbf"
_KINDS = "parquet, feather, CSV or JSON"


def read_candles(path: Path | str, symbol: str | None = None, timeframe: str | None = None) -> Candles:
    """Return a file's candles, or refuse the file as a whole.

    Parameters
    ----------
    path : Path or str
        Parquet, feather, CSV (may be gzipped) or JSON.
    symbol : str, optional
        ``BASE/QUOTE``; else taken from the file's name.
    timeframe : str, optional
        Candle length; a larger one than the file's resamples. The file's own follows from its times.

    Returns
    -------
    Candles
        Checked: strictly rising times, positive finite prices, high and low that bracket open and close.

    Raises
    ------
    DataError
        One sentence with file, line (or row) and column of the first thing that is wrong.
    UsageError
        When the timeframe is shorter than the file's.
    """
    return candles_of(read_rows(path), symbol_for(path, symbol), timeframe)


def candles_of(rows: RawRows, symbol: str, timeframe: str | None = None) -> Candles:
    """Return rows as checked candles of the timeframe that their times have, or of a longer one.

    Parameters
    ----------
    rows : RawRows
        A file's rows.
    symbol : str
        ``BASE/QUOTE``.
    timeframe : str, optional
        Candle length; a larger one than the rows' resamples.

    Raises
    ------
    DataError
        When a row is not later than the one before, or holds a value that no candle may have.
    UsageError
        When the timeframe is shorter than the rows'.
    """
    if len(rows) == 1 and timeframe is not None:
        return rows.candles(symbol, timeframe)
    own = rows.timeframe()
    if timeframe is not None and timeframe_ms(timeframe) < timeframe_ms(own):
        raise UsageError(f"{rows.source} has candles of {own}, which cannot make {timeframe}; ask for {own} or longer")
    candles = rows.candles(symbol, own)
    return candles if timeframe is None else resample(candles, timeframe)


def read_rows(path: Path | str) -> RawRows:
    """Return a file's rows as they stand: unsorted, with duplicates, values unchecked.

    Parameters
    ----------
    path : Path or str
        Parquet, feather, CSV (may be gzipped) or JSON.

    Raises
    ------
    DataError
        When the file is of no known kind, is damaged, lacks a column, holds no rows, or holds text where a number
        belongs: with file, line (or row) and column.
    """
    path = Path(path)
    rows = _read(path, _content(path))
    if len(rows) == 0:
        raise DataError(f"{path.name} holds no candles; check how it was written")
    return rows


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder; name a candle file in it")
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"there is no file {path}; check the path") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}; check it") from None
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error):
            raise DataError(f"{path.name} is a damaged or cut off gzip file; fetch it again") from None
    if not content.strip():
        raise DataError(f"{path.name} is empty; check how it was written")
    return content


def _read(path: Path, content: bytes) -> RawRows:
    if content.startswith(_PARQUET):
        return read_parquet(content, path.name)
    if content.startswith(_FEATHER):
        return read_feather(content, path.name)
    text = _text(path, content)
    if text.lstrip()[:1] in (b"[", b"{"):
        return read_json(text, path.name)
    return read_csv(text, path.name)


def _text(path: Path, content: bytes) -> bytes:
    encoding = _WIDE_TEXT.get(content[:2])
    try:
        if encoding is not None:
            content = content.decode(encoding).encode()
        content = content.removeprefix(_BOM)
        content.decode()
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is no candle file of a known kind; give {_KINDS}") from None
    if b"\0" in content:
        raise DataError(f"{path.name} is no candle file of a known kind; give {_KINDS}")
    # Spreadsheets of old Macs end lines with a carriage return alone.
    return content if b"\n" in content else content.replace(b"\r", b"\n")
