"""Coded errors of the venue are counted with what the session does about each, and stand in its log."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.trading.brokers.desk_bench import Bench
from tests.trading.exchange.venue_server import SteppingClock
from trading.brokers.error_tally import ErrorTally
from trading.errors import (
    Action,
    AgentFailed,
    ConnectionLost,
    FeedFailed,
    GridBotError,
    InsufficientFunds,
    RateLimited,
    RiskRefused,
    StateCorrupt,
)
from trading.sessions.logs import SessionLog

ALL = (ConnectionLost, InsufficientFunds, RateLimited, FeedFailed, AgentFailed, RiskRefused, StateCorrupt)


def test_every_code_has_its_action_in_status_and_log(tmp_path: Path) -> None:
    clock = SteppingClock()
    tally = ErrorTally(clock)
    with SessionLog(tmp_path, "test", clock) as log:
        for kind in ALL:
            tally.met(kind(f"a sentence of {kind.__name__}"))
        tally.met(GridBotError("no code"))
        tally.met(ConnectionLost("again"))
        records = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [(one.code, one.action) for one in tally.counts()] == [
        ("E001", Action.RECONNECT),
        ("E002", Action.REDUCE_SIZE),
        ("E003", Action.QUEUE_AND_RETRY),
        ("E004", Action.FALL_BACK),
        ("E005", Action.SKIP_AGENT),
        ("E006", Action.REJECT),
        ("E007", Action.RESTORE_CHECKPOINT),
    ]
    assert [one.count for one in tally.counts()] == [2, 1, 1, 1, 1, 1, 1]
    assert tally.as_json()[0] == {
        "code": "E001", "action": "reconnect", "count": 2, "last_ms": clock.now_ms(), "reason": "again",
    }  # fmt: skip
    assert [(record["code"], record["action"]) for record in records] == [
        *((kind.code, str(kind.action)) for kind in ALL),
        ("E001", "reconnect"),
    ]


def test_what_the_venue_refuses_or_leaves_unanswered_is_counted_by_the_desk() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].extend(["drop_after", "busy", "reject"])
        for slot in range(3):
            bench.keeper.plan(slot, 1, 5)
        await bench.live(20)
        counted = {one.code: one.count for one in bench.desk.errors.counts()}
        assert counted["E001"] >= 1
        assert counted["E006"] == 1
        assert counted["E003"] == 1

    asyncio.run(main())
