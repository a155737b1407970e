"""Replays: a recording told again leads to the very same core, whoever filled the orders, or says where not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trading.exchange.venue_server import SteppingClock
from tests.trading.sessions.recorded import candle_session, tick_session, told, venue_session
from tests.trading.sessions.running import journal, market, plan_at, running
from trading.errors import ExitCode
from trading.sessions.decider import Exchange
from trading.sessions.inputs import NewCandle, OrderFilled, PastCandle, Price
from trading.sessions.launch import Plan
from trading.sessions.recording import read_recording, recording_of
from trading.sessions.replay import replay_recording, replay_session


@pytest.mark.parametrize(
    ("session", "exchange"),
    [(candle_session, Exchange.CANDLES), (tick_session, Exchange.TICKS), (venue_session, Exchange.VENUE)],
    ids=["candles", "ticks", "venue"],
)
def test_a_recording_told_again_from_its_first_input_is_the_same_bit_for_bit(
    own_home: Path, tmp_path: Path, session: Callable[[Path], Plan], exchange: Exchange
) -> None:
    plan = session(own_home)
    with journal(plan) as books:
        recording = recording_of(books)
        saved = books.core()
        fills = books.fill_count()
        result = told(replay_session(books, tmp_path / "kept.gbr"))
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


def test_another_input_leads_elsewhere_and_the_replay_says_after_which(own_home: Path) -> None:
    with journal(venue_session(own_home)) as books:
        recording = recording_of(books)
    changed = list(recording.inputs)
    place = next(number for number, item in enumerate(changed) if isinstance(item, OrderFilled) and item.lots > 1)
    filled = changed[place]
    assert isinstance(filled, OrderFilled)
    changed[place] = replace(filled, lots=filled.lots - 1)
    result = told(replay_recording(replace(recording, inputs=tuple(changed))))
    assert not result.is_same
    assert result.exit_code is ExitCode.HALTED
    assert result.differs_at is not None
    assert result.differs_at > place


def test_what_broke_a_session_is_the_last_input_of_its_recording(own_home: Path) -> None:
    async def scene() -> Plan:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan, SteppingClock()) as (run, task):
                await run.heard("fill")
                run.session.decider.state.core.reserved += 1
                assert (await asyncio.wait_for(task, 60)).exit_code is ExitCode.HALTED
            return plan

    plan = asyncio.run(scene())
    with journal(plan) as books:
        recording = recording_of(books)
        assert recording.error is not None
        assert {event.data["kind"] for event in books.events() if event.kind == "crashed"} == {"InvariantBroken"}
        result = told(replay_session(books))
    # the fault was in memory and not in the inputs: told again, they do no harm
    assert result.recorded_error == recording.error
    assert result.error is None
    assert not result.is_same
    assert "no longer fails" in str(result.as_text())
