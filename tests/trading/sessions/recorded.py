"""Sessions that were run and recorded, one of each kind, and a replay to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path

from tests.trading.sessions.running import SETTINGS, SYMBOL, market, plan_at, played
from trading.commands import Progress
from trading.errors import ExitCode
from trading.market.synthetic import synthetic_candles
from trading.sessions.launch import Plan, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.replay import ReplayResult


def told(steps: Generator[Progress, None, ReplayResult]) -> ReplayResult:
    """Run to the end, and return what came of it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: ReplayResult = end.value
            return result


def candle_session(home: Path) -> Plan:
    """Run a session that replays candles through the core's own exchange."""
    candles = synthetic_candles("SIM/USDT", "5m", candles=800, seed=8)
    path = home.parent / "SIMUSDT_5m.csv"
    rows = zip(
        *(getattr(candles, name) for name in ("timestamp", "open", "high", "low", "close", "volume")), strict=True
    )
    path.write_text(
        "timestamp,open,high,low,close,volume\n" + "".join(f"{','.join(map(repr, map(float, row)))}\n" for row in rows)
    )
    eager = ["grid.entry_drop=0", "grid.spacing=0.005", "signals.warmup_candles=60"]
    request = PaperRequest(candles=str(path), capital=Decimal(10_000), home=home, session="replayed", set=eager)
    plan = plan_of(request)
    assert asyncio.run(played(plan))[0].exit_code is ExitCode.DONE
    return plan


def tick_session(home: Path) -> Plan:
    """Run a session on the built-in exchange's ticks."""
    request = PaperRequest(
        symbol=SYMBOL, home=home, session="ticks", speed=1_000, max_minutes=60, history=200, set=list(SETTINGS)
    )
    plan = plan_of(request)
    assert asyncio.run(played(plan))[0].exit_code is ExitCode.DONE
    return plan


def venue_session(home: Path) -> Plan:
    """Run a session whose orders an exchange fills, over a stop and a gap of ten minutes."""

    async def scene() -> Plan:
        async with market() as server:
            plan = plan_at(server.url, home, minutes=6)
            await played(plan)
            server.market_clock.advance(10 * 60_000)
            server.catch_up()
            assert (await played(plan))[0].exit_code is ExitCode.DONE
            return plan

    return asyncio.run(scene())
