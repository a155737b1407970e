"""The screen Trading and what it reads: real sessions on the built-in exchange, and journals that nobody can read."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest

from automation.interfaces.console.app import build_console
from automation.interfaces.console.data.candles import CandleTail
from automation.interfaces.console.data.trading import SessionReader, session_rows
from automation.interfaces.console.data.trading_records import Standing
from automation.interfaces.console.requests import ScreenName
from automation.interfaces.console.screens.trading import TradingPane
from automation.interfaces.console.widgets.candle_chart import CandleChart
from automation.interfaces.console.widgets.row_table import RowTable
from automation.interfaces.console.widgets.still import Still
from tests.automation.interfaces.console.piloting import driven
from tests.automation.interfaces.console.stage import Stage, context, once_shown
from tests.trading.sessions.recorded import venue_session
from tests.trading.sessions.running import folder, journal, market, plan_at, running
from trading.engine.codes import SlotState
from trading.errors import StateCorrupt, UsageError
from trading.orders.journal import Journal
from trading.orders.journal_connection import JournalFailed
from trading.sessions.books import decider_of
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control_address import Address, write_address
from trading.sessions.decider import Exchange
from trading.sessions.launch import Plan
from trading.sessions.session_results import shown

NOW_MS = 1_800_000_000_000


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A session that an exchange filled, stopped with orders still resting."""
    return venue_session(tmp_path_factory.mktemp("traded") / "home")


def copied(traded: Plan, tmp_path: Path) -> Path:
    """The same session in a data home of this test's own."""
    return Path(shutil.copytree(traded.home, tmp_path / "home"))


def test_a_view_says_what_the_command_sessions_show_says(traded: Plan) -> None:
    view = SessionReader(traded.home, "one").read(NOW_MS)
    with journal(traded) as books:
        told = shown(books, is_running=False).data
    assert not view.running
    assert (view.symbol, view.mode, view.timeframe, view.quote) == ("BTC/USDT", "paper", "1m", "USDT")
    for name in ("cash", "equity", "position", "profit", "realised", "fees"):
        assert round(getattr(view.money, name), 8) == Decimal(str(told[name])), name
    assert view.order_count == len(told["orders"])  # type: ignore[arg-type]
    assert view.fill_count == len(view.fills) == len(told["fills"]) > 3  # type: ignore[arg-type]
    resting = {order.client_id for order in view.orders if order.is_open}
    assert resting == {row["client_id"] for row in told["orders"] if row["state"] == "submitted"}  # type: ignore[attr-defined]
    assert resting


def test_slots_stand_as_the_core_has_them_and_hold_what_is_held(traded: Plan) -> None:
    view = SessionReader(traded.home, "one").read(NOW_MS)
    with journal(traded) as books:
        core = decider_of(books, Exchange.VENUE)
    by_number = {slot.number: slot for slot in view.slots}
    assert len(by_number) == len(core.state.slots)
    for number, row in enumerate(core.state.slots):
        slot = by_number[number]
        assert slot.state == SlotState(int(row.state)).name.lower()
        assert (slot.paid is None) == (not int(row.held))
        assert slot.side == (-1 if slot.held else 1) or slot.standing is Standing.WORKING
    held = sum((slot.held for slot in view.slots), Decimal(0))
    assert held == core.market.quantity(int(core.state.core.position_lots) - int(core.state.core.carry_lots))
    assert [slot.buy for slot in view.slots] == sorted((slot.buy for slot in view.slots), reverse=True)


def test_votes_are_those_of_the_session_itself(traded: Plan) -> None:
    reader = SessionReader(traded.home, "one")
    decision = reader.decision()
    with journal(traded) as books:
        core = decider_of(books, Exchange.VENUE)
    assert decision is not None
    assert core.last_signal is not None
    assert (decision.action, decision.confidence) == (core.last_signal.action, core.last_signal.confidence)
    theirs = [(vote.name, vote.action, vote.confidence, vote.weight) for vote in core.signals.votes()]
    assert [(vote.agent, vote.action, vote.confidence, vote.weight) for vote in decision.votes] == theirs
    assert all(vote.reasons for vote in decision.votes)
    assert reader.decision() == decision


