"""The chart of one session: candles, the grid, own trades."""

from __future__ import annotations

from textual import events

from automation.interfaces.console.theme import DARK, Palette
from automation.interfaces.console.widgets.candle_drawing import Picture, draw_candles
from automation.interfaces.console.widgets.canvas import CanvasView


class CandleChart(CanvasView):
    """Candles drawn in the terminal; fits its size."""

    DEFAULT_CSS = "CandleChart { height: 1fr; min-height: 5; background: $ground; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._picture = Picture()
        self._palette = DARK

    def show(self, picture: Picture, palette: Palette) -> None:
        """Draw.

        Parameters
        ----------
        picture : Picture
            What to show.
        palette : Palette
            Colours.
        """
        self._picture, self._palette = picture, palette
        self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Draw in the new size."""
        self._draw()

    def _draw(self) -> None:
        if self.size.width and self.size.height:
            self.draw(draw_candles(self._picture, self.size.width, self.size.height, self._palette))
