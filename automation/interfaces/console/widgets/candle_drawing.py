"""Candles in a grid of characters: half a row is the finest step, a column is one candle or several together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from automation.interfaces.console.data.trading_records import Bar, OwnFill, Slot, Standing
from automation.interfaces.console.theme import Palette
from automation.interfaces.console.widgets.canvas import Canvas

# by what the upper and the lower half of a row hold: nothing, wick or body
_GLYPHS = {
    ("", "wick"): "╷",
    ("", "body"): "╻",
    ("wick", ""): "╵",
    ("wick", "wick"): "│",
    ("wick", "body"): "╽",
    ("body", ""): "╹",
    ("body", "wick"): "╿",
    ("body", "body"): "┃",
}
_LEVEL = "┄"
_BOUGHT, _SOLD = "▲", "▼"
_PADDING = 0.04
# a level outside of what the candles span is shown when it is no further away than this share of the span
_NEAR = 0.35
_LABEL_ROWS, _TIME_COLUMNS = 4, 14
_LEAST_WIDTH, _LEAST_HEIGHT = 16, 4
# what is drawn over what
_RANK = {Standing.FLAT: 0, Standing.BLOCKED: 1, Standing.HELD: 2, Standing.ARMED: 3, Standing.WORKING: 4}


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart shows.

    Parameters
    ----------
    bars : sequence of Bar
        Oldest first.
    slots : sequence of Slot
        The grid.
    fills : sequence of OwnFill
        Own trades.
    price : float or None
        The newest; None where it is not known.
    places : int
        Digits behind the point of a price.
    zoom : int
        Candles in one column.
    """

    bars: Sequence[Bar] = ()
    slots: Sequence[Slot] = ()
    fills: Sequence[OwnFill] = ()
    price: float | None = None
    places: int = 2
    zoom: int = 1


def level_colour(standing: Standing, palette: Palette) -> str:
    """Return the colour of a level by what it is doing."""
    return {
        Standing.FLAT: palette.frame,
        Standing.ARMED: palette.warn,
        Standing.WORKING: palette.accent,
        Standing.HELD: palette.price,
        Standing.BLOCKED: palette.bad,
    }[standing]


def draw_candles(picture: Picture, width: int, height: int, palette: Palette) -> Canvas:
    """Return the chart: candles, grid levels, own fills, prices on the right, times below.

    Parameters
    ----------
    picture : Picture
        What to show.
    width, height : int
        Cells.
    palette : Palette
        Colours.
    """
    canvas = Canvas(width, height)
    gutter = max((len(f"{bar.high:.{picture.places}f}") for bar in picture.bars[-width:]), default=0) + 2
    columns, rows = width - gutter, height - 1
    if not picture.bars or columns < _LEAST_WIDTH or rows < _LEAST_HEIGHT:
        if not picture.bars:
            canvas.put(2, min(1, height - 1), "no candles yet", palette.quiet)
        return canvas
    bars = grouped(picture.bars, picture.zoom)[-columns:]
    scale = _scale(bars, picture, rows)
    left = columns - len(bars)
    _draw_levels(canvas, picture, scale, columns, palette)
    for column, bar in enumerate(bars, left):
        _draw_bar(canvas, column, bar, scale, palette)
    _draw_fills(canvas, picture, bars, left, scale, palette)
    _draw_prices(canvas, picture, scale, columns, palette)
    _draw_times(canvas, bars, left, palette)
    return canvas