def test_candles_read_in_two_looks_are_those_read_in_one(traded: Plan, tmp_path: Path) -> None:
    with journal(traded) as books:
        whole = CandleTail(1_000).read(books)
        newest = CandleTail(10).read(books)
        batches = list(books.inputs())
        facts = books.facts
    assert newest == whole[-10:]
    assert [bar.time_ms for bar in whole] == sorted({bar.time_ms for bar in whole})
    # the same recording, written down in two parts with a look between them
    tail, middle = CandleTail(1_000), len(batches) // 2
    with Journal.create(tmp_path / "journal.sqlite", facts) as copy:
        for part in (batches[:middle], batches[middle:]):
            with copy.transaction():
                for batch in part:
                    copy.add_inputs(batch.first, batch.count, batch.frames, batch.outputs)
            seen = tail.read(copy)
    assert seen == whole


def test_a_session_begun_anew_under_the_same_name_is_not_mixed_with_the_old_one(traded: Plan, tmp_path: Path) -> None:
    home = copied(traded, tmp_path)
    reader = SessionReader(home, "one")
    before = reader.read(NOW_MS)
    reader.decision()
    files = SessionCatalog(home).files_of("one")
    with journal(traded) as books:
        facts = books.facts
    shutil.rmtree(files.folder)
    other = {**{name: getattr(facts, name) for name in facts.__slots__}, "created_ms": facts.created_ms + 1}
    Journal.create(files.journal, type(facts)(**other)).close()
    after = reader.read(NOW_MS)
    assert before.bars
    assert (after.bars, after.fills, after.slots, after.order_count) == ((), (), (), 0)
    assert after.money.equity == after.money.cash == Decimal(10_000)
    assert reader.decision() is None


def test_a_running_session_is_asked_how_it_is(tmp_path: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, tmp_path / "home", minutes=500)
            async with running(plan) as (run, _):
                await run.heard("fill")
                reader = SessionReader(plan.home, "one")
                first = await asyncio.to_thread(reader.read, NOW_MS)
                assert first.running
                assert first.live is not None
                assert first.live.feed == "live"
                assert first.price is not None
                assert session_rows(plan.home)[0].running
                await run.heard("fill", first.fill_count + 1)
                second = await asyncio.to_thread(reader.read, NOW_MS)
                assert second.fill_count > first.fill_count
                assert second.bars[-1].time_ms >= first.bars[-1].time_ms
            ended = reader.read(NOW_MS)
            assert not ended.running
            assert ended.live is None
            assert ended.notes == ()
            # as a session leaves it that was killed
            write_address(folder(plan), Address(pid=1, path=tmp_path / "gone"))
            (note,) = reader.read(NOW_MS).notes
            assert "ended without a word" in note

    asyncio.run(scene())


def test_what_cannot_be_read_is_said_and_read_again_when_it_can(traded: Plan, tmp_path: Path) -> None:
    home = copied(traded, tmp_path)
    file = SessionCatalog(home).files_of("one").journal
    reader, whole = SessionReader(home, "one"), file.read_bytes()
    view = reader.read(NOW_MS)
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises((StateCorrupt, JournalFailed)):
        reader.read(NOW_MS)
    file.write_bytes(b"no database at all")
    with pytest.raises((StateCorrupt, JournalFailed)):
        reader.read(NOW_MS)
    assert session_rows(home)[0].problem
    file.write_bytes(whole)
    assert reader.read(NOW_MS) == view
    shutil.rmtree(file.parent)
    with pytest.raises(UsageError):
        reader.read(NOW_MS)
    assert session_rows(home) == ()


