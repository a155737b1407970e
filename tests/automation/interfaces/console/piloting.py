"""A console that a test drives: it waits for messages, never for time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from automation.interfaces.console.app import ConsoleApp
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.execution import Executor

_PATIENCE_S = 60.0


class OneAtATime(Executor):
    """Starts commands and keeps none ready: a test starts a few at most."""

    def warm(self) -> None:
        pass


@dataclass
class Driven:
    """A console under test."""

    app: ConsoleApp
    pilot: Pilot[None]
    heard: asyncio.Event
    settling: bool = False

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait for messages until a condition holds."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._settle()
                while not condition():
                    await self.heard.wait()
                    await self._settle()
        except TimeoutError:
            raise AssertionError(f"it never came to {what or condition}; the screen says:\n{self.text()}") from None

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def shows(self, name: str) -> Pane[object]:
        """Wait until a screen is shown and has read."""
        await self.until(lambda: self.pane is not None and self.pane.id == name and self._has_read(), f"screen {name}")
        assert self.pane is not None
        return self.pane

    async def says(self, *words: str) -> None:
        """Wait until all words stand on the terminal."""
        await self.until(lambda: all(word in self.text() for word in words), f"{words}")

    @property
    def pane(self) -> Pane[object] | None:
        return self.app.pane

    def text(self) -> str:
        """What stands on the terminal now."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)

    async def _settle(self) -> None:
        self.heard.clear()
        self.settling = True
        try:
            await self.pilot.pause()
        finally:
            self.settling = False

    def hear(self, message: Message) -> None:
        """Wake who waits, but not for the questions by which the pilot finds out that all is idle."""
        if not (self.settling and isinstance(message, events.Callback)):
            self.heard.set()

    def _has_read(self) -> bool:
        pane = self.pane
        return pane is not None and (pane.facts is not None or pane.problem != "" or pane.id == "commands")


@asynccontextmanager
async def driven(app: ConsoleApp, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Driven]:
    """Open a console on a terminal that is none."""
    heard = asyncio.Event()
    listeners: list[Driven] = []

    def hook(message: Message) -> None:
        for listener in listeners:
            listener.hear(message)

    async with app.run_test(size=size, notifications=True, message_hook=hook) as pilot:
        listeners.append(Driven(app, pilot, heard))
        yield listeners[0]


def plain(widget: Static) -> str:
    """Return what a static widget says."""
    content = widget.content
    return content.plain if isinstance(content, Text) else str(content)