def grouped(bars: Sequence[Bar], zoom: int) -> list[Bar]:
    """Return candles that each take so many of the given ones, the newest one perhaps fewer.

    Parameters
    ----------
    bars : sequence of Bar
        Oldest first.
    zoom : int
        How many make one.
    """
    if zoom <= 1 or len(bars) < 2:
        return list(bars)
    step_ms = zoom * min(after.time_ms - before.time_ms for before, after in pairwise(bars))
    groups: dict[int, list[Bar]] = {}
    for bar in bars:
        groups.setdefault(bar.time_ms // step_ms * step_ms, []).append(bar)
    return [
        Bar(
            time_ms,
            group[0].open,
            max(bar.high for bar in group),
            min(bar.low for bar in group),
            group[-1].close,
            all(bar.is_filled for bar in group),
        )
        for time_ms, group in groups.items()
    ]


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    rows: int

    def half(self, price: float) -> int:
        """Return the half row of a price, from the top."""
        return round((self.high - price) / (self.high - self.low) * (2 * self.rows - 1))

    def row(self, price: float) -> int:
        return self.half(price) // 2

    def price(self, row: int) -> float:
        """Return the price in the middle of a row."""
        return self.high - (2 * row + 0.5) / (2 * self.rows - 1) * (self.high - self.low)


def _scale(bars: Sequence[Bar], picture: Picture, rows: int) -> _Scale:
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    if picture.price is not None:
        low, high = min(low, picture.price), max(high, picture.price)
    span = (high - low) or high * 0.001
    prices = [float(slot.price) for slot in picture.slots]
    under = max((price for price in prices if low - _NEAR * span <= price < low), default=low)
    over = min((price for price in prices if high < price <= high + _NEAR * span), default=high)
    return _Scale(under - _PADDING * span, over + _PADDING * span, rows)


def _draw_levels(canvas: Canvas, picture: Picture, scale: _Scale, columns: int, palette: Palette) -> None:
    for slot in sorted(picture.slots, key=lambda slot: _RANK[slot.standing]):
        price = float(slot.price)
        if scale.low <= price <= scale.high:
            row = scale.row(price)
            canvas.put(0, row, _LEVEL * columns, level_colour(slot.standing, palette))
            label = f"{slot.price:.{picture.places}f}"
            canvas.put(columns + 1, row, label, level_colour(slot.standing, palette))


def _draw_bar(canvas: Canvas, column: int, bar: Bar, scale: _Scale, palette: Palette) -> None:
    top, bottom = scale.half(bar.high), scale.half(bar.low)
    body_top, body_bottom = scale.half(max(bar.open, bar.close)), scale.half(min(bar.open, bar.close))
    colour = palette.good if bar.close >= bar.open else palette.bad
    if bar.is_filled:
        colour = palette.quiet

    def part(half: int) -> str:
        if body_top <= half <= body_bottom:
            return "body"
        return "wick" if top <= half <= bottom else ""

    for row in range(top // 2, bottom // 2 + 1):
        canvas.put(column, row, _GLYPHS[part(2 * row), part(2 * row + 1)], colour)


def _draw_fills(
    canvas: Canvas, picture: Picture, bars: Sequence[Bar], left: int, scale: _Scale, palette: Palette
) -> None:
    for fill in picture.fills:
        column = _column_of(fill.time_ms, bars)
        price = float(fill.price)
        if column is None or not scale.low <= price <= scale.high:
            continue
        colour = palette.buy if fill.side > 0 else palette.sell
        mark = _BOUGHT if fill.side > 0 else _SOLD
        canvas.put(left + column, scale.row(price), mark, f"bold {palette.ground} on {colour}")


def _column_of(time_ms: int, bars: Sequence[Bar]) -> int | None:
    if not bars or time_ms < bars[0].time_ms:
        return None
    low, high = 0, len(bars) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if bars[middle].time_ms <= time_ms else (low, middle - 1)
    return low


def _draw_prices(canvas: Canvas, picture: Picture, scale: _Scale, columns: int, palette: Palette) -> None:
    for row in range(1, scale.rows, _LABEL_ROWS):
        if all(canvas.is_free(columns + 1, near) for near in (row - 1, row, row + 1) if 0 <= near < scale.rows):
            canvas.put(columns + 1, row, f"{scale.price(row):.{picture.places}f}", palette.quiet)
    if picture.price is not None:
        row = scale.row(picture.price)
        text = f"{picture.price:.{picture.places}f}"
        canvas.put(columns, row, f" {text} ".ljust(canvas.width - columns), f"bold {palette.ground} on {palette.price}")


def _draw_times(canvas: Canvas, bars: Sequence[Bar], left: int, palette: Palette) -> None:
    row, day = canvas.height - 1, ""
    for column in range(0, len(bars) - 6, _TIME_COLUMNS):
        moment = datetime.fromtimestamp(bars[column].time_ms / 1_000, UTC)
        today = f"{moment:%m-%d}"
        text = f"{moment:%H:%M}" if today == day else f"{moment:%m-%d %H:%M}"
        day = today
        canvas.put(left + column, row, text, palette.quiet)
