"""Supervision of a session: crashes and their pauses, stops by every road, and a venue that is not there."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.trading.exchange.venue_server import SteppingClock
from tests.trading.sessions.running import (
    KEYS,
    PATIENCE_S,
    ROOMY,
    SETTINGS,
    SYMBOL,
    Running,
    differences,
    folder,
    journal,
    market,
    plan_at,
    played,
    running,
    sends,
)
from trading.brokers.exchange_server.config import TEST_KEY, TEST_SECRET
from trading.brokers.exchange_server.records import Side
from trading.errors import ConnectionLost, ExitCode, GridBotError, Refused
from trading.sessions.control import ControlRequest, KillFile
from trading.sessions.control_client import ask
from trading.sessions.events import SessionEvent


class Fault(Exception):
    """What a planted fault raises."""


class EndlessPauseClock(SteppingClock):
    """A clock on which no pause ever passes."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await asyncio.Event().wait()


def break_core_when_started(run: Running) -> None:
    """Make the session's core raise at the next candle, each time that it starts."""

    def signals(*_: object, **__: object) -> None:
        raise Fault("planted in the core")

    def hear(event: SessionEvent) -> None:
        if event.kind == "started":
            run.session.decider.signals.append = signals  # type: ignore[assignment,method-assign]

    run.listeners.append(hear)


