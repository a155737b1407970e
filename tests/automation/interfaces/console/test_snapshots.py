"""How the console looks: pictures that were looked at by a person, drawn again from the same home and the same time.

``pytest --snapshot-update`` draws them anew; look at them before you commit them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from automation.interfaces.console.app import ConsoleApp, build_console
from automation.interfaces.console.form import CommandForm
from automation.interfaces.console.key_help import KeyHelp
from automation.interfaces.console.requests import ScreenName, ThemeName
from automation.interfaces.console.screens.overview import OverviewPane
from automation.pipeline.health import Check
from automation.tasks.health.results import HealthResult
from tests.automation.interfaces.console.console_home import clock, furnish
from tests.automation.interfaces.console.piloting import Driven, OneAtATime, driven


class Picture(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "svg"


@pytest.fixture
def picture(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(Picture)


HEALTHY = HealthResult(
    (
        Check("python", ok=True, detail="CPython 3.11"),
        Check("models: ollama", ok=False, detail="no Ollama answers", needed=False, hint="start it"),
    )
)


def drawn(app: ConsoleApp, size: tuple[int, int], scenario: Callable[[Driven], Awaitable[None]]) -> str:
    async def play() -> str:
        async with driven(app, size) as console:
            await scenario(console)
            await console.pilot.pause()
            return app.export_screenshot()

    return asyncio.run(play())


def console(home: Path, root: Path, screen: ScreenName, theme: ThemeName = ThemeName.DARK) -> ConsoleApp:
    furnish(home, root)
    return build_console(home, root, screen=screen, theme=theme, clock=clock, pace=0, executor=OneAtATime(root))


@pytest.mark.parametrize(
    ("size", "theme"), [((80, 24), ThemeName.DARK), pytest.param((120, 40), ThemeName.LIGHT, marks=pytest.mark.slow)]
)
def test_overview(
    picture: SnapshotAssertion,
    own_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    theme: ThemeName,
) -> None:
    # what this machine lacks is no matter of the picture
    monkeypatch.setattr(OverviewPane, "ask_health", lambda _: HEALTHY.as_json())
    # the folder of the test stands in the sentence on the damaged journal
    monkeypatch.chdir(tmp_path)

    async def scenario(console: Driven) -> None:
        pane = await console.shows("overview")
        await console.says("all that is needed is there", "paper-btc-usdt", "unreadable", "could not begin")
        assert isinstance(pane, OverviewPane)

    assert drawn(console(own_home, tmp_path, ScreenName.OVERVIEW, theme), size, scenario) == picture


@pytest.mark.slow
def test_logs(picture: SnapshotAssertion, own_home: Path, tmp_path: Path) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("logs")
        await console.says("order rejected")
        await console.press("l", "l", "l")
        await console.says("debug+", "tick")

    assert drawn(console(own_home, tmp_path, ScreenName.LOGS), (80, 24), scenario) == picture


@pytest.mark.slow
def test_form(picture: SnapshotAssertion, own_home: Path, tmp_path: Path) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("logs")
        console.app.open_form("fix", {"max_minutes": "soon"})
        await console.until(lambda: isinstance(console.app.screen, CommandForm))
        await console.says("--max-minutes cannot be")
        # a cursor that blinks is now there, now not
        console.app.screen.query_one("#run").focus()

    assert drawn(console(own_home, tmp_path, ScreenName.LOGS), (80, 24), scenario) == picture


@pytest.mark.slow
def test_keys(picture: SnapshotAssertion, own_home: Path, tmp_path: Path) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("logs")
        await console.press("question_mark")
        await console.until(lambda: isinstance(console.app.screen, KeyHelp))
        await console.says("This screen")

    assert drawn(console(own_home, tmp_path, ScreenName.LOGS, ThemeName.LIGHT), (80, 24), scenario) == picture


@pytest.mark.slow
def test_commands(picture: SnapshotAssertion, own_home: Path, tmp_path: Path) -> None:
    async def scenario(console: Driven) -> None:
        await console.shows("commands")
        for number, line in enumerate(("sessions", "sessions show older"), 1):
            await console.press("slash")
            console.app.prompt.line.value = line
            await console.press("enter")
            jobs = console.app.desk.jobs
            await console.until(lambda jobs=jobs, number=number: len(jobs) == number and jobs[-1].ended)
        await console.says("sessions show older", "capital", "no fills")

    assert drawn(console(own_home, tmp_path, ScreenName.COMMANDS), (120, 40), scenario) == picture