def test_lesson_22_a_look_neither_waits_for_a_writer_nor_keeps_it_waiting(traded: Plan, tmp_path: Path) -> None:
    home = copied(traded, tmp_path)
    writer = sqlite3.connect(SessionCatalog(home).files_of("one").journal, timeout=0, isolation_level=None)
    try:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM fills")
        reader = SessionReader(home, "one")
        assert reader.read(NOW_MS).fill_count > 0
        writer.execute("COMMIT")
        assert reader.read(NOW_MS).fill_count == 0
    finally:
        writer.close()


def test_the_screen_shows_the_session_its_orders_and_its_votes(traded: Plan, tmp_path: Path) -> None:
    async def scene() -> None:
        console = build_console(traded.home, tmp_path, screen=ScreenName.TRADING, clock=lambda: NOW_MS, pace=0)
        async with driven(console) as driver:
            pane = await driver.shows("trading")
            assert isinstance(pane, TradingPane)
            await driver.says("one ○ stopped", "5 open, ", "now")
            assert pane.facts is not None
            view = pane.facts.view
            assert view is not None
            prices = [order.price for order in view.orders if order.is_open]
            assert all(f"{price:.2f}" in driver.text() for price in prices[:3])
            await driver.press("v")
            await driver.says("together", "momentum", "RSI")
            await driver.press("f")
            await driver.says(f"{view.fill_count} in all", view.fills[-1].fee_asset)
            await driver.press("l")
            await driver.says("20 pairs, ", "buys at")
            await driver.press("x")
            await driver.until(lambda: any("not running" in note.message for note in console._notifications))
            # what did not change is not drawn again
            orders, chart = pane.query_one("#orders-table", RowTable), pane.query_one(CandleChart)
            touched = orders.touched, chart.drawn_lines
            pane.redraw()
            assert (orders.touched, chart.drawn_lines) == touched
            await driver.press("z")
            assert chart.drawn_lines > touched[1]

    asyncio.run(scene())


def test_the_screen_survives_a_damaged_journal_and_goes_to_another_session(traded: Plan, tmp_path: Path) -> None:
    home = copied(traded, tmp_path)
    damaged = SessionCatalog(home).files_of("broken").journal
    damaged.parent.mkdir()
    damaged.write_bytes(b"\x07" * 4_096)

    async def scene() -> None:
        console = build_console(home, tmp_path, screen=ScreenName.TRADING, clock=lambda: NOW_MS, pace=0)
        async with driven(console, (120, 40)) as driver:
            pane = await driver.shows("trading")
            await driver.until(lambda: "damaged" in pane.query_one("#none", Still).said)
            await driver.press("s")
            await driver.says("Which session?", "paper BTC/USDT 1m on binance")
            await driver.press("down", "enter")
            await driver.says("one ○ stopped", "of the newest candle")
            await driver.press("n")
            await driver.until(lambda: pane.query_one("#none", Still).display)

    asyncio.run(scene())


@pytest.mark.slow
def test_a_replay_asked_for_on_the_screen_runs_as_a_command(traded: Plan, tmp_path: Path) -> None:
    async def scene() -> None:
        console = build_console(traded.home, tmp_path, screen=ScreenName.TRADING, clock=lambda: NOW_MS, pace=0)
        async with driven(console) as driver:
            await driver.shows("trading")
            await driver.press("p")
            await driver.until(lambda: console.desk.jobs)
            job = console.desk.jobs[0]
            assert job.line == "gridbot sessions replay one"
            await driver.until(lambda: job.ended is not None)
            assert job.ended is not None
            assert job.ended.exit_code == 0, job.ended.text

    asyncio.run(scene())


def test_no_session_yet_says_how_to_start_one(tmp_path: Path) -> None:
    async def scene() -> None:
        pane = TradingPane(context(tmp_path / "none", tmp_path, NOW_MS))
        async with Stage(pane).run_test() as pilot:
            await once_shown(pane)(pilot)
            none = pane.query_one("#none", Still)
            assert "There are no sessions yet" in none.said
            await pilot.press("s", "n", "x", "r", "z", "v")
            assert none.display

    asyncio.run(scene())
