"""What the console is asked for."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from trading.market.requests import HomeRequest


class ScreenName(StrEnum):
    """The screens, in the order of their keys."""

    OVERVIEW = "overview"
    TRADING = "trading"
    MAINTENANCE = "maintenance"
    IMPROVEMENT = "improvement"
    LOGS = "logs"
    SETTINGS = "settings"
    COMMANDS = "commands"


class ThemeName(StrEnum):
    """The console's own themes."""

    DARK = "dark"
    LIGHT = "light"


class ConsoleRequest(HomeRequest):
    """How the console opens."""

    screen: ScreenName = Field(ScreenName.OVERVIEW, description="screen that is shown first")
    theme: ThemeName = Field(ThemeName.DARK, description="colours")
    path: Path = Field(
        Path(), description="repository that the maintenance commands are about", json_schema_extra={"kind": "folder"}
    )
