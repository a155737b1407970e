"""A grid of characters with styles, and the widget that shows one and draws again only the lines that changed."""

from __future__ import annotations

from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Canvas:
    """Characters and their styles, filled from outside.

    Parameters
    ----------
    width, height : int
        Cells.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self._text = [[" "] * self.width for _ in range(self.height)]
        self._style = [[""] * self.width for _ in range(self.height)]

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write text from a cell on, to the right; what falls outside is left out.

        Parameters
        ----------
        x, y : int
            Column and row, from the top left.
        text : str
            One-cell characters.
        style : str
            As rich reads it, such as ``bold #ff0000``.
        """
        if not 0 <= y < self.height:
            return
        for column, character in enumerate(text, x):
            if 0 <= column < self.width:
                self._text[y][column] = character
                self._style[y][column] = style

    def is_free(self, x: int, y: int) -> bool:
        """Return whether nothing was written into a cell."""
        return 0 <= x < self.width and 0 <= y < self.height and self._text[y][x] == " "

    def text(self) -> str:
        """Return the characters alone, a line a row, without blanks at their ends."""
        return "\n".join("".join(row).rstrip() for row in self._text)

    def style_at(self, x: int, y: int) -> str:
        """Return the style of a cell."""
        return self._style[y][x]

    def strips(self) -> list[Strip]:
        """Return the rows as Textual draws them."""
        strips = []
        for characters, styles in zip(self._text, self._style, strict=True):
            cells = zip(styles, characters, strict=True)
            runs = groupby(cells, key=lambda cell: cell[0])
            segments = [Segment("".join(text for _, text in run), Style.parse(style)) for style, run in runs]
            strips.append(Strip(segments, self.width))
        return strips


class CanvasView(Widget):
    """Shows a canvas."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []
        self.drawn_lines = 0

    def draw(self, canvas: Canvas) -> None:
        """Show a canvas in the place of the last one.

        Parameters
        ----------
        canvas : Canvas
            Of the widget's own size.
        """
        old, self._strips = self._strips, canvas.strips()
        changed = [row for row, strip in enumerate(self._strips) if row >= len(old) or strip != old[row]]
        changed += range(len(self._strips), len(old))
        self.drawn_lines += len(changed)
        if changed:
            self.refresh(*(Region(0, row, max(1, self.size.width), 1) for row in changed))

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        width = self.size.width
        if y >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        return self._strips[y].adjust_cell_length(width, self.rich_style).apply_style(self.rich_style)
