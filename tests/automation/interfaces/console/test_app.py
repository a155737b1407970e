"""The console as a person uses it: keys, tabs, prompt, forms, permissions, commands, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.widgets import Button, Input

from automation.interfaces.console.app import ConsoleApp, build_console
from automation.interfaces.console.dialogs import Leave, Permit, TypedPermit
from automation.interfaces.console.form import CommandForm
from automation.interfaces.console.key_help import KeyHelp
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.screens.base import Pane
from automation.interfaces.console.screens.commands import CommandsPane
from tests.automation.interfaces.console.console_home import clock
from tests.automation.interfaces.console.piloting import Driven, OneAtATime, driven


@pytest.fixture
def console(own_home: Path, tmp_path: Path) -> ConsoleApp:
    return build_console(
        own_home, tmp_path, screen=ScreenName.COMMANDS, clock=clock, pace=0, executor=OneAtATime(tmp_path)
    )


def drive(app: ConsoleApp, scenario: Callable[[Driven], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    async def play() -> None:
        async with driven(app, size) as console:
            await scenario(console)

    asyncio.run(play())


async def enter(console: Driven, line: str) -> None:
    await console.press("slash")
    console.app.focused.value = line  # type: ignore[union-attr]
    await console.press("enter")


async def ended(console: Driven, number: int = 1) -> None:
    jobs = console.app.desk.jobs
    await console.until(lambda: len(jobs) >= number and jobs[number - 1].ended is not None, "an ended command")


def test_a_typed_command_runs_in_its_own_process_and_its_result_has_several_views(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        await console.says("Nothing was run here yet")
        await enter(console, "gridbot config automation")
        await ended(console)
        await console.says("done", "gridbot config automation", "w rows", "models.roles.orchestrator")
        await console.press("w")
        await console.says("qwen2.5-coder:1.5b, qwen2.5-coder:0.5b")
        await console.press("d")
        await console.says("▼ result", "models.roles.orchestrator.model")
        await enter(console, "sessions show nobody")
        await ended(console, 2)
        await console.says("there is no session nobody")
        pane = console.pane
        assert isinstance(pane, CommandsPane)
        pane.query_one("#jobs").focus()
        await console.press("j")
        await console.until(lambda: pane.chosen is console.app.desk.jobs[0])
        await console.press("y")
        assert console.app.clipboard == "gridbot config automation"

    drive(console, scenario, (100, 30))


def test_what_cannot_be_is_told_in_one_sentence_and_nothing_runs(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        for line, words in (
            ("stop", "missing argument 'SESSION'"),
            ("gridbot no-such", "there is no command"),
            ("console", "does not run in the console"),
            ("gridbot stop 'x", "no closing quotation"),
        ):
            await enter(console, line)
            await console.says(words)
        assert console.app.desk.jobs == []

    drive(console, scenario, (120, 40))


def test_what_changes_more_than_files_asks_and_money_wants_its_name_typed(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        app = console.app
        await enter(console, "runs approve 2026")
        await console.until(lambda: isinstance(app.screen, Permit))
        await console.says("gridbot runs approve 2026", "It writes files")
        # a dialog is not left by a screen's key, nor for the prompt
        await console.press("1", "slash")
        assert (app.wanted, isinstance(app.screen, Permit)) == (ScreenName.COMMANDS, True)
        # the safe answer has the focus
        assert isinstance(app.focused, Button)
        assert app.focused.id == "no"
        await console.press("enter")
        await console.until(lambda: not isinstance(app.screen, Permit))
        assert app.desk.jobs == []
        await enter(console, "stop one")
        await console.until(lambda: isinstance(app.screen, TypedPermit))
        await console.press(*"yes", "enter")
        await console.until(lambda: isinstance(app.focused, Input) and app.focused.value == "")
        assert app.desk.jobs == []
        await console.press(*"stop", "enter")
        await ended(console)
        await console.says("there is no session one")

    drive(console, scenario)


def test_keys_show_screens_help_and_the_other_theme_and_a_broken_screen_says_so(
    console: ConsoleApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(console: Driven) -> None:
        app = console.app
        # what is pressed before the first screen is there must not be taken for a line
        assert not isinstance(app.focused, Input)
        await console.shows("commands")
        await console.press("colon", "5", "slash", "question_mark")
        assert (app.focused, app.prompt.line.value) == (app.prompt.line, "5/?")
        await console.press("escape")
        assert (app.pane, app.prompt.line.value) == (await console.shows("commands"), "")
        await console.press("question_mark")
        await console.until(lambda: isinstance(app.screen, KeyHelp))
        await console.says("This screen", "Copy line", "Everywhere", "Quit")
        await console.press("escape", "ctrl+t")
        assert app.theme == "gridbot-light-truecolor"
        await console.press("5")
        logs = await console.shows("logs")
        await console.says("no logs yet")

        def broken(_: Pane[object]) -> None:
            raise RuntimeError("the disk is gone")

        monkeypatch.setattr(type(logs), "read", broken)
        await console.press("ctrl+r")
        await console.says("unexpected RuntimeError: the disk is gone")
        monkeypatch.undo()
        await console.press("ctrl+r")
        await console.until(lambda: logs.problem == "")
        await console.press("0")
        await console.shows("commands")

    drive(console, scenario)


@pytest.mark.slow
def test_a_form_tells_what_is_wrong_shows_its_command_line_and_runs_it(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        app = console.app
        await console.press("ctrl+p", *"simul")
        await console.says("simulate", "Trade a day on the built-in")
        await console.press("escape")
        app.open_form("config set", {})
        await console.until(lambda: isinstance(app.screen, CommandForm))
        await console.says("NAME *", "dotted name of the setting", "NAME is missing", "Run")
        form = app.screen
        await console.press("ctrl+s")
        assert app.screen is form
        form.query_one("#field-name", Input).value = "repair.samples"
        await console.says("gridbot config set repair.samples", "VALUE is missing")
        form.query_one("#field-value", Input).value = "many words"
        form.query_one("#field-config", Input).value = str(console.app.context.home / "own.json")
        await console.says("'many words'")
        await console.press("ctrl+s")
        await console.until(lambda: isinstance(app.screen, Permit))
        await console.press("right", "enter")
        await ended(console)
        # the values' own check is the command's, and told like its result
        await console.says("refused", "repair.samples cannot be")

    drive(console, scenario)


@pytest.mark.slow
def test_closing_asks_while_commands_are_at_work_and_stops_them_when_told(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        app = console.app
        await enter(console, "exchange --symbol SIM/USDT --minutes 10 --history 10")
        await console.until(lambda: app.desk.jobs and app.desk.jobs[0].view().told, "news of the exchange")
        await console.press("q")
        await console.until(lambda: isinstance(app.screen, Leave))
        await console.says("exchange", "Stay", "Stop them and close")
        await console.press("escape")
        assert app.desk.working
        await console.press("ctrl+c")
        await console.says("asked to stop")
        await ended(console)
        await console.press("q")
        await console.until(lambda: not app.is_running or app._exit)

    drive(console, scenario)


@pytest.mark.slow
def test_whoever_started_a_command_hears_of_its_end_once_though_others_run_beside_it(console: ConsoleApp) -> None:
    async def scenario(console: Driven) -> None:
        heard: list[int] = []
        await console.shows("commands")
        app = console.app
        await console.press("5")
        await console.shows("logs")
        for _ in range(3):
            app.run_command("config automation", {}, then=lambda job: heard.append(job.number))
        await console.until(lambda: len(heard) >= 3, "three ends")
        for number in (1, 2, 3):
            await ended(console, number)
        assert sorted(heard) == [1, 2, 3]
        await console.until(lambda: not app.desk.working)

    drive(console, scenario)
