"""Random candle series, and files of every kind written from them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
from hypothesis import strategies as st
from pyarrow import feather

from trading.commands import Progress
from trading.market.candles import COLUMNS, Candles
from trading.market.timeframes import timeframe_ms

T = TypeVar("T")
START_MS = 1_700_006_400_000  # 2023-11-15T00:00Z: a whole day, hour and minute
MONDAY_MS = 1_699_833_600_000


def candles_at(times, timeframe="5m", symbol="BTC/USDT", seed=0, decimals=2) -> Candles:
    """Return a random walk with candles at the given times."""
    times = np.asarray(times, dtype=np.int64)
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.003, len(times)))), decimals)
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.round(random.random((2, len(times))), decimals)
    return Candles(
        symbol,
        timeframe,
        timestamp=times,
        open=opened,
        high=np.maximum(opened, close) + reach[0],
        low=np.minimum(opened, close) - reach[1],
        close=close,
        volume=np.round(random.gamma(2.0, 5.0, len(times)), 3),
    )


def steady(count, timeframe="5m", start_ms=START_MS, **how) -> Candles:
    """Return candles without gaps."""
    return candles_at(start_ms + np.arange(count) * timeframe_ms(timeframe), timeframe, **how)


@st.composite
def gappy(draw, timeframe="5m", most=120, start_ms=START_MS):
    """Draw candles of which some are missing; the most common step is the timeframe."""
    count = draw(st.integers(8, most))
    missing = draw(st.sets(st.integers(4, count - 2), max_size=count // 4))
    rows = np.array([row for row in range(count) if row not in missing])
    offset = draw(st.integers(0, 500))
    step = timeframe_ms(timeframe)
    return candles_at(start_ms + (rows + offset) * step, timeframe, seed=draw(st.integers(0, 2**32 - 1)))


def equal(first, second) -> bool:
    """Return whether two series hold the same numbers."""
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in COLUMNS)


def table(candles: Candles) -> pa.Table:
    """Return candles as an Arrow table."""
    return pa.table({name: np.array(column) for name, column in candles.columns().items()})


def write_parquet(candles: Candles, path: Path) -> Path:
    """Write candles as parquet."""
    pq.write_table(table(candles), path)
    return path


def write_feather(candles: Candles, path: Path) -> Path:
    """Write candles as other bots do: a date column in nanoseconds with a zone."""
    dates = pa.array(np.array(candles.timestamp) * 1_000_000).cast(pa.timestamp("ns", "UTC"))
    columns = table(candles).set_column(0, "date", dates)
    feather.write_feather(columns, path, version=2)
    return path


def write_csv(candles: Candles, path: Path) -> Path:
    """Write candles as CSV with a header."""
    arrow_csv.write_csv(table(candles), path)
    return path


def write_csv_gz(candles: Candles, path: Path) -> Path:
    """Write candles as gzipped CSV."""
    sink = pa.BufferOutputStream()
    arrow_csv.write_csv(table(candles), sink)
    path.write_bytes(gzip.compress(sink.getvalue().to_pybytes()))
    return path


def write_klines(candles: Candles, path: Path) -> Path:
    """Write candles as Binance does: twelve columns, no header, microseconds."""
    lines = [
        f"{t * 1000},{o!r},{h!r},{lo!r},{c!r},{v!r},{(t + candles.step_ms) * 1000 - 1},1.5,7,0.5,0.25,0"
        for t, o, h, lo, c, v in rows_of(candles)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_json(candles: Candles, path: Path) -> Path:
    """Write candles as JSON arrays."""
    path.write_text(json.dumps([list(row) for row in rows_of(candles)]))
    return path


def write_json_strings(candles: Candles, path: Path) -> Path:
    """Write candles as exchanges answer: prices as strings."""
    path.write_text(json.dumps([[row[0], *map(repr, row[1:])] for row in rows_of(candles)]))
    return path


WRITERS = {
    "parquet": write_parquet,
    "feather": write_feather,
    "csv": write_csv,
    "csv.gz": write_csv_gz,
    "klines": write_klines,
    "json": write_json,
    "json strings": write_json_strings,
}


def rows_of(candles: Candles) -> list[tuple]:
    """Return candles as Python tuples."""
    return list(zip(*(getattr(candles, name).tolist() for name in COLUMNS), strict=True))


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file under a folder with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def watched(work: Generator[Progress, None, T]) -> tuple[T, list[Progress]]:
    """Run a command's generator to its end and return its result and the progress that it showed."""
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps
