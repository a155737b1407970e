"""A text area for code in colours, which need no parser beside the one that the reports use."""

from __future__ import annotations

from rich.syntax import Syntax
from rich.text import Text
from textual.timer import Timer
from textual.widgets import TextArea

_QUIET_S = 0.15
_LONGEST = 400_000
_THEMES = {True: "monokai", False: "friendly"}


class CodeArea(TextArea):
    """Code with line numbers; a changed line is plain until the writer pauses.

    Parameters
    ----------
    dark : bool
        Whether the console's theme is dark.
    """

    DEFAULT_CSS = "CodeArea, CodeArea:focus { border: none; padding: 0; background: $ground; }"

    def __init__(self, *, dark: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(
            id=id, tab_behavior="indent", soft_wrap=False, show_line_numbers=True, highlight_cursor_line=False
        )
        self._colours = _THEMES[dark]
        self._syntax = Syntax("", "text", theme=self._colours, background_color="default")
        self._coloured: list[Text] = []
        self._timer: Timer | None = None

    def load(self, path: str, text: str) -> None:
        """Show a file in the place of the last one.

        Parameters
        ----------
        path : str
            Its name, which says the language.
        text : str
            Its content.
        """
        self._syntax = Syntax("", Syntax.guess_lexer(path, text), theme=self._colours, background_color="default")
        self.load_text(text)
        self._colour()

    def get_line(self, line_index: int) -> Text:
        """Return a line, in colours as long as it is what was coloured."""
        plain = super().get_line(line_index)
        if line_index < len(self._coloured) and self._coloured[line_index].plain == plain.plain:
            plain = self._coloured[line_index].copy()
            plain.end = ""
        return plain

    def on_text_area_changed(self, _: TextArea.Changed) -> None:
        """Colour anew when the writer pauses."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_QUIET_S, self._colour)

    def _colour(self) -> None:
        text = self.text
        if len(text) > _LONGEST:
            self._coloured = []
            return
        self._coloured = list(self._syntax.highlight(text).split("\n", allow_blank=True))
        self.notify_style_update()
