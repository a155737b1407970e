"""Which screens there are: name, key, title and where each is loaded from."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

from automation.interfaces.console.requests import ScreenName

if TYPE_CHECKING:
    from automation.interfaces.console.screens.base import Pane

_FOLDER = "automation.interfaces.console.screens"


@dataclass(frozen=True, slots=True)
class PaneEntry:
    """One screen, not yet loaded.

    Parameters
    ----------
    name : ScreenName
        Its name, which is also its widget's id.
    key : str
        What shows it.
    title, short : str
        What its tab says, and says where there is little room.
    path : str
        ``package.module:Class``.
    """

    name: ScreenName
    key: str
    title: str
    short: str
    path: str

    def load(self) -> type[Pane[object]]:
        """Import and return the class; takes its time, so call it in a thread."""
        module, _, kind = self.path.partition(":")
        return cast("type[Pane[object]]", getattr(import_module(module), kind))


PANES = (
    PaneEntry(ScreenName.OVERVIEW, "1", "Overview", "Overview", f"{_FOLDER}.overview:OverviewPane"),
    PaneEntry(ScreenName.TRADING, "2", "Trading", "Trading", f"{_FOLDER}.trading:TradingPane"),
    PaneEntry(ScreenName.MAINTENANCE, "3", "Maintenance", "Maint.", f"{_FOLDER}.maintenance:MaintenancePane"),
    PaneEntry(ScreenName.IMPROVEMENT, "4", "Improvement", "Improve", f"{_FOLDER}.improvement:ImprovementPane"),
    PaneEntry(ScreenName.LOGS, "5", "Logs", "Logs", f"{_FOLDER}.logs:LogsPane"),
    PaneEntry(ScreenName.SETTINGS, "6", "Settings", "Settings", f"{_FOLDER}.settings:SettingsPane"),
    PaneEntry(ScreenName.COMMANDS, "0", "Commands", "Commands", f"{_FOLDER}.commands:CommandsPane"),
)


def entry_of(name: ScreenName) -> PaneEntry:
    """Return the entry of a screen."""
    return next(entry for entry in PANES if entry.name is name)
