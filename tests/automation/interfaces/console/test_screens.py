"""Overview, logs and settings at work: what changes on the disk shows, and what is changed here reaches the disk."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from automation.interfaces.console.app import build_console
from automation.interfaces.console.dialogs import Leave, Permit, TypedPermit
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.screens.overview import OverviewPane
from automation.interfaces.console.screens.settings import EditSetting, SettingsPane
from automation.interfaces.console.widgets.row_table import RowTable
from automation.pipeline.health import Check
from automation.tasks.health.results import HealthResult
from tests.automation.interfaces.console.console_home import clock, furnish, write_log, write_session
from tests.automation.interfaces.console.piloting import Driven, OneAtATime, driven
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest
from trading.sessions.control_address import Address, write_address
from trading.sessions.control_client import ask


async def _enter(console: Driven, line: str) -> None:
    await console.press("slash")
    console.app.prompt.line.value = line
    await console.press("enter")


def test_the_overview_outlives_whatever_becomes_of_its_sessions(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sick = HealthResult((Check("git", ok=False, detail="not on PATH"),))
    monkeypatch.setattr(OverviewPane, "ask_health", lambda _: sick.as_json())
    app = build_console(own_home, tmp_path, clock=clock, pace=0, executor=OneAtATime(tmp_path))

    async def play() -> None:
        async with driven(app) as console:
            pane = await console.shows("overview")
            await console.says("No sessions yet", "git: not on PATH", "no night yet")
            furnish(own_home, tmp_path)
            await console.press("ctrl+r")
            await console.says("paper-btc-usdt", "+77.03", "unreadable")
            files = SessionCatalog(own_home).files_of("older")
            write_address(files.folder, Address(pid=1, path=files.control))
            await console.press("ctrl+r")
            await console.says("died")
            # the cursor stays on its session while others come and go
            await console.press("down")
            assert isinstance(pane, OverviewPane)
            assert pane.chosen is not None
            assert pane.chosen.name == "older"
            await console.says("the same name recovers")
            write_session(own_home, "newest", minutes=900)
            await console.press("ctrl+r")
            await console.says("newest")
            assert pane.chosen.name == "older"
            await console.press("s")
            await console.until(lambda: isinstance(app.screen, TypedPermit))
            await console.says("gridbot stop older")

    asyncio.run(play())


@pytest.mark.slow
def test_the_logs_follow_a_file_and_filter_by_level_and_words(own_home: Path, tmp_path: Path) -> None:
    path = write_log(write_session(own_home, "one", minutes=5), "one")
    app = build_console(own_home, tmp_path, screen=ScreenName.LOGS, clock=clock, pace=0, executor=OneAtATime(tmp_path))

    async def play() -> None:
        async with driven(app) as console:
            await console.shows("logs")
            await console.says("order side=buy", "order rejected")
            assert "tick" not in console.text()
            await console.press("l")
            await console.until(lambda: "side=buy" not in console.text())
            await console.says("warning+", "feed stale")
            await console.press("f", *"nowhere")
            await console.until(lambda: "order rejected" not in console.text())
            await console.press("escape")
            await console.says("order rejected", "feed stale")
            await console.press("f", *"reject")
            await console.until(lambda: "feed stale" not in console.text())
            await console.says("order rejected")
            with path.open("a") as file:
                file.write(
                    json.dumps({"time": "2023-11-15T08:15:00.000Z", "level": "error", "event": "rejected again"})
                )
                file.write("\n")
            await console.press("enter", "ctrl+r")
            await console.says("rejected again")

    asyncio.run(play())


@pytest.mark.slow
def test_enter_goes_from_a_session_on_the_overview_to_its_screen(own_home: Path, tmp_path: Path) -> None:
    write_session(own_home, "one", minutes=5)
    write_session(own_home, "two", minutes=9)
    app = build_console(own_home, tmp_path, clock=clock, pace=0, executor=OneAtATime(tmp_path))

    async def play() -> None:
        async with driven(app) as console:
            await console.shows("overview")
            await console.until(lambda: isinstance(app.focused, RowTable))
            await console.press("j", "enter")
            await console.shows("trading")
            await console.says("one ○ stopped")
            # the screen is there now, and the other session is gone to at once
            await console.press("1")
            await console.shows("overview")
            await console.press("k", "enter")
            await console.says("two ○ stopped")

    asyncio.run(play())


@pytest.mark.slow
def test_a_setting_is_changed_by_its_command_and_its_checks(
    own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "own.json"
    config.write_text("{}")
    monkeypatch.setenv("GRIDBOT_AUTOMATION_CONFIG", str(config))
    app = build_console(
        own_home, tmp_path, screen=ScreenName.SETTINGS, clock=clock, pace=0, executor=OneAtATime(tmp_path)
    )

    async def play() -> None:
        async with driven(app, (100, 30)) as console:
            pane = await console.shows("settings")
            assert isinstance(pane, SettingsPane)
            await console.press("f", *"repair.samples", "enter")
            await console.until(lambda: len(pane.listed) == 1)
            await console.press("enter")
            await console.until(lambda: isinstance(app.screen, EditSetting))
            await console.press("ctrl+u", *"many", "enter")
            await console.until(lambda: isinstance(app.screen, Permit))
            await console.press("right", "enter")
            # it comes back with what was typed, and the sentence
            await console.until(lambda: isinstance(app.screen, EditSetting) and app.screen.value == "many")
            await console.press("ctrl+u", *"4", "enter")
            await console.until(lambda: isinstance(app.screen, Permit))
            await console.press("right", "enter")
            await console.until(lambda: pane.listed[0].value == "4", "the new value")
            assert json.loads(config.read_text())["repair"]["samples"] == 4
            await console.press("w")
            await console.until(lambda: pane.listed == ())

    asyncio.run(play())


@pytest.mark.slow
def test_a_session_that_was_started_here_trades_on_when_the_console_is_closed(own_home: Path, tmp_path: Path) -> None:
    app = build_console(own_home, tmp_path, screen=ScreenName.COMMANDS, pace=0, executor=OneAtATime(tmp_path))
    catalog = SessionCatalog(own_home)
    words = "paper --symbol BTC/USDT --timeframe 1m --speed 60 --history 100 --session mine"

    async def play() -> None:
        async with driven(app) as console:
            await console.shows("commands")
            await _enter(console, f"{words} --set signals.warmup_candles=50")
            await console.until(lambda: isinstance(app.screen, Permit))
            await console.press("right", "enter")
            await console.until(lambda: app.desk.working and "started" in str(app.desk.jobs[0].view().news))
            await console.press("1")
            pane = await console.shows("overview")
            assert isinstance(pane, OverviewPane)
            await console.until(lambda: "running" in console.text() or pane.reread())
            await console.press("q")
            await console.until(lambda: isinstance(app.screen, Leave))
            await console.says("sessions trade on without the console")
            await console.press("right", "enter")
            await console.until(lambda: app._exit)

    try:
        asyncio.run(play())
        assert catalog.is_running("mine")
        assert ask(catalog.path_of("mine"), ControlRequest(command="status"))["symbol"] == "BTC/USDT"
    finally:
        ask(catalog.path_of("mine"), ControlRequest(command="stop"))
        # who follows the command ends with it
        for thread in threading.enumerate():
            if thread.name == "command 1":
                thread.join(60)
    assert not catalog.is_running("mine")
