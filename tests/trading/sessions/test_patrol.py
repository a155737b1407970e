"""The patrol of a running session: what it finds wrong holds entries back, is told once, and each day is summed up."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tests.trading.sessions.running import (
    SETTINGS,
    differences,
    folder,
    journal,
    market,
    plan_at,
    played,
    running,
    sends,
)
from trading.exchange.clock import SystemClock
from trading.sessions.alerts import ALERT_VARIABLE
from trading.sessions.market_watches import ClockWatch, FeedWatch
from trading.sessions.patrol import Patrol
from trading.sessions.watches import DiskWatch

MB = 1_000_000


class Dial:
    """A reading that the test sets."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, *_: object) -> int:
        return int(self.value)


def test_a_full_disk_holds_entries_back_until_there_is_room(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan, disk = plan_at(server.url, own_home), Dial(50 * MB)
            async with running(plan) as (run, _):
                await run.heard("started")
                session = run.session
                session.patrol = patrol = Patrol(session, own_home, machine=[DiskWatch(folder(plan), disk)])
                with patrol:
                    await run.alerted("disk_full")
                    assert session.desk is not None
                    assert "disk" in session.desk.held
                    await run.until(lambda: any(one.data["command"] == "denied" for one in run.of("order")))
                    before = sends(server)
                    disk.value = 5_000 * MB
                    await run.until(lambda: session.desk is not None and not session.desk.held)
                    await run.heard("fill")
                    assert sends(server) > before
                    run.stop()
                    await run.until(lambda: run.supervision is not None and run.supervision.session is None)
            assert differences(server, plan) == []
            with journal(plan) as books:
                alerts = [str(event.data["reason"]) for event in books.events() if event.kind == "alert"]
            assert len([one for one in alerts if "make room, no new orders" in one]) == 1
            assert any(one.startswith("over:") for one in alerts)

    asyncio.run(scene())


def test_a_clock_far_from_the_venues_holds_entries_back(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan, offset = plan_at(server.url, own_home), Dial(9_000)
            async with running(plan) as (run, _):
                await run.heard("started")
                session = run.session
                session.patrol = patrol = Patrol(session, own_home, machine=[ClockWatch(offset)])
                with patrol:
                    await run.alerted("clock_offset")
                    assert session.desk is not None
                    assert "from the venue's" in session.desk.held
                    offset.value = 10
                    await run.until(lambda: session.desk is not None and not session.desk.held)
                    run.stop()
                    await run.until(lambda: run.supervision is not None and run.supervision.session is None)
            assert {event.data["kind"] for event in run.of("alert")} >= {"clock", "clock_offset"}

    asyncio.run(scene())


def test_a_feed_without_candles_forbids_entries_until_one_comes() -> None:
    watch = FeedWatch("BTC/USDT", 60_000)
    watch.candle(0)
    assert watch.check(180_000) == []
    assert watch.forbids_orders is None
    assert [alert.kind for alert in watch.check(180_001)] == ["feed"]
    assert "BTC/USDT" in str(watch.forbids_orders)
    watch.candle(200_000)
    assert [alert.sentence[:5] for alert in watch.check(200_001)] == ["over:"]
    assert watch.forbids_orders is None


def test_an_event_loop_that_stands_still_is_told(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            async with running(plan_at(server.url, own_home)) as (run, _):
                await run.heard("started")
                session = run.session
                session.patrol = patrol = Patrol(session, own_home, machine=[], real=_Late())
                with patrol:
                    await run.alerted("loop_lag")
                    run.stop()
                    await run.until(lambda: run.supervision is not None and run.supervision.session is None)
            measuring = [task for task in asyncio.all_tasks() if "LoopLagWatch.measure" in repr(task)]
            await asyncio.gather(*measuring, return_exceptions=True)
            assert all(task.cancelled() for task in measuring)

    asyncio.run(scene())


def test_a_day_that_ends_is_summed_up_in_journal_and_file_even_when_it_ended_while_it_was_down(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=10)
            await played(plan)
            # half past eleven was the start, and an hour passes
            server.market_clock.advance(3_600_000)
            server.catch_up()
            _, run = await played(plan)
            summary = run.of("summary")
            assert [event.data["day"] for event in summary] == ["2023-11-14"]
            assert float(str(summary[0].data["up_s"])) == 600.0
            fills = summary[0].data["fills"]
            assert isinstance(fills, dict)
            with journal(plan) as books:
                assert fills["buys"] + fills["sells"] <= books.fill_count()
                assert fills["buys"] > 0
                assert [event.kind for event in books.events()].count("summary") == 1
            assert summary[0].data["file"] == str(folder(plan) / "days" / "one-2023-11-14.md")
            _, run = await played(plan)
            assert run.of("summary") == []

    asyncio.run(scene())
    page = own_home / "sessions" / "one" / "days" / "one-2023-11-14.md"
    assert "| fills |" in page.read_text()


def test_the_users_command_hears_of_alerts(own_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = tmp_path / "heard"
    script = f"import sys; open({str(heard)!r}, 'a').write(sys.stdin.read())"
    program = tmp_path / "tell.py"
    program.write_text(script)
    monkeypatch.setenv(ALERT_VARIABLE, f"{sys.executable} {program}")

    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, "one", *SETTINGS[-1:])
            async with running(plan) as (run, _):
                await run.heard("started")
                session = run.session
                session.patrol = patrol = Patrol(session, own_home, machine=[DiskWatch(folder(plan), Dial(50 * MB))])
                with patrol:
                    await run.alerted("disk_full")
                    run.stop()
                    await run.until(lambda: run.supervision is not None and run.supervision.session is None)

    asyncio.run(scene())
    assert "make room" in heard.read_text()


class _Late(SystemClock):
    """A clock whose sleepers wake late, as they do when something else keeps the machine."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + 1.2)
