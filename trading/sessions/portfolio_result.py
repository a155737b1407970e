"""``PortfolioResult``: what several symbols on one capital made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import ExitCode
from trading.market.timeframes import timeframe_ms
from trading.market.times import iso
from trading.orders import Fills, Trades
from trading.report.result import plain_json


@dataclass(frozen=True, slots=True, eq=False)
class SymbolResult:
    """One symbol's part.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    candles : int
        Candles traded on.
    fills : Fills
        Its fills; cash is that of the whole portfolio.
    trades : Trades
        Its closed trades.
    position, value : float
        What it holds at the end, base currency, and what that is worth, quote currency.
    """

    symbol: str
    candles: int
    fills: Fills
    trades: Trades
    position: float
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class PortfolioResult:
    """The outcome of a portfolio's backtest.

    Parameters
    ----------
    timeframe, currency : str
        Shared by all symbols.
    timestamp : ndarray of int64, shape (n,)
        Open times at which any symbol had a candle, milliseconds UTC.
    equity : ndarray of float64, shape (n,)
        Of the whole, quote currency.
    capital : Decimal
        Quote currency before the first candle.
    symbols : tuple of SymbolResult
        In the order in which they were given, which is also the order of their turns within a candle.
    metrics : mapping
        Figures of the whole.
    halted : str or None
        Why trading stopped.
    timing : mapping
        Seconds.
    fill_rules : mapping of str to float
        Total return under ``touch`` and under ``penetration``.
    warnings : tuple of str
        What a reader must know, a sentence each.
    """

    timeframe: str
    timestamp: NDArray[np.int64]
    equity: NDArray[np.float64]
    capital: Decimal
    currency: str
    symbols: tuple[SymbolResult, ...]
    metrics: Mapping[str, float | int | None]
    halted: str | None
    timing: Mapping[str, float] = field(default_factory=dict)
    fill_rules: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def end_ms(self) -> int:
        """Close time of the last candle, milliseconds UTC."""
        return int(self.timestamp[-1]) + timeframe_ms(self.timeframe)

    @property
    def exit_code(self) -> ExitCode:
        """Done, also when trading was halted."""
        return ExitCode.DONE

    def trade_hash(self) -> str:
        """Return one sha256 over the trade hashes of all symbols in their order."""
        return hashlib.sha256("".join(symbol.fills.trade_hash() for symbol in self.symbols).encode()).hexdigest()

    def as_json(self) -> dict[str, object]:
        """Return the result as plain JSON data."""
        parts = {
            symbol.symbol: {
                "candles": symbol.candles,
                "fills": len(symbol.fills),
                "trades": len(symbol.trades),
                "profit": float(symbol.trades.pnl.sum()),
                "fees": symbol.fills.fees,
                "position": symbol.position,
                "value": symbol.value,
                "trade_hash": symbol.fills.trade_hash(),
            }
            for symbol in self.symbols
        }
        content = {
            "symbols": list(parts),
            "timeframe": self.timeframe,
            "candles": len(self.timestamp),
            "start": iso(int(self.timestamp[0])),
            "end": iso(self.end_ms),
            "capital": self.capital,
            "final_equity": float(self.equity[-1]),
            "currency": self.currency,
            "halted": self.halted,
            "metrics": self.metrics,
            "by_symbol": parts,
            "timing": self.timing,
            "trade_hash": self.trade_hash(),
            "fill_rules": self.fill_rules,
            "warnings": self.warnings,
        }
        return {name: plain_json(value) for name, value in content.items()}

    def as_text(self) -> RenderableType:
        """Return a headline and a table by symbol."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("symbol", "fills", "trades", "profit", "fees", "position", "value"):
            table.add_column(name, justify="left" if name == "symbol" else "right")
        for symbol in self.symbols:
            table.add_row(
                symbol.symbol,
                f"{len(symbol.fills):,}",
                f"{len(symbol.trades):,}",
                f"{symbol.trades.pnl.sum():+,.2f}",
                f"{symbol.fills.fees:,.2f}",
                f"{symbol.position:g}",
                f"{symbol.value:,.2f}",
            )
        total = self.equity[-1] / float(self.capital) - 1
        headline = Text(f"{total:+.2%}  {self.capital:,.2f} → {self.equity[-1]:,.2f} {self.currency}\n", style="bold")
        halted = [Text(f"halted: {self.halted}", style="bold yellow")] if self.halted else []
        warnings = [Text(f"! {warning}", style="yellow") for warning in self.warnings]
        return Group(headline, table, *halted, *warnings)
