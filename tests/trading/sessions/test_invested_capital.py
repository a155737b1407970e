"""What a session has bought is the account's still, and no other session lacks it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

from tests.trading.sessions.running import differences, market, plan_at, running
from trading.sessions.capital_budget import Claim
from trading.sessions.catalog import SessionCatalog
from trading.sessions.invested_capital import invested


def test_what_a_session_has_bought_and_what_is_left_are_what_it_began_with(own_home: Path) -> None:
    async def scene() -> None:
        async with market(usdt="10000") as server:
            plan = plan_at(server.url, own_home, capital="6000")
            async with running(plan) as (run, task):
                await run.until(lambda: any(fill.data["side"] == "buy" for fill in run.of("fill")))
                run.stop()
                await task
            assert differences(server, plan) == []
            balance = next(one.free + one.locked for one in server.exchange.balances("main") if one.asset == "USDT")
            bought = invested(SessionCatalog(own_home), [Claim(plan.name, "USDT", Decimal(6_000))])
            assert bought > 0
            assert balance + bought == 10_000

    asyncio.run(scene())


def test_a_session_that_has_just_claimed_has_bought_nothing(own_home: Path) -> None:
    assert invested(SessionCatalog(own_home), [Claim("new", "USDT", Decimal(100))]) == 0
