"""Recordings: written, read, and told again from nothing they lead to the very same core, whoever filled the orders."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trading.exchange.venue_server import SteppingClock
from tests.trading.sessions.running import SETTINGS, SYMBOL, journal, market, plan_at, played
from trading.commands import Progress
from trading.errors import DataError, ExitCode, GridBotError, StateCorrupt
from trading.market.synthetic import synthetic_candles
from trading.sessions.decider import Exchange
from trading.sessions.inputs import NewCandle, PastCandle, Price
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.recording import Recording, read_recording, recording_of
from trading.sessions.replay import ReplayResult, replay_recording, replay_session


def done(steps: Generator[Progress, None, ReplayResult]) -> ReplayResult:
    """Run to the end, and return what came of it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: ReplayResult = end.value
            return result


def candle_session(home: Path) -> Plan:
    candles = synthetic_candles("SIM/USDT", "5m", candles=500, seed=8)
    path = home.parent / "SIMUSDT-5m.csv"
    rows = zip(
        *(getattr(candles, name) for name in ("timestamp", "open", "high", "low", "close", "volume")), strict=True
    )
    path.write_text(
        "timestamp,open,high,low,close,volume\n" + "".join(f"{','.join(map(repr, map(float, row)))}\n" for row in rows)
    )
    request = PaperRequest(candles=str(path), symbol="SIM/USDT", timeframe="5m", home=home, session="replayed")
    plan = plan_of(request)
    assert asyncio.run(played(plan))[0].exit_code is ExitCode.DONE
    return plan


def tick_session(home: Path) -> Plan:
    request = PaperRequest(
        symbol=SYMBOL, home=home, session="ticks", speed=1_000, max_minutes=60, history=200, set=list(SETTINGS)
    )
    plan = plan_of(request)
    assert asyncio.run(played(plan))[0].exit_code is ExitCode.DONE
    return plan


def venue_session(home: Path) -> Plan:
    async def scene() -> Plan:
        async with market() as server:
            plan = plan_at(server.url, home, minutes=6)
            await played(plan)
            server.market_clock.advance(10 * 60_000)
            server.catch_up()
            assert (await played(plan))[0].exit_code is ExitCode.DONE
            return plan

    return asyncio.run(scene())


@pytest.fixture
def venue_recording(own_home: Path) -> Recording:
    """What a session at a venue was told, over a stop and a gap."""
    with journal(venue_session(own_home)) as books:
        return recording_of(books)


@pytest.mark.parametrize(
    ("session", "exchange"),
    [(candle_session, Exchange.CANDLES), (tick_session, Exchange.TICKS), (venue_session, Exchange.VENUE)],
    ids=["candles", "ticks", "venue"],
)
def test_a_recording_told_again_from_its_first_input_is_the_same_bit_for_bit(
    own_home: Path, tmp_path: Path, session: object, exchange: Exchange
) -> None:
    assert callable(session)
    plan = session(own_home)
    with journal(plan) as books:
        recording = recording_of(books)
        saved = books.core()
        fills = books.fill_count()
        result = done(replay_session(books, tmp_path / "kept.gbr"))
    assert recording.exchange is exchange
    assert fills > 0
    assert result.is_same
    assert result.compared > 5
    assert result.exit_code is ExitCode.DONE
    read = read_recording(tmp_path / "kept.gbr")
    assert read == recording
    # the session saw its history in one go and the replay candle by candle: the whole state must be the same
    decider = read.decider()
    for item in read.inputs:
        decider.apply(item)
    assert saved is not None
    assert decider.to_bytes() == saved[0]
    kinds = {type(item) for item in read.inputs}
    assert {PastCandle, NewCandle} <= kinds
    assert (Price in kinds) == (exchange is not Exchange.CANDLES)


def test_another_input_leads_elsewhere_and_the_replay_says_after_which(venue_recording: Recording) -> None:
    changed = list(venue_recording.inputs)
    place = next(
        number for number, item in enumerate(changed) if isinstance(item, Price) and number > len(changed) // 3
    )
    first = changed[place]
    assert isinstance(first, Price)
    changed[place] = replace(first, ticks=first.ticks // 2)
    result = done(replay_recording(replace(venue_recording, inputs=tuple(changed))))
    assert not result.is_same
    assert result.exit_code is ExitCode.HALTED
    assert result.error is not None or (result.differs_at or 0) > place


def test_a_file_that_is_damaged_or_no_recording_is_told_apart(tmp_path: Path, venue_recording: Recording) -> None:
    path = venue_recording.write(tmp_path / "deep" / "kept.gbr")
    assert len(path.read_bytes()) < 40 * len(venue_recording.inputs)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(StateCorrupt, match="damaged"):
        read_recording(path)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="no recording"):
        read_recording(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(tmp_path / "nowhere.gbr")


def test_what_broke_a_session_is_the_last_input_of_its_recording(own_home: Path) -> None:
    async def scene() -> Plan:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=6)
            await played(plan)

            def plant(event: object) -> None:
                del event
                session.decider.state.core.reserved += 1

            from tests.trading.sessions.running import running

            async with running(plan, SteppingClock()) as (run, task):
                await run.heard("feed")
                session = run.session
                plant(None)
                assert (await asyncio.wait_for(task, 60)).exit_code is ExitCode.HALTED
            return plan

    plan = asyncio.run(scene())
    with journal(plan) as books:
        recording = recording_of(books)
        assert recording.error is not None
        assert "InvariantBroken" in [str(one.data.get("kind")) for one in books.events() if one.kind == "crashed"]
        result = done(replay_session(books))
    # the fault was in memory and not in the inputs: told again, they do no harm
    assert result.recorded_error == recording.error
    assert result.error is None
    assert not result.is_same
    assert "no longer fails" in str(result.as_text())


def test_nothing_recorded_is_refused(own_home: Path) -> None:
    async def scene() -> Plan:
        async with market(usdt="50") as server:
            plan = plan_at(server.url, own_home)
            with pytest.raises(GridBotError):
                await played(plan)
            return plan

    plan = asyncio.run(scene())
    with pytest.raises(GridBotError), journal(plan) as books:
        recording_of(books)
