"""One screen of the console alone on a terminal, so that nothing but the screen decides what a picture of it shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.theme import theme_name, themes
from automation.interfaces.execution import Executor
from automation.registry import gridbot_registry


def context(home: Path, root: Path, now_ms: int) -> ConsoleContext:
    """Return surroundings whose clock stands still, and whose screens read only when they are asked to."""
    return ConsoleContext(home, root, gridbot_registry(), Executor(root), lambda: now_ms, pace=0)


class Stage(App[None]):
    """Shows one screen, or one widget, in the console's colours; what it asks the console to run is kept."""

    def __init__(self, shown: Widget, theme: str = "dark") -> None:
        super().__init__()
        self.shown = shown
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        for one in themes():
            self.register_theme(one)
        self.theme = theme_name(theme)

    def compose(self) -> ComposeResult:
        yield self.shown

    def run_command(self, name: str, values: Mapping[str, object], *, then: Callable[..., None] | None = None) -> None:
        self.asked.append((name, values))

    def complain(self, problem: str) -> None:
        self.notify(problem)


def once_shown(pane: Pane[object]) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Return what waits until a screen has drawn what it read."""

    async def wait(pilot: Pilot[None]) -> None:
        while pane.facts is None:
            await pilot.pause()
        await pilot.pause()

    return wait
