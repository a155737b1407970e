"""A text that is drawn again only when it says something else."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class Still(Static):
    """Shows a text."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes, markup=False)
        self._said = Text()

    @property
    def said(self) -> str:
        """What it shows, without colours."""
        return self._said.plain

    def say(self, text: Text | str) -> None:
        """Show a text in the place of the last one.

        Parameters
        ----------
        text : Text or str
            Plain text is shown as it is, with no markup.
        """
        wanted = Text(text) if isinstance(text, str) else text
        if wanted != self._said or wanted.style != self._said.style:
            self._said = wanted
            self.update(wanted)
