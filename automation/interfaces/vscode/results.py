"""What the commands on VS Code did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Files of ``.vscode/``.

    Parameters
    ----------
    changed, unchanged : tuple of Path
        Those that were out of step, and the rest.
    is_check : bool
        Whether nothing was written.
    """

    changed: tuple[Path, ...]
    unchanged: tuple[Path, ...]
    is_check: bool

    @property
    def exit_code(self) -> ExitCode:
        """1 when a check found something out of step."""
        return ExitCode.FAILED if self.is_check and self.changed else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the names of the files."""
        return {
            "changed": [str(path) for path in self.changed],
            "unchanged": [str(path) for path in self.unchanged],
            "written": bool(self.changed) and not self.is_check,
        }

    def as_text(self) -> RenderableType:
        """Return a line a file."""
        if not self.changed:
            return f"{len(self.unchanged)} files of .vscode/ are in step with the registry."
        word, style = ("out of step", "red") if self.is_check else ("written", "green")
        lines = [Text(f"{word}  {path}", style=style) for path in self.changed]
        return Group(*lines, *(["`gridbot vscode sync` writes them anew."] if self.is_check else []))


@dataclass(frozen=True, slots=True)
class InstallResult:
    """The user's shortcuts.

    Parameters
    ----------
    file : Path
        keybindings.json.
    backup : Path or None
        A copy of it as it was; None when there was none or nothing changed.
    keys : tuple of str
        GridBot's shortcuts in it now.
    left_out : mapping of str to str
        Keys that are the user's own, and what they do.
    changed : bool
        Whether the file was written.
    """

    file: Path
    backup: Path | None
    keys: tuple[str, ...]
    left_out: Mapping[str, str]
    changed: bool

    @property
    def exit_code(self) -> ExitCode:
        """DONE; NOTHING_TO_DO when all was so already."""
        return ExitCode.DONE if self.changed else ExitCode.NOTHING_TO_DO

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        return {
            "file": str(self.file),
            "backup": str(self.backup) if self.backup else None,
            "keys": list(self.keys),
            "left_out": dict(self.left_out),
            "changed": self.changed,
        }

    def as_text(self) -> RenderableType:
        """Return what is in the file now."""
        what = f"{len(self.keys)} shortcuts of GridBot are in" if self.keys else "No shortcut of GridBot is in"
        lines: list[RenderableType] = [Text(f"{what} {self.file}.")]
        if self.keys:
            lines.append(Text("  " + ", ".join(self.keys), style="dim"))
        lines += [
            Text(f"{key} stays yours ({command}); --force takes it", style="yellow")
            for key, command in self.left_out.items()
        ]
        if self.backup:
            lines.append(Text(f"Before: {self.backup}", style="dim"))
        return Group(*lines)
