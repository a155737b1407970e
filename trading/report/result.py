"""``BacktestResult``: everything that a backtest found out, as JSON, as text and as files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from trading.errors import DataError, ExitCode
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.market.times import iso
from trading.metrics import Metrics, drawdown, monthly_returns
from trading.orders import Fills, Trades
from trading.orders.fills import write_parquet
from trading.report.formats import short_time
from trading.report.text import figures_table, headline

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GridLevels:
    """The grid as it stood from one candle on.

    Parameters
    ----------
    candle : int
        Row of the first candle.
    centre : float
        Price that the grid was built around, quote currency.
    prices : tuple of float
        Prices of the levels, lowest first.
    """

    candle: int
    centre: float
    prices: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BacktestResult:
    """The outcome of one backtest.

    Parameters
    ----------
    candles : Candles
        What was traded on; n rows.
    market : Market
        Rules and units.
    capital : Decimal
        Quote currency before the first candle.
    fills : Fills
        Every fill.
    trades : Trades
        The fills paired.
    equity, cash, position : ndarray of float64, shape (n,)
        At each candle's close: equity and cash in the quote currency, position in the base currency.
    metrics : Metrics
        What the run was worth.
    params : mapping
        Every setting and derived value, dotted names.
    agents : sequence of mapping
        By agent: ``name``, ``signals``, ``hit_rate``, ``mean_confidence``, and whatever else it reports.
    timing : mapping of str to float
        Seconds: ``load_s``, ``signals_s``, ``core_s``, ``total_s``.
    fill_rules : mapping of str to float
        Total return under ``touch`` and under ``penetration``.
    data_quality : mapping
        What was found in the candles.
    warnings, notes : tuple of str
        What a reader must know, and what is good to know; a sentence each.
    halted : str or None
        Why trading stopped, None when it did not.
    grids : tuple of GridLevels
        Every grid, oldest first.
    refusals : mapping of str to int
        Orders refused, by rule.
    report_path : Path or None
        The HTML report, when there is one.
    kind : str
        What the run was: ``Backtest``, or a session's mode and name.
    """

    candles: Candles
    market: Market
    capital: Decimal
    fills: Fills
    trades: Trades
    equity: Floats
    cash: Floats
    position: Floats
    metrics: Metrics
    params: Mapping[str, object] = field(default_factory=dict)
    agents: Sequence[Mapping[str, object]] = ()
    timing: Mapping[str, float] = field(default_factory=dict)
    fill_rules: Mapping[str, float | None] = field(default_factory=dict)
    data_quality: Mapping[str, object] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    halted: str | None = None
    grids: tuple[GridLevels, ...] = ()
    refusals: Mapping[str, int] = field(default_factory=dict)
    report_path: Path | None = None
    kind: str = "Backtest"

    def __post_init__(self) -> None:
        for name in ("equity", "cash", "position"):
            if getattr(self, name).shape != self.candles.timestamp.shape:
                raise DataError(
                    f"result column {name!r} has shape {getattr(self, name).shape}, candles {len(self.candles)}"
                )

    @property
    def currency(self) -> str:
        """The currency of all money in the result."""
        return self.market.quote

    @property
    def final_equity(self) -> float:
        """Equity at the last candle's close, quote currency."""
        return float(self.equity[-1])

    @property
    def start_ms(self) -> int:
        """Open time of the first candle, milliseconds UTC."""
        return int(self.candles.timestamp[0])

    @property
    def end_ms(self) -> int:
        """Close time of the last candle, milliseconds UTC."""
        return int(self.candles.timestamp[-1]) + self.candles.step_ms

    @property
    def drawdown(self) -> Floats:
        """Fall from the highest equity so far at each candle; shape (n,), 0 or negative."""
        return drawdown(self.equity, float(self.capital))

    @property
    def monthly_returns(self) -> dict[str, float]:
        """Return of each UTC month by ``"YYYY-MM"``."""
        return monthly_returns(self.candles.timestamp, self.equity, self.capital)

    @property
    def exit_code(self) -> ExitCode:
        """0: a backtest that ran to its end is done, also when its strategy was halted."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the result as plain JSON data; the same input gives the same bytes, except ``timing``."""
        report = None if self.report_path is None else str(self.report_path)
        content = {
            "symbol": self.candles.symbol,
            "timeframe": self.candles.timeframe,
            "candles": len(self.candles),
            "start": iso(self.start_ms),
            "end": iso(self.end_ms),
            "capital": float(self.capital),
            "final_equity": self.final_equity,
            "currency": self.currency,
            "halted": self.halted,
            "metrics": self.metrics.as_json(),
            "monthly_returns": self.monthly_returns,
            "params": self.params,
            "agents": self.agents,
            "timing": self.timing,
            "trade_hash": self.fills.trade_hash(),
            "fill_rules": self.fill_rules,
            "data_quality": self.data_quality,
            "refusals": self.refusals,
            "warnings": self.warnings,
            "notes": self.notes,
            "report": report,
        }
        return {name: plain_json(value) for name, value in content.items()}

    def as_text(self) -> RenderableType:
        """Return the headline, the figures that matter and every warning."""
        parts: list[RenderableType] = [
            headline(self.metrics, float(self.capital), self.final_equity, self.currency),
            figures_table(self.metrics, self.fill_rules, self.refusals, self.currency),
        ]
        if self.halted:
            parts.append(Text(f"halted: {self.halted}", style="bold yellow"))
        parts.extend(Text(f"! {warning}", style="yellow") for warning in self.warnings)
        parts.extend(Text(f"· {note}", style="dim") for note in self.notes)
        if self.report_path is not None:
            parts.append(Text.assemble(("report ", "dim"), (str(self.report_path), "cyan")))
        period = f"{short_time(self.start_ms)} to {short_time(self.end_ms)} UTC, {len(self.candles):,} candles"
        title = Text.assemble((self.candles.symbol, "bold"), f" {self.candles.timeframe}  ", (period, "dim"))
        return Panel(Group(*parts), title=title, title_align="left", border_style="dim", padding=(1, 2), expand=False)

    def write_fills(self, path: Path) -> Path:
        """Write the fills to a parquet file; see `trading.orders.Fills.table`."""
        return self.fills.write(path)

    def write_equity(self, path: Path) -> Path:
        """Write one row a candle to a parquet file.

        Columns are timestamp (int64, open time, ms UTC), equity, cash, position and drawdown (float64).

        Raises
        ------
        Refused
            When the file cannot be written.
        """
        columns = {
            "timestamp": self.candles.timestamp,
            "equity": self.equity,
            "cash": self.cash,
            "position": self.position,
            "drawdown": self.drawdown,
        }
        return write_parquet(pa.table({name: pa.array(column) for name, column in columns.items()}), path)


def plain_json(value: object) -> object:
    """Return a value as plain JSON data: exact numbers as floats, NaN and infinity as None, times and paths as text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(plain_json(key)): plain_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain_json(item) for item in value]
    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | bool | int) else str(value)
