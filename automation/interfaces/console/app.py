"""The console itself: tabs, screens, prompt, palette, and the commands at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.theme import Theme
from textual.widgets import ContentSwitcher, Footer, Input, Static

from automation.interfaces.command_line import parse_line
from automation.interfaces.console.background import in_background
from automation.interfaces.console.context import ConsoleContext
from automation.interfaces.console.desk import JobDesk
from automation.interfaces.console.dialogs import Leave, Leaving
from automation.interfaces.console.entries import PANES, PaneEntry, entry_of
from automation.interfaces.console.form import CommandForm
from automation.interfaces.console.jobs import Job
from automation.interfaces.console.key_help import KeyHelp
from automation.interfaces.console.listener import Listener
from automation.interfaces.console.palette import PaletteCommands
from automation.interfaces.console.requests import ScreenName, ThemeName
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.screens.commands import CommandsPane
from automation.interfaces.console.theme import PALETTES, Depth, ansi_colours, theme_name, themes
from automation.interfaces.console.widgets.job_line import JobLine
from automation.interfaces.console.widgets.prompt import Prompt, PromptInput
from automation.interfaces.console.widgets.tab_line import TabLine
from automation.interfaces.execution import Executor
from automation.registry import gridbot_registry
from trading.commands import Face

_OPENING = "opening"
# actions whose keys are letters, digits or signs
_TYPED = frozenset({"pane", "prompt", "press", "keys", "leave"})


def wall_clock_ms() -> int:
    """Return the time in milliseconds UTC."""
    return time.time_ns() // 1_000_000


class _Ground(Screen[object]):
    # the prompt would take it, and with it the keys that are pressed before the first pane is there
    AUTO_FOCUS = ""


class ConsoleApp(App[None]):
    """The console.

    Parameters
    ----------
    context : ConsoleContext
        Where things lie and how commands run.
    screen : ScreenName
        What is shown first.
    theme : ThemeName
        Dark or light.
    depth : Depth
        Colours of the terminal.
    """

    TITLE = "GridBot"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {PaletteCommands}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        # with priority, because what is typed right behind them must find the focus where they lead
        *(Binding(entry.key, f"pane('{entry.name.value}')", entry.title, show=False, priority=True) for entry in PANES),
        Binding("slash,colon", "prompt", "Prompt", key_display="/", priority=True),
        Binding("ctrl+space,ctrl+@", "to_prompt", "Prompt", show=False),
        Binding("j", "press('down')", "Down", show=False),
        Binding("k", "press('up')", "Up", show=False),
        Binding("question_mark,f1", "keys", "Keys", key_display="?"),
        Binding("ctrl+r", "reread", "Read anew", show=False),
        Binding("ctrl+t", "theme", "Dark or light theme", show=False),
        Binding("ctrl+c", "cancel", "Stop the newest command", show=False, priority=True),
        Binding("q,ctrl+q", "leave", "Quit", key_display="q"),
    ]
    CSS = """
    #panes { height: 1fr; }
    #opening { padding: 1 2; color: $quiet; }
    Input > .input--placeholder, Input > .input--suggestion { color: $quiet; }
    Footer { background: $raised; }
    Toast { max-width: 70; }
    """

    def __init__(
        self, context: ConsoleContext, screen: ScreenName, theme: ThemeName, depth: Depth = Depth.TRUE
    ) -> None:
        super().__init__()
        self.context = context
        self.desk = JobDesk(self)
        self.listener = Listener(self)
        self.wanted = screen
        self._sought: tuple[ScreenName, str] | None = None
        for own in themes():
            self.register_theme(own)
        self.ansi_theme_dark, self.ansi_theme_light = (ansi_colours(PALETTES[name.value, depth]) for name in ThemeName)
        self._themes = [theme_name(name.value, depth) for name in ThemeName]
        self.theme = theme_name(theme.value, depth)

    def get_default_screen(self) -> Screen[object]:
        """Return the screen beneath all dialogs; nothing in it has the focus until a person or a pane takes it."""
        return _Ground(id="_default")

    def compose(self) -> ComposeResult:
        """Yield the frame; screens come when they are looked at."""
        yield TabLine()
        with ContentSwitcher(id="panes", initial=_OPENING):
            yield Static("opening …", id=_OPENING)
        yield JobLine()
        yield Prompt(command.name for command in self.context.registry)
        yield Footer(compact=True, show_command_palette=True)

    def on_mount(self) -> None:
        """Show the first screen, and have a process ready for the first command."""
        self.theme_changed_signal.subscribe(self, self._recolour)
        self.action_pane(self.wanted.value)
        if self.context.pace > 0:
            in_background(self, self.context.executor.warm, lambda _: None, self.complain)

    @property
    def panes(self) -> ContentSwitcher:
        """Where the screens are."""
        return self.screen_stack[0].query_one("#panes", ContentSwitcher)

    @property
    def prompt(self) -> Prompt:
        """Where commands and sentences are typed."""
        return self.screen_stack[0].query_one(Prompt)

    @property
    def pane(self) -> Pane[object] | None:
        """The screen that is shown; None until the first one is there."""
        shown = self.panes.visible_content
        return shown if isinstance(shown, Pane) else None

    def run_command(
        self, name: str, values: Mapping[str, object], *, then: Callable[[Job], None] | None = None, show: bool = False
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
        show : bool
            Go to the screen Commands when it begins.
        """
        self.desk.run(name, values, then, face=Face.CONSOLE, show=show)

    def open_form(self, name: str, values: Mapping[str, object]) -> None:
        """Ask for a command's values in a form, then run it.

        Parameters
        ----------
        name : str
            Name in the registry.
        values : mapping of str to object
            What is filled in already.
        """
        command = self.context.registry[name]

        def opened(model: type[BaseModel]) -> None:
            self.push_screen(CommandForm(command, model, values), filled)

        def filled(chosen: dict[str, object] | None) -> None:
            if chosen is not None:
                self.run_command(name, chosen, show=True)

        in_background(self, command.load_request, opened, self.complain)

    def edit_line(self, line: str) -> None:
        """Open the form of an exact command line, filled in as the line has it."""
        parsed = partial(parse_line, self.context.registry, line)
        in_background(self, parsed, lambda found: self.open_form(found.command.name, found.values), self.complain)

    def complain(self, problem: str) -> None:
        """Tell a person what is wrong, in one sentence."""
        self.notify(problem, severity="error", markup=False, timeout=8)

    def job_changed(self, job: Job) -> None:
        """Show how a command stands now, wherever that shows."""
        base = self.screen_stack[0]
        base.query_one(JobLine).tell(self.desk.jobs)
        base.query_one(TabLine).working = len(self.desk.working)
        for pane in base.query(CommandsPane):
            pane.tell(job)

    def cancel(self, job: Job) -> None:
        """Ask a command to stop and keep what it has; the second time it is killed."""
        again = job.cancelled
        job.cancel()
        words = f"{job.command.name}: killed" if again else f"{job.command.name}: asked to stop; once more kills it"
        self.notify(words, severity="warning", markup=False)
        self.job_changed(job)

    def action_pane(self, name: str) -> None:
        """Show a screen; the first time it is loaded and mounted."""
        entry = entry_of(ScreenName(name))
        self.wanted = entry.name
        self.screen_stack[0].query_one(TabLine).shown = entry.name
        if self.panes.query(f"#{name}"):
            self._reveal(name)
        else:
            self.panes.current = _OPENING
            self._focus(None)
            in_background(self, entry.load, partial(self._mount_pane, entry), self.complain)

    def look_at(self, screen: ScreenName, what: str) -> None:
        """Show a screen, and on it one thing.

        Parameters
        ----------
        screen : ScreenName
            Which screen.
        what : str
            Name of a session or id of a run.
        """
        self._sought = screen, what
        self.action_pane(screen.value)

    def action_press(self, key: str) -> None:
        """Do what another key does: hands that stay on the letters move in lists too."""
        self.simulate_key(key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the keys that are text to a line of text, and to dialogs.

        Parameters
        ----------
        action : str
            Its name.
        parameters : tuple
            What it is given.
        """
        return action not in _TYPED or not (isinstance(self.focused, Input) or len(self.screen_stack) > 1)

    def action_to_prompt(self) -> None:
        """Go to the prompt from wherever text is typed."""
        self.action_prompt()

    def action_prompt(self) -> None:
        """Go to the prompt."""
        self.screen.set_focus(self.prompt.line)
        if self.context.pace > 0:
            self.listener.prepare()

    def action_keys(self) -> None:
        """Show what each key does here."""
        self.push_screen(KeyHelp(self.screen.active_bindings.values()))

    def action_reread(self) -> None:
        """Read the screen's facts anew."""
        if self.pane is not None:
            self.pane.reread()

    def action_theme(self) -> None:
        """Change between the dark and the light theme."""
        self.theme = self._themes[self._themes.index(self.theme) - 1]

    def action_cancel(self) -> None:
        """Stop the command under the cursor on the screen Commands, elsewhere the newest."""
        pane = self.pane
        job = pane.chosen if isinstance(pane, CommandsPane) else next(reversed(self.desk.working), None)
        if job is not None and job.ended is None:
            self.cancel(job)
        else:
            self.notify("no command is at work; q closes the console")

    def action_leave(self) -> None:
        """Close; while commands are at work, ask what becomes of them."""
        working = self.desk.working
        if not working:
            self.exit()
            return
        others = tuple(job.command.name for job in working if not job.trades)
        sessions = tuple(job.command.name for job in working if job.trades)
        self.push_screen(Leave(others, sessions), self._left)

    def on_tab_line_chosen(self, message: TabLine.Chosen) -> None:
        """Show the screen whose tab was clicked."""
        self.screen.set_focus(None)
        self.action_pane(message.name.value)

    def on_prompt_input_left(self, _: PromptInput.Left) -> None:
        """Go back to the screen."""
        self._leave_prompt()

    def on_prompt_asked(self, message: Prompt.Asked) -> None:
        """Run an exact command line, or find out what a sentence means."""
        self._leave_prompt()
        self.listener.hear(message.line)

    def on_unmount(self) -> None:
        """Send the waiting process home; commands at work go on."""
        self.context.executor.close()

    def _leave_prompt(self) -> None:
        if self.pane is not None:
            self.pane.take_focus()
        else:
            self.screen.set_focus(None)

    async def _mount_pane(self, entry: PaneEntry, kind: type[Pane[object]]) -> None:
        if self.panes.query(f"#{entry.name.value}"):
            return
        pane = kind(self.context, id=entry.name.value)
        # hidden at first: it reads when it is shown
        pane.display = False
        await self.panes.mount(pane)
        if self.wanted is entry.name:
            self._reveal(entry.name.value)

    def _reveal(self, name: str) -> None:
        self.panes.current = name
        if self.pane is not None and self._sought is not None and self._sought[0].value == name:
            self.pane.look_at(self._sought[1])
            self._sought = None
        if self.pane is not None and self._focus(self.pane):
            self.call_after_refresh(self._settle, self.pane)

    def _focus(self, pane: Pane[object] | None) -> bool:
        # what is being typed at the prompt goes on there
        if len(self.screen_stack) > 1 or self.prompt.line.has_focus:
            return False
        self.screen.set_focus(pane)
        return True

    def _settle(self, pane: Pane[object]) -> None:
        if pane.has_focus:
            pane.take_focus()

    def _left(self, choice: Leaving | None) -> None:
        if choice in (None, Leaving.STAY):
            return
        if choice is Leaving.STOP:
            for job in self.desk.working:
                if not job.trades:
                    job.cancel()
        self.exit()

    def _recolour(self, _: Theme) -> None:
        base = self.screen_stack[0]
        base.query_one(TabLine).refresh()
        base.query_one(JobLine).tell(self.desk.jobs)
        for pane in base.query(Pane):  # type: ignore[type-abstract]
            pane.redraw()


def build_console(
    home: Path,
    root: Path,
    *,
    screen: ScreenName = ScreenName.OVERVIEW,
    theme: ThemeName = ThemeName.DARK,
    depth: Depth = Depth.TRUE,
    clock: Callable[[], int] = wall_clock_ms,
    pace: float = 1.0,
    executor: Executor | None = None,
) -> ConsoleApp:
    """Return a console that has not been opened yet.

    Parameters
    ----------
    home : Path
        The data home.
    root : Path
        The repository that maintenance is about.
    screen : ScreenName
        What is shown first.
    theme : ThemeName
        Dark or light.
    depth : Depth
        Colours of the terminal.
    clock : callable
        Milliseconds UTC.
    pace : float
        Factor on how often screens read anew; 0 lets them read only when they are first shown or asked to.
    executor : Executor, optional
        Runs the commands; None takes one of the console's own.
    """
    registry = gridbot_registry()
    context = ConsoleContext(home, root.resolve(), registry, executor or Executor(root), clock, pace)
    return ConsoleApp(context, screen, theme, depth)
