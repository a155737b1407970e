"""The settings in force: value, source and meaning of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import RenderableType
from rich.table import Table

from trading.engine.parameters import derive_parameters
from trading.errors import ExitCode
from trading.market.rules import Market
from trading.profiles import PROFILES
from trading.report.result import plain_json
from trading.sessions.effective import effective_settings
from trading.setting_sources import data_home
from trading.settings import Section, Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its dotted name, value in force, where that comes from, and what it means."""

    name: str
    value: object
    source: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """All settings in force."""

    settings: tuple[Setting, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the settings by dotted name."""
        return {
            setting.name: {"value": plain_json(setting.value), "source": setting.source, "meaning": setting.meaning}
            for setting in self.settings
        }

    def as_text(self) -> RenderableType:
        """Return a table for people."""
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("setting", style="bold", no_wrap=True)
        table.add_column("value", justify="right", overflow="fold", max_width=28)
        table.add_column("from", style="cyan", max_width=24)
        table.add_column("meaning", style="dim")
        for setting in self.settings:
            table.add_row(setting.name, _shown(setting.value), setting.source, setting.meaning)
        return table


def configuration(settings: Settings, sources: Mapping[str, str], market: Market | None) -> Configuration:
    """Return every setting with its value in force.

    Parameters
    ----------
    settings : Settings
        What was set.
    sources : mapping of str to str
        Where each value that is not a default comes from.
    market : Market, optional
        Rules of the market, to derive from; None leaves what hangs on them to be derived.
    """
    derived: Mapping[str, object] = {}
    if market is not None:
        derived = effective_settings(settings, derive_parameters(settings, market), market)
    profile = PROFILES[settings.risk]
    rows = []
    for name, given, meaning in _fields(settings):
        known = (given, sources.get(name, "default"))
        value, source = _derived(name, derived, profile, settings) if given is None else known
        rows.append(Setting(name, value, source, meaning))
    return Configuration(tuple(rows))


def _fields(settings: Settings) -> Iterator[tuple[str, object, str]]:
    for name, content in settings:
        if isinstance(content, Section):
            for field, value in content:
                yield f"{name}.{field}", value, type(content).model_fields[field].description or ""
        else:
            yield name, content, Settings.model_fields[name].description or ""


def _derived(name: str, derived: Mapping[str, object], profile: object, settings: Settings) -> tuple[object, str]:
    from_profile = getattr(profile, "base_trail" if name == "trail.base" else name.partition(".")[2], None)
    if name == "home":
        return data_home(), "default"
    if from_profile is not None:
        return from_profile, f"{settings.risk.value} profile"
    if derived.get(name) is not None:
        source = str(derived["market.source"]) if name.startswith("market.") else "derived"
        return derived[name], source
    return None, "the file's name" if name == "symbol" else "derived from the candles"


def _shown(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}={item}" for name, item in value.items()) or "none"
    return str(value)
