"""An editor for the files of a change: what is written here becomes a proposal of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer

from automation.interfaces.console.widgets.code_area import CodeArea
from automation.interfaces.console.widgets.still import Still

if TYPE_CHECKING:
    from automation.pipeline.hand_edits import EditedFile


class PatchEditor(ModalScreen[Mapping[str, str] | None]):
    """Edit the changed files; answers their texts, or None when nothing is to come of it.

    Parameters
    ----------
    files : sequence of EditedFile
        What the run changes, with its change.
    dark : bool
        Whether the console's theme is dark.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "propose", "Propose", priority=True),
        Binding("ctrl+n", "next", "Next file", priority=True),
        Binding("ctrl+o", "outside", "$EDITOR", priority=True),
        Binding("escape", "leave", "Leave", priority=True),
    ]
    DEFAULT_CSS = """
    PatchEditor { background: $ground; }
    PatchEditor > Vertical { height: 1fr; }
    PatchEditor #place { height: 1; background: $raised; padding: 0 1; }
    PatchEditor CodeArea { height: 1fr; border: none; padding: 0; }
    """

    def __init__(self, files: Sequence[EditedFile], *, dark: bool = True) -> None:
        super().__init__()
        self._files = tuple(files)
        self._texts = {file.path: file.proposed for file in files}
        self._dark = dark
        self._place = 0
        self._left = False

    def compose(self) -> ComposeResult:
        """Yield the editor."""
        with Vertical():
            yield Still(id="place")
            yield CodeArea(id="text", dark=self._dark)
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Show the first file at its first changed line."""
        self._show()

    @property
    def texts(self) -> dict[str, str]:
        """The files as they are now."""
        return {**self._texts, self._files[self._place].path: self.query_one(CodeArea).text}

    def action_propose(self) -> None:
        """Answer the edited files, where anything differs from what the target has."""
        texts = self.texts
        if all(texts[file.path] == file.before for file in self._files):
            self.notify("this is what the repository has already; nothing would change", severity="warning")
            return
        self.dismiss(texts)

    def action_next(self) -> None:
        """Go to the next file."""
        self._texts = self.texts
        self._place = (self._place + 1) % len(self._files)
        self._show()

    def action_outside(self) -> None:
        """Edit the file in the program that $VISUAL or $EDITOR names, and take over what it leaves."""
        words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
        if not words:
            self.notify("neither VISUAL nor EDITOR names an editor; edit here, ctrl+s proposes", severity="warning")
            return
        self._texts = self.texts
        path = self._files[self._place].path
        with tempfile.TemporaryDirectory(prefix="gridbot-edit-") as folder:
            file = Path(folder) / Path(path).name
            file.write_text(self._texts[path], encoding="utf-8", newline="")
            try:
                with self.app.suspend():
                    subprocess.run([*words, str(file)], check=False)  # noqa: S603 - the person's own editor
                self._texts[path] = file.read_bytes().decode()
            except (OSError, SuspendNotSupported, UnicodeDecodeError) as error:
                self.notify(f"{words[0]} cannot be used: {error}", severity="error", markup=False)
        self._show()

    def action_leave(self) -> None:
        """Leave without a proposal; what was written must be left twice."""
        written = any(self.texts[file.path] != file.proposed for file in self._files)
        if written and not self._left:
            self._left = True
            self.notify("Escape once more throws away what you wrote; ctrl+s proposes it", severity="warning")
            return
        self.dismiss(None)

    def _show(self) -> None:
        file = self._files[self._place]
        area = self.query_one(CodeArea)
        area.load(file.path, self._texts[file.path])
        area.move_cursor((_first_changed(file.before or "", self._texts[file.path]), 0), center=True)
        area.focus()
        count = f"  {self._place + 1} of {len(self._files)}" if len(self._files) > 1 else ""
        self.query_one("#place", Still).say(f"{file.path}{count}  ctrl+s has it proven by the tests, as a new proposal")


def _first_changed(before: str, after: str) -> int:
    """Return the first line that differs, from 0."""
    old, new = before.split("\n"), after.split("\n")
    return next((row for row, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
