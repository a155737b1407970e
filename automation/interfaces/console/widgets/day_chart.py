"""A chart of one figure by day: bars, stacked where they have parts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import RenderResult
from textual_plotext import PlotextPlot

_TICKS = 3
# title, frame and dates above and below the field; axis and frame beside it
_AROUND, _BESIDE = 4, 2
# of so many half columns a day one is left blank
_GAP_FROM = 3
_DATE_CELLS = 11
_STEPS, _WHOLE_STEPS = (1, 2, 2.5, 5, 10), (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bars.

    Parameters
    ----------
    name : str
        What it counts.
    values : tuple of float
        For each day; what is not known counts as nothing.
    colour : str
        ``#rrggbb``.
    """

    name: str
    values: tuple[float, ...]
    colour: str


@dataclass(frozen=True, slots=True)
class DayBars:
    """What a chart shows.

    Parameters
    ----------
    title : str
        What the bars are.
    labels : tuple of str
        For each day, such as ``11-21``.
    parts : tuple of Part
        From the bottom up.
    empty : str
        What is said when there is no bar.
    counts : bool
        Whether the values are whole numbers.
    """

    title: str
    labels: tuple[str, ...]
    parts: tuple[Part, ...]
    empty: str = "nothing in these days"
    counts: bool = False

    @property
    def highest(self) -> float:
        """The height of the highest bar."""
        heights = [sum(part.values[day] for part in self.parts) for day in range(len(self.labels))]
        return max((height for height in heights if math.isfinite(height)), default=0.0)


class DayChart(PlotextPlot):
    """Bars by day; fits its size, and is drawn again only when it shows something else."""

    DEFAULT_CSS = "DayChart { background: $raised; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.bars: DayBars | None = None

    def show(self, bars: DayBars) -> None:
        """Draw.

        Parameters
        ----------
        bars : DayBars
            What to show.
        """
        if bars != self.bars:
            self.bars = bars
            self.refresh()

    def render(self) -> RenderResult:
        """Return the chart."""
        bars = self.bars
        if bars is None:
            return Text()
        if not bars.highest or self.size.height < 5 or self.size.width < 16:
            return Text(f" {bars.title}\n\n  {bars.empty if not bars.highest else ''}")
        self._plot_bars(bars)
        drawn = super().render()
        if isinstance(drawn, Text) and len(bars.parts) > 1:
            # the names of the parts in the title are the legend
            for part in bars.parts:
                drawn.highlight_regex(rf"\b{re.escape(part.name)}\b", f"bold {part.colour}")
        return drawn

    def _plot_bars(self, bars: DayBars) -> None:
        plt, ticks = self.plt, ticks_up_to(bars.highest, whole=bars.counts)
        labels = [short_number(tick) for tick in ticks]
        columns = self.size.width - max(map(len, labels)) - _BESIDE
        rows = self.size.height - _AROUND
        plt.clear_figure()
        # plotext rounds bars to rows in its own way and lets them overlap; points of half a cell stay where they are
        for part, points in zip(bars.parts, bar_points(bars, columns, rows, ticks[-1]), strict=True):
            if points:
                across, up = zip(*points, strict=True)
                plt.scatter(list(across), list(up), color=_rgb(part.colour), marker="hd")
        wide, high = 2 * columns, 2 * rows
        plt.xlim(0, wide - 1)
        plt.ylim(0, high - 1)
        plt.yticks([tick / ticks[-1] * (high - 1) for tick in ticks], labels)
        days = len(bars.labels)
        every = max(1, -(-days * _DATE_CELLS // max(1, columns)))
        shown = range(days)[::-every][::-1]
        plt.xticks([(day + 0.5) / days * wide - 0.5 for day in shown], [bars.labels[day] for day in shown])
        plt.title(bars.title)


def bar_points(bars: DayBars, columns: int, rows: int, top: float) -> list[list[tuple[int, int]]]:
    """Return the half cells that each part covers, from the bottom left.

    Parameters
    ----------
    bars : DayBars
        What to show.
    columns, rows : int
        Cells of the field.
    top : float
        The value at its upper edge.

    Returns
    -------
    list of list of (int, int)
        For each part: half columns to the right and half rows up, both from 0. Where one part ends and the next begins
        is a whole row, since a cell has one colour; a part that is not nothing has one at least.
    """
    covered: list[list[tuple[int, int]]] = [[] for _ in bars.parts]
    days = len(bars.labels)
    each = 2 * columns / days
    for day in range(days):
        first, last = round(day * each), round((day + 1) * each) - (1 if each >= _GAP_FROM else 0)
        # more days than half columns share them
        last = max(last, first + 1)
        at, height = 0, 0.0
        for number, part in enumerate(bars.parts):
            height += part.values[day]
            is_last = not any(other.values[day] for other in bars.parts[number + 1 :])
            end = round(height / top * rows * 2) if is_last else 2 * round(height / top * rows)
            if part.values[day] > 0:
                end = min(2 * rows, max(end, at + (1 if is_last else 2)))
                covered[number] += [(x, y) for x in range(first, last) for y in range(at, end)]
                at = end
    return covered


def ticks_up_to(highest: float, *, whole: bool = False) -> list[float]:
    """Return round numbers from 0 on, the last one at the highest value or over it.

    Parameters
    ----------
    highest : float
        Over 0.
    whole : bool
        Whether only whole numbers make sense.
    """
    wanted = max(1.0, highest / _TICKS) if whole else highest / _TICKS
    size = 10.0 ** math.floor(math.log10(wanted))
    step = next(size * factor for factor in (_WHOLE_STEPS if whole else _STEPS) if size * factor >= wanted * (1 - 1e-9))
    return [step * number for number in range(math.ceil(highest / step - 1e-9) + 1)]


def short_number(value: float) -> str:
    """Return a number in a few characters: 12, 2.5, 40k, 1.5M."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.3g}"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def day_values(values: Sequence[float | None]) -> tuple[float, ...]:
    """Return values with nothing for what is not known."""
    return tuple(0.0 if value is None else float(value) for value in values)
