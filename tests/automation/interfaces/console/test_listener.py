"""Plain English at the prompt: what is sure runs and is shown, several steps are a plan, the rest asks or refuses."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from automation.interfaces.console.app import build_console
from automation.interfaces.console.dialogs import Choose, ShowPlan, TypedPermit
from automation.interfaces.console.form import CommandForm
from automation.interfaces.console.requests import ScreenName
from tests.automation.interfaces.console.console_home import clock
from tests.automation.interfaces.console.piloting import Driven, OneAtATime, driven


async def _say(console: Driven, sentence: str) -> None:
    await console.press("slash")
    console.app.prompt.line.value = sentence
    await console.press("enter")


@pytest.mark.slow
def test_sentences_become_commands_plans_questions_and_refusals(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # words alone are compared, which needs no model and is quick
    monkeypatch.setattr("automation.assistant.opening.sentence_model", lambda: None)
    app = build_console(
        own_home, tmp_path, screen=ScreenName.COMMANDS, clock=clock, pace=0, executor=OneAtATime(tmp_path)
    )

    async def play() -> None:
        async with driven(app, (100, 30)) as console:
            await console.shows("commands")
            await _say(console, "list my sessions")
            await console.until(lambda: app.desk.jobs and app.desk.jobs[0].ended, "the sessions")
            assert app.desk.jobs[0].command.name == "sessions"
            await _say(console, 'ask "list the runs, then show the settings"')
            await console.until(lambda: isinstance(app.screen, ShowPlan))
            await console.says("1  gridbot runs list", "2  gridbot config show")
            await console.press("enter")
            await console.until(lambda: len(app.desk.jobs) == 3 and app.desk.jobs[2].ended, "both steps")
            assert [job.command.name for job in app.desk.jobs[1:]] == ["runs list", "config show"]
            await _say(console, "stop the session one")
            await console.until(lambda: isinstance(app.screen, TypedPermit | CommandForm | Choose))
            await console.press("escape")
            await _say(console, "make me a coffee with milk")
            await console.says("no command for that")
            assert len(app.desk.jobs) == 3

    asyncio.run(play())
