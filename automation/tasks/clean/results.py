"""What can go, or what went."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from automation.tasks.clean.policy import Leftover
from trading.errors import ExitCode

_SHOWN = 40


@dataclass(frozen=True, slots=True)
class CleanResult:
    """One cleaning.

    Parameters
    ----------
    home : Path
        Where was looked.
    found : tuple of Leftover
        What is old enough.
    removed : bool
        Whether it was removed.
    kept : mapping of str to str
        What could not be removed, and why.
    """

    home: Path
    found: tuple[Leftover, ...]
    removed: bool
    kept: dict[str, str]

    @property
    def exit_code(self) -> ExitCode:
        """0, 1 when something could not be removed, 6 when there is nothing to remove."""
        if not self.found:
            return ExitCode.NOTHING_TO_DO
        return ExitCode.FAILED if self.kept else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON."""
        items = [{**asdict(each), "path": str(each.path), "age_days": round(each.age_days, 2)} for each in self.found]
        total = sum(each.bytes for each in self.found)
        return {"home": str(self.home), "removed": self.removed, "bytes": total, "found": items, "kept": self.kept}

    def as_text(self) -> RenderableType:
        """Return a table of what can go, the largest first, and what to do."""
        if not self.found:
            return Text(f"Nothing in {self.home} is old enough to go.")
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading, justify in (("kind", "left"), ("size", "right"), ("days", "right"), ("path", "left")):
            table.add_column(heading, justify="right" if justify == "right" else "left", overflow="fold")
        largest = sorted(self.found, key=lambda each: (-each.bytes, str(each.path)))
        for each in largest[:_SHOWN]:
            place = each.path.relative_to(self.home)
            table.add_row(each.kind, decimal(each.bytes), f"{each.age_days:.0f}", str(place))
        more = len(self.found) - _SHOWN
        parts: list[RenderableType] = [table]
        if more > 0:
            parts.append(Text(f"and {more} more", style="dim"))
        parts += [Text(f"{path} stays: {why}", style="red") for path, why in self.kept.items()]
        return Group(*parts, Text(), self._verdict())

    def _verdict(self) -> Text:
        total = decimal(sum(each.bytes for each in self.found if str(each.path) not in self.kept))
        number = len(self.found) - len(self.kept)
        what = f"{number} {'thing' if number == 1 else 'things'}, {total}"
        if self.removed:
            return Text(f"Removed {what} from {self.home}.", style="bold")
        return Text(f"{what} in {self.home} can go; `gridbot clean --yes` removes them.", style="bold")
