"""A chart of one figure by day: bars, stacked where they have parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.app import RenderResult
from textual_plotext import PlotextPlot

_TICKS = 3
_DATE_CELLS = 11
_STEPS = (1, 2, 2.5, 5, 10)


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
    """

    title: str
    labels: tuple[str, ...]
    parts: tuple[Part, ...]
    empty: str = "nothing in these days"

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
        return super().render()

    def _plot_bars(self, bars: DayBars) -> None:
        plt, days = self.plt, list(range(len(bars.labels)))
        plt.clear_figure()
        values = [list(part.values) for part in bars.parts]
        colours = [_rgb(part.colour) for part in bars.parts]
        if len(values) > 1:
            # a colour for each part, which its annotation does not know
            plt.stacked_bar(days, values, color=colours, width=0.8)  # type: ignore[arg-type]
        else:
            plt.bar(days, values[0], color=colours[0], width=0.8)
        ticks = ticks_up_to(bars.highest)
        plt.ylim(0, max(bars.highest, ticks[-1]))
        plt.yticks(ticks, [short_number(tick) for tick in ticks])
        every = max(1, -(-len(days) * _DATE_CELLS // max(1, self.size.width - 8)))
        shown = days[::-every][::-1]
        plt.xticks([float(day) for day in shown], [bars.labels[day] for day in shown])
        plt.xlim(-0.5, len(days) - 0.5)
        plt.title(bars.title)


def ticks_up_to(highest: float) -> list[float]:
    """Return round numbers from 0 on, the last one at the highest value or over it.

    Parameters
    ----------
    highest : float
        Over 0.
    """
    wanted = highest / _TICKS
    size = 10.0 ** math.floor(math.log10(wanted))
    step = next(size * factor for factor in _STEPS if size * factor >= wanted * (1 - 1e-9))
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
