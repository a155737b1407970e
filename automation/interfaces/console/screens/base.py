"""The contract between the console and its screens.

A screen is a `Pane`: a Textual container that the console mounts when it is first looked at, and that reads its facts
in a daemon thread and draws them in the event loop. A whole screen is::

    class UptimePane(Pane[float]):
        EVERY_S = 5.0
        BINDINGS = [Binding("s", "stop_all", "Stop all")]
        DEFAULT_CSS = "UptimePane #uptime { color: $good; }"

        def body(self) -> ComposeResult:            # widgets, once
            yield Static(id="uptime")

        def read(self) -> float:                    # in a thread: may block, must not touch widgets
            return seconds_since(self.context.home / "started")

        def show(self, facts: float) -> None:       # in the event loop: must not block
            self.query_one("#uptime", Static).update(f"{facts:.0f} s")

        def action_stop_all(self) -> None:
            self.run_command("stop", {"session": "paper-btc-usdt"}, then=self.stopped)

        def stopped(self, job: Job) -> None:        # in the event loop, when the command has ended
            self.reread()

Facts travel as frozen dataclasses. `read` may raise: a `GridBotError`'s sentence (or any error's) stands in a line on
top of the screen until the next `read` succeeds, and what was shown stays. While a `read` is at work no second one
begins. It is called when the screen is shown, then every ``EVERY_S`` seconds times the context's ``pace`` while it is
shown, and by `reread` at once. After `show`, a `Pane.Shown` message is posted, after a failure a `Pane.Failed`:
that is what tests wait for.

Everything that a person asks for goes through `run_command`, which asks first where
`trading.commands.permission(command, Face.CONSOLE)` says so, runs it in a process of its own, and lists it on the
screen Commands. What a screen only wants to know may be read from files and databases directly, or asked by
``self.context.answer("health")``, inside `read`.

Keys that belong to the console: 0 to 6, ``/``, ctrl+space, ctrl+p, ``?``, F1, ctrl+q, ``q``, ctrl+c, ctrl+r (read
anew), ctrl+t (theme). Screens take letters, and show at most four of them in the footer (``show=False`` for the rest;
the key help lists them all by their descriptions). Everything works without a mouse, at 80 columns and 24 lines: a
screen then has 80 x 20. Colours: CSS variables of `automation.interfaces.console.theme.Palette` (``$good``, ``$bad``,
``$warn``, ``$quiet``, ``$buy``, ``$sell``, ``$price``, ``$frame``, ``$raised``, ``$lifted``, ``$accent``), and
``self.palette`` for what is drawn by hand; `redraw` is called when the theme changes.

Other slow work of a screen: `automation.interfaces.console.background.in_background`. A patch in colours:
`automation.interfaces.console.diff.diff_text`. A question of one's own:
``self.app.push_screen(ModalScreen subclass, callback)``.

Tests build a console with `automation.interfaces.console.app.build_console(home=, root=, clock=, pace=0)` and drive it
with ``tests.automation.interfaces.console.piloting.driven(console, size=(80, 24))``: ``await console.until(condition)``
waits for messages, never for time.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from automation.interfaces.console.background import in_background, sentence_of
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.theme import Palette, palette_of

if TYPE_CHECKING:
    from automation.interfaces.console.app import ConsoleApp

Facts = TypeVar("Facts")


class Pane(Vertical, Generic[Facts], can_focus=True):
    """One screen of the console; see the module's own text."""

    EVERY_S: ClassVar[float] = 2.0

    DEFAULT_CSS = """
    Pane { height: 1fr; background: $ground; color: $ink; }
    Pane > .problem { height: auto; max-height: 3; color: $bad; background: $raised; padding: 0 1; display: none; }
    Pane > .problem.said { display: block; }
    Pane > .reading { display: none; padding: 1 2; color: $quiet; }
    Pane.unread > * { display: none; }
    Pane.unread > .reading { display: block; }
    Pane.unread > .problem.said { display: block; }
    """

    class Shown(Message):
        """A pane has drawn what it read.

        Parameters
        ----------
        pane : Pane
            Which.
        """

        def __init__(self, pane: Pane[Facts]) -> None:
            self.pane = pane
            super().__init__()

    class Failed(Message):
        """A pane could not read.

        Parameters
        ----------
        pane : Pane
            Which.
        problem : str
            Why, in one sentence.
        """

        def __init__(self, pane: Pane[Facts], problem: str) -> None:
            self.pane = pane
            self.problem = problem
            super().__init__()

    def __init__(self, context: ConsoleContext, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.context = context
        self.facts: Facts | None = None
        self.add_class("unread")
        self.problem = ""
        # mangled, so that a screen's own names cannot take their place
        self.__reading = False
        self.__again = False
        self.__timer: Timer | None = None

    @abstractmethod
    def body(self) -> ComposeResult:
        """Yield the widgets."""

    @abstractmethod
    def read(self) -> Facts:
        """Return the facts; called in a thread."""

    @abstractmethod
    def show(self, facts: Facts) -> None:
        """Draw the facts; called in the event loop."""

    def redraw(self) -> None:
        """Draw again what is shown, in the colours of the theme that has just been chosen."""
        if self.facts is not None:
            self.show(self.facts)

    def focus_first(self) -> None:
        """Give the focus to the first widget that takes it, or to the screen itself, so that its keys work."""
        first = next((widget for widget in self.query("*") if widget.focusable), self)
        first.focus()

    def take_focus(self) -> None:
        """Take the focus: what comes first, or before the first reading the screen itself, so that its keys work."""
        if self.has_class("unread"):
            self.focus()
        else:
            self.focus_first()

    def look_at(self, what: str) -> None:
        """Look at one of the things that the screen shows; a screen of one thing has nothing to do.

        Parameters
        ----------
        what : str
            Its name.
        """

    def reread(self) -> None:
        """Read and draw anew, as soon as a reading at work has ended."""
        if self.__reading:
            self.__again = True
            return
        self.__reading = True
        in_background(self, self.read, self.__drawn, self.__failed)

    def run_command(
        self, name: str, values: Mapping[str, object], *, then: Callable[[Job], None] | None = None
    ) -> None:
        """Run a command that a person asked for, after asking them where the registry says so.

        Parameters
        ----------
        name : str
            Name in the registry.
        values : mapping of str to object
            Of its request, by field name, as JSON data.
        then : callable, optional
            Called in the event loop when it has ended; never when the person refused.
        """
        self.console.run_command(name, values, then=then)

    @property
    def console(self) -> ConsoleApp:
        """The application."""
        return cast("ConsoleApp", self.app)

    @property
    def palette(self) -> Palette:
        """The colours of the theme in use."""
        return palette_of(self.app.theme)

    def compose(self) -> ComposeResult:
        """Yield the line for problems, then the screen's own widgets."""
        yield Static(classes="problem", markup=False)
        yield Static("reading …", classes="reading")
        yield from self.body()

    def on_show(self, _: events.Show) -> None:
        """Begin to read."""
        self.reread()
        if self.__timer is None and self.context.pace > 0:
            self.__timer = self.set_interval(self.EVERY_S * self.context.pace, self.reread)
        elif self.__timer is not None:
            self.__timer.resume()

    def on_hide(self, _: events.Hide) -> None:
        """Read no more while nobody looks."""
        if self.__timer is not None:
            self.__timer.pause()

    def __failed(self, problem: str) -> None:
        self.__end_reading(problem)
        self.post_message(self.Failed(self, problem))

    def __drawn(self, facts: Facts) -> None:
        if not self.has_class("unread"):
            self.__draw(facts)
            return
        self.remove_class("unread")
        # what fits itself to its size must have one first
        self.call_after_refresh(self.__draw, facts)
        if self.has_focus:
            self.call_after_refresh(self.take_focus)

    def __draw(self, facts: Facts) -> None:
        self.facts = facts
        try:
            self.show(facts)
        except Exception as error:  # noqa: BLE001 - a screen must outlive whatever lies in the data home
            self.__failed(sentence_of(error))
            return
        self.__end_reading("")
        self.post_message(self.Shown(self))

    def __end_reading(self, problem: str) -> None:
        self.__reading = False
        self.problem = problem
        line = self.query_one(".problem", Static)
        line.update(problem)
        line.set_class(bool(problem), "said")
        if self.__again:
            self.__again = False
            self.reread()
