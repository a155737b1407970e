"""The command palette: every command of the registry, every screen, and the theme."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from automation.interfaces.console.entries import PANES, PaneEntry
from trading.commands import Command

if TYPE_CHECKING:
    from automation.interfaces.console.app import ConsoleApp


class PaletteCommands(Provider):
    """Finds commands by name, by what they do, and by how people say it."""

    @property
    def console(self) -> ConsoleApp:
        """The application."""
        return cast("ConsoleApp", self.app)

    async def discover(self) -> Hits:
        """Yield every command while nothing is typed."""
        for command in self.console.context.registry:
            yield DiscoveryHit(command.name, self._open(command), help=_help(command))
        for entry in PANES:
            yield DiscoveryHit(_screen(entry), partial(self.console.action_pane, entry.name.value))

    async def search(self, query: str) -> Hits:
        """Yield the commands that fit what was typed, the best first."""
        matcher = self.matcher(query)
        for command in self.console.context.registry:
            score = matcher.match(command.name)
            if score or _tells(command, query):
                shown = matcher.highlight(command.name) if score else command.name
                yield Hit(score or _BY_MEANING, shown, self._open(command), text=command.name, help=_help(command))
        for entry in PANES:
            score = matcher.match(_screen(entry))
            if score:
                shown = matcher.highlight(_screen(entry))
                yield Hit(score, shown, partial(self.console.action_pane, entry.name.value))
        score = matcher.match(_THEME)
        if score:
            yield Hit(score, matcher.highlight(_THEME), self.console.action_theme)

    def _open(self, command: Command) -> partial[None]:
        return partial(self.console.open_form, command.name, {})


# what a command is called weighs more than what it says of itself
_BY_MEANING = 0.2
_THEME = "Change between the dark and the light theme"


def _tells(command: Command, query: str) -> bool:
    told = " ".join((command.summary, *command.phrases)).lower()
    return all(word in told for word in query.lower().split())


def _screen(entry: PaneEntry) -> str:
    return f"Show the screen {entry.title} ({entry.key})"


def _help(command: Command) -> str:
    return f"[{command.risk.value}] {command.summary}".replace("[", "\\[")
