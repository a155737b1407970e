"""What the health check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from automation.pipeline.health import Check
from trading.errors import ExitCode


@dataclass(frozen=True, slots=True)
class HealthResult:
    """Every check, in the order in which it was made."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> ExitCode:
        """0 when all that is needed is there, 1 otherwise."""
        return ExitCode.DONE if all(check.ok for check in self.checks if check.needed) else ExitCode.FAILED

    def as_json(self) -> dict[str, object]:
        """Return the checks, and whether all that is needed is there."""
        return {"ok": self.exit_code is ExitCode.DONE, "checks": [asdict(check) for check in self.checks]}

    def as_text(self) -> RenderableType:
        """Return one line a check, the hint beneath what is not as it should be."""
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for check in self.checks:
            mark, colour = ("ok", "green") if check.ok else (("fail", "red") if check.needed else ("note", "yellow"))
            detail = Text(check.detail)
            if not check.ok and check.hint:
                detail.append(f"\n{check.hint}", style="dim")
            table.add_row(Text(mark, style=colour), Text(check.name, style="bold"), detail)
        return Group(table, Text(), self._verdict())

    def _verdict(self) -> Text:
        failed = [check.name for check in self.checks if check.needed and not check.ok]
        if failed:
            return Text(f"Not healthy: {', '.join(failed)}.", style="bold red")
        notes = sum(not check.ok for check in self.checks)
        rest = f"; {notes} {'note' if notes == 1 else 'notes'} above" if notes else ""
        return Text(f"Healthy: all that is needed is there{rest}.", style="bold green")
