"""A patch in colours."""

from __future__ import annotations

from rich.text import Text

from automation.interfaces.console.theme import Palette


def diff_text(patch: str, palette: Palette) -> Text:
    """Return a unified diff with added and removed lines, places and files in their colours.

    Parameters
    ----------
    patch : str
        Unified diff, of one file or several.
    palette : Palette
        The colours.
    """
    text = Text(no_wrap=True)
    for line in patch.splitlines():
        text.append(line.expandtabs(4) + "\n", _style(line, palette))
    return text


def _style(line: str, palette: Palette) -> str:
    if line.startswith(("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "similarity", "rename ")):
        return f"bold {palette.quiet}"
    if line.startswith("@@"):
        return palette.accent
    if line.startswith("+"):
        return palette.good
    return palette.bad if line.startswith("-") else palette.ink