def test_a_crash_is_told_and_the_session_starts_again_from_its_books(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan, clock = plan_at(server.url, own_home), SteppingClock()
            async with running(plan, clock) as (run, task):
                await run.heard("fill")
                run.session.decider.last_signal = None
                run.session.decider.signals.append = None  # type: ignore[assignment,method-assign]
                crashed = await run.heard("crashed")
                assert "TypeError" in str(crashed.data["reason"])
                await run.until(lambda: clock.sleeps)
                assert clock.sleeps == [crashed.data["restart_in_s"]] == [2.0]
                fills = len(run.of("fill"))
                await run.heard("fill", fills + 2)
                assert run.of("started")[1].data["recovered"] is True
                run.stop()
                assert (await task).exit_code is ExitCode.DONE
            assert differences(server, plan) == []
            with journal(plan) as books:
                written = [event for event in books.events() if event.kind == "crashed"]
            assert [event.data["kind"] for event in written] == ["TypeError"]
            log = (folder(plan) / "log" / "session.jsonl").read_text()
            assert "session_failed" in log
            assert "Traceback" in log

    asyncio.run(scene())


def test_a_fault_that_comes_back_five_times_gives_up_and_leaves_nothing_that_buys(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan, clock = plan_at(server.url, own_home), SteppingClock()
            await played(plan_at(server.url, own_home, minutes=4))
            assert any(one.side is Side.BUY for one in server.exchange.open_orders("main", SYMBOL))
            async with running(plan, clock) as (run, task):
                break_core_when_started(run)
                with pytest.raises(GridBotError, match="crashed 5 times") as raised:
                    await asyncio.wait_for(task, PATIENCE_S)
            assert "gridbot fix --session one" in str(raised.value)
            assert clock.sleeps == [2.0, 4.0, 8.0, 16.0]
            assert [one for one in server.exchange.open_orders("main", SYMBOL) if one.side is Side.BUY] == []

    asyncio.run(scene())


def test_a_venue_that_is_away_when_a_session_recovers_is_waited_for(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan, clock = plan_at(server.url, own_home, minutes=4), SteppingClock()
            await played(plan)
            server.faults.change({"drop_before": 1})
            async with running(plan, clock) as (run, task):
                await run.heard("crashed", 7)
                assert {event.data["code"] for event in run.of("crashed")} == {"E001"}
                assert not task.done()
                server.faults.change({"drop_before": 0})
                await run.heard("started")
                await asyncio.wait_for(task, PATIENCE_S)
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_first_start_does_not_wait_for_a_venue_that_is_not_there(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            server.faults.change({"drop_before": 1})
            with pytest.raises(ConnectionLost):
                await played(plan_at(server.url, own_home))

    asyncio.run(scene())


def test_a_stop_ends_a_session_whose_venue_stays_away_and_names_its_orders(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=6)
            await played(plan)
            assert server.exchange.open_orders("main", SYMBOL)
            server.faults.change({"drop_before": 1})
            async with running(plan, SteppingClock()) as (run, task):
                await run.heard("crashed")
                run.stop(cancel_orders=True)
                end = await asyncio.wait_for(task, PATIENCE_S)
            assert end.exit_code is ExitCode.FAILED
            assert set(end.unsettled) == {one.client_id for one in server.exchange.open_orders("main", SYMBOL)}

    asyncio.run(scene())


def test_a_stop_does_not_wait_for_the_pause_after_a_crash_to_pass(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan, EndlessPauseClock()) as (run, task):
                await run.heard("fill")
                run.session.decider.signals.append = None  # type: ignore[assignment,method-assign]
                await run.heard("crashed")
                run.stop()
                end = await asyncio.wait_for(task, PATIENCE_S)
                assert end.exit_code is ExitCode.DONE
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_halt_that_a_person_ended_once_is_not_ended_again_by_a_restart(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, resume=True)
            async with running(plan, SteppingClock()) as (run, task):
                await run.heard("fill")
                run.session.decider.signals.append = None  # type: ignore[assignment,method-assign]
                run.session.keeper.journal.close()
                await run.heard("crashed")
                assert run.supervision is not None
                assert run.supervision.plan.request.resume is False
                run.stop()
                await task

    asyncio.run(scene())


def test_the_control_socket_stops_cancels_and_sells(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.until(lambda: any(fill.data["side"] == "buy" for fill in run.of("fill")))
                status = await asyncio.to_thread(ask, folder(plan), ControlRequest(command="status"))
                assert status["session"] == "one"
                assert await asyncio.to_thread(ask, folder(plan), ControlRequest(command="checkpoint"))
                wish = ControlRequest(command="stop", cancel_orders=True, flatten=True)
                assert (await asyncio.to_thread(ask, folder(plan), wish))["stopping"] is True
                end = await task
            assert end.exit_code is ExitCode.DONE
            assert end.reason == "stopped by a request"
            assert server.exchange.open_orders("main", SYMBOL) == ()
            with journal(plan) as books:
                last = books.fills()[-1]
                assert last.side < 0
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_kill_file_stops_a_session_and_keeps_it_from_starting(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.heard("fill")
                path = KillFile(folder(plan), own_home).write(cancel_orders=True)
                end = await asyncio.wait_for(task, PATIENCE_S)
            assert str(path) in end.reason
            assert server.exchange.open_orders("main", SYMBOL) == ()
            before = sends(server)
            with pytest.raises(Refused, match="remove that file") as raised:
                await played(plan)
            assert str(path) in str(raised.value)
            assert sends(server) == before
            path.unlink()
            end, _ = await played(plan_at(server.url, own_home, minutes=2))
            assert end.exit_code is ExitCode.DONE

    asyncio.run(scene())


def test_a_second_session_on_the_account_and_symbol_is_refused(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server, running(plan_at(server.url, own_home)) as (run, _):
            await run.heard("started")
            with pytest.raises(Refused, match="traded already by session one"):
                await played(plan_at(server.url, own_home, "two"))
            with pytest.raises(Refused, match="running already"):
                await played(plan_at(server.url, own_home))

    asyncio.run(scene())


def test_no_file_and_no_event_of_a_session_shows_its_keys(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=5)
            _, run = await played(plan)
            server.faults.change({"error_502": 0.2, "garbage": 0.1, "drop_after": 0.1})
            _, again = await played(plan)
            told = json.dumps([event.as_json() for event in [*run.events, *again.events]], default=str)
            told += "".join(event.as_text() for event in [*run.events, *again.events])
        files = _contents(own_home)
        assert {"journal.sqlite", "session.jsonl"} <= {path.name for path in files}
        for secret in (TEST_KEY, TEST_SECRET):
            assert secret not in told
            assert [path for path, data in files.items() if secret.encode() in data] == []

    asyncio.run(scene())


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def _cli_session(url: str, home: Path) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "GRIDBOT_HOME": str(home),
        "GRIDBOT_EXCHANGE__API_KEY": KEYS.api_key,
        "GRIDBOT_EXCHANGE__SECRET": KEYS.secret,
    }
    words = ["paper", "--symbol", SYMBOL, "--exchange", "binance", "--rest-url", url, "--session", "one", "--json"]
    words += ["--capital", "10000", "--history", "120", "--poll-s", "15"]
    for setting in (*SETTINGS, *ROOMY):
        words += ["--set", setting]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "automation.cli", *words, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=environment, limit=1 << 22,
    )  # fmt: skip


async def _until_event(process: asyncio.subprocess.Process, kind: str) -> list[dict[str, object]]:
    assert process.stdout is not None
    seen: list[dict[str, object]] = []
    while not seen or seen[-1].get("event") != kind:
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line, (await process.stderr.read()).decode() if process.stderr else ""
        seen.append(json.loads(line))
    return seen


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_ends_in_order_with_code_0(own_home: Path, number: signal.Signals) -> None:
    async def scene() -> None:
        async with market() as server:
            process = await _cli_session(server.url, own_home)
            await _until_event(process, "fill")
            process.send_signal(number)
            out, error = await asyncio.wait_for(process.communicate(), PATIENCE_S)
            assert process.returncode == 0, error.decode()
            last = json.loads(out.decode().splitlines()[-1])
            assert (last["event"], last["exit_code"], last["unsettled"]) == ("stopped", 0, [])
            assert differences(server, plan_at(server.url, own_home)) == []

    asyncio.run(scene())


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_second_signal_ends_at_once_with_code_130(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            process = await _cli_session(server.url, own_home)
            await _until_event(process, "fill")
            # the orderly end has to wait for the exchange
            server.faults.change({"latency": 1, "latency_ms": 60_000})
            process.send_signal(signal.SIGTERM)
            assert process.stderr is not None
            await asyncio.wait_for(process.stderr.readuntil(b"once more ends at once"), PATIENCE_S)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 130
            server.faults.change({"latency": 0})
            end, _ = await played(plan_at(server.url, own_home, minutes=2))
            assert end.exit_code is ExitCode.DONE
            assert differences(server, plan_at(server.url, own_home)) == []

    asyncio.run(scene())
