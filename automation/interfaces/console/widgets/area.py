"""A series of numbers as an area under its line, drawn with eighths of a character."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from rich.text import Text
from textual.reactive import reactive
from textual.widget import Widget

from automation.interfaces.console.theme import palette_of

_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Area(Widget):
    """Draws a series as wide and as high as it is itself, from its least value to its greatest."""

    DEFAULT_CSS = "Area { height: 1fr; }"

    series: reactive[tuple[float, ...]] = reactive(())

    def render(self) -> Text:
        """Return the picture."""
        palette = palette_of(self.app.theme)
        rows = area_rows(self.series, self.size.width, self.size.height)
        text = Text(no_wrap=True)
        above = ""
        for number, row in enumerate(rows):
            text.append("\n" if number else "")
            # the line itself is bright, what lies under it is its shadow
            below_line = [column < len(above) and above[column] != " " for column in range(len(row))]
            for is_shadow, run in groupby(zip(below_line, row, strict=True), key=itemgetter(0)):
                text.append("".join(part for _, part in run), palette.shade if is_shadow else palette.price)
            above = row
        return text


def area_rows(series: Sequence[float], width: int, height: int) -> list[str]:
    """Return the lines of a picture, the uppermost first.

    Parameters
    ----------
    series : sequence of float
        Oldest first; the newest of those that share a column is drawn.
    width, height : int
        Columns and lines.

    Returns
    -------
    list of str
        ``height`` lines of at most ``width`` characters; the least value is one eighth high.
    """
    if not series or width < 1 or height < 1:
        return []
    columns = min(width, len(series))
    newest = [series[(column + 1) * len(series) // columns - 1] for column in range(columns)]
    low, span = min(newest), max(newest) - min(newest)
    full = height * 8
    eighths = [1 + round((value - low) / span * (full - 1)) if span else full // 2 for value in newest]
    # a short series is stretched over the whole width
    stretched = [eighths[column * columns // width] for column in range(width)]
    return ["".join(_EIGHTHS[min(max(high - row * 8, 0), 8)] for high in stretched) for row in reversed(range(height))]
