"""What the configuration commands hand back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from rich.console import RenderableType
from rich.table import Table

from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class ShownSetting:
    """One setting: its dotted name, value in force, where that comes from, and what it means."""

    name: str
    value: object
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ShownConfig:
    """All settings of the maintenance wing; ``file`` is None where the defaults hold."""

    file: str | None
    settings: tuple[ShownSetting, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the settings by dotted name."""
        return {
            setting.name: {"value": setting.value, "source": setting.source, "meaning": setting.meaning}
            for setting in self.settings
        }

    def as_text(self) -> RenderableType:
        """Return a table for people."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("setting", style="bold", no_wrap=True)
        table.add_column("value", justify="right", overflow="fold", max_width=28)
        table.add_column("from", style="cyan", overflow="fold", max_width=24)
        table.add_column("meaning", style="dim")
        for setting in self.settings:
            table.add_row(setting.name, shown(setting.value), setting.source, setting.meaning)
        return table


@dataclass(frozen=True, slots=True)
class ConfigSet:
    """A value that was written into the configuration file."""

    name: str
    before: object
    after: object
    file: str

    @property
    def exit_code(self) -> ExitCode:
        """Done; nothing to do when the value was that already."""
        return ExitCode.NOTHING_TO_DO if self.before == self.after else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the name, both values and the file."""
        return asdict(self)

    def as_text(self) -> RenderableType:
        """Return one line."""
        if self.before == self.after:
            return f"{self.name} is {shown(self.after)} already in {self.file}"
        return f"{self.name}: {shown(self.before)} -> {shown(self.after)}, written to {self.file}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to know of one setting.

    Parameters
    ----------
    name, wing : str
        Dotted name, and ``trading`` or ``automation``.
    meaning, kind, allowed : str
        What it does, its type, and its bounds or choices.
    default, value : object
        Without anyone's doing, and in force; None is derived at run time.
    source : str
        Where the value in force comes from.
    how_to_set : str
        One sentence.
    """

    name: str
    wing: str
    meaning: str
    kind: str
    allowed: str
    default: object
    value: object
    source: str
    how_to_set: str

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return every part by name."""
        return asdict(self)

    def as_text(self) -> RenderableType:
        """Return a table of two columns."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="dim", no_wrap=True)
        table.add_column()
        table.add_row("setting", self.name)
        table.add_row("meaning", self.meaning)
        table.add_row("type", self.kind)
        table.add_row("allowed", self.allowed or "any")
        table.add_row("default", shown(self.default))
        table.add_row("value", f"{shown(self.value)} ({self.source})")
        table.add_row("to set it", self.how_to_set)
        return table


def shown(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)
