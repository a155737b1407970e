"""Geometry of the report's figures: heatmaps, histogram and bars; the page only paints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.orders import Trades
from trading.report.formats import money, number, percent, short_time

Floats = NDArray[np.float64]

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MAX_LEVEL_ROWS = 48
_PERIODS = 24
_BINS = 32
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One coloured value: ``strength`` 0 to 1 and ``sign`` "up", "down" or "flat" give the colour."""

    text: str
    title: str
    sign: str
    strength: float


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of cells with its total; an empty cell is None."""

    label: str
    cells: tuple[Cell | None, ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a chart: ``start`` and ``size`` are shares of the chart's height or width."""

    label: str
    title: str
    text: str
    sign: str
    start: float
    size: float


def cell(value: float, largest: float, text: str, title: str) -> Cell:
    """Return a cell whose colour is the value's share of the largest."""
    return Cell(text, title, sign_of(value), round(min(1.0, abs(value) / largest) ** 0.7 if largest > 0 else 0.0, 3))


def sign_of(value: float | None) -> str:
    """Return "up", "down" or "flat"."""
    return "flat" if not value else "up" if value > 0 else "down"


def monthly_heatmap(returns: Mapping[str, float]) -> tuple[Row, ...]:
    """Return one row a year with a cell for each month, and the year's compounded return."""
    largest = max((abs(value) for value in returns.values()), default=0.0)
    rows = []
    for year in sorted({month[:4] for month in returns}):
        values = [returns.get(f"{year}-{month:02d}") for month in range(1, 13)]
        cells = tuple(
            None if value is None else cell(value, largest, percent(value, 1), f"{name} {year}: {percent(value)}")
            for name, value in zip(MONTHS, values, strict=True)
        )
        total = float(np.prod([1 + value for value in values if value is not None])) - 1
        rows.append(Row(year, cells, cell(total, largest, percent(total, 1), f"{year}: {percent(total)}")))
    return tuple(rows)


def level_heatmap(trades: Trades, start_ms: int, end_ms: int) -> tuple[Row, ...]:
    """Return one row a level (the highest first) with the profit closed in each part of the run.

    Parameters
    ----------
    trades : Trades
        Closed trades.
    start_ms, end_ms : int
        The run; it is cut into 24 equal parts.
    """
    if not len(trades):
        return ()
    labels, row = _level_rows(trades.level)
    part = np.minimum((trades.exit_timestamp - start_ms) * _PERIODS // max(end_ms - start_ms, 1), _PERIODS - 1)
    where = row * _PERIODS + part
    size = len(labels) * _PERIODS
    profit = np.bincount(where, weights=trades.pnl, minlength=size).reshape(-1, _PERIODS)
    count = np.bincount(where, minlength=size).reshape(-1, _PERIODS)
    largest, largest_total = float(np.abs(profit).max()), float(np.abs(profit.sum(axis=1)).max())
    edges = [start_ms + (end_ms - start_ms) * edge // _PERIODS for edge in range(_PERIODS + 1)]
    rows = []
    for index in reversed(range(len(labels))):
        cells = tuple(
            cell(
                value,
                largest,
                "",
                f"level {labels[index]}, {short_time(edge)}: {money(value, signed=True)}, {n} trades",
            )
            if n
            else None
            for value, n, edge in zip(profit[index].tolist(), count[index].tolist(), edges[:-1], strict=True)
        )
        total, closed = float(profit[index].sum()), int(count[index].sum())
        title = f"level {labels[index]}: {money(total, signed=True)} in {closed} trades"
        rows.append(Row(labels[index], cells, cell(total, largest_total, money(total, signed=True), title)))
    return tuple(rows)


def _level_rows(level: NDArray[np.int32]) -> tuple[list[str], NDArray[np.int64]]:
    levels, code = np.unique(level, return_inverse=True)
    band = -(-len(levels) // _MAX_LEVEL_ROWS)
    groups = [levels[first : first + band] for first in range(0, len(levels), band)]
    labels = [f"{group[0]}" if len(group) == 1 else f"{group[0]} to {group[-1]}" for group in groups]
    return labels, code.astype(np.int64) // band


def trade_histogram(trades: Trades) -> tuple[Bar, ...]:
    """Return the distribution of the trades' returns; the outer bars hold the outer 1% each, and 0 is an edge."""
    if not len(trades):
        return ()
    returns = trades.returns
    low, high = (float(edge) for edge in np.quantile(returns, (0.01, 0.99)))
    low, high = min(low, 0.0), max(high, 0.0)
    width = max((high - low) / _BINS, 1e-6)
    first, last = int(np.floor(low / width)), max(int(np.ceil(high / width)), int(np.floor(low / width)) + 1)
    place = np.clip(np.floor(returns / width).astype(np.int64), first, last - 1)
    counts = np.bincount(place - first, minlength=last - first)
    return tuple(
        Bar(
            label=percent(edge * width, 2),
            title=f"{percent(edge * width)} to {percent((edge + 1) * width)}: {count} trades",
            text=str(count),
            sign="up" if edge >= 0 else "down",
            start=0.0,
            size=round(count / counts.max(), 4),
        )
        for edge, count in zip(range(first, last), counts.tolist(), strict=True)
    )


def profit_by_hour(trades: Trades) -> tuple[Bar, ...]:
    """Return the profit of closed trades by UTC hour of closing, as bars around a zero line."""
    if not len(trades):
        return ()
    profit = np.bincount(trades.exit_timestamp // _HOUR_MS % 24, weights=trades.pnl, minlength=24)
    named = [(f"{hour:02d}", value, f"{hour:02d}:00 UTC") for hour, value in enumerate(profit.tolist())]
    return signed_bars(named)


def signed_bars(named: Sequence[tuple[str, float, str]]) -> tuple[Bar, ...]:
    """Return bars around a common zero line.

    Parameters
    ----------
    named : sequence of (label, value, title)
        The title is followed by the value.
    """
    values = [value for _, value, _ in named]
    top, bottom = max(0.0, *values), min(0.0, *values)
    span = (top - bottom) or 1.0
    return tuple(
        Bar(
            label=label,
            title=f"{title}: {money(value, signed=True)}",
            text=money(value, signed=True),
            sign=sign_of(value),
            start=round((top - max(value, 0.0)) / span, 4),
            size=round(abs(value) / span, 4),
        )
        for label, value, title in named
    )


def agent_rows(agents: Sequence[Mapping[str, object]], profit: Mapping[str, float]) -> tuple[dict[str, object], ...]:
    """Return one row an agent (and one for the grid) with its votes and its share of the profit."""
    by_name = {str(agent.get("name", "")): agent for agent in agents}
    names = list(dict.fromkeys([*by_name, *profit]))
    largest = max((abs(value) for value in profit.values()), default=0.0)
    rows = []
    for name in names:
        agent, earned = by_name.get(name, {}), profit.get(name)
        rows.append(
            {
                "name": name,
                "skipped": agent.get("skipped") or "",
                "weight": number(_float(agent.get("weight"))),
                "signals": number(_float(agent.get("signals")), 0),
                "hit_rate": percent(_float(agent.get("hit_rate")), 1, signed=False),
                "confidence": percent(_float(agent.get("mean_confidence")), 1, signed=False),
                "profit": money(earned, signed=True),
                "sign": sign_of(earned),
                "size": round(abs(earned or 0.0) / largest, 4) if largest > 0 else 0.0,
            }
        )
    return tuple(rows)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float | np.number) else None
