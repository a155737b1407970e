"""Putting a session together: what it is, what it may share, and where it goes on."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.trading.sessions.running import (
    SETTINGS,
    SYMBOL,
    differences,
    journal,
    market,
    plan_at,
    played,
    running,
)
from trading.brokers.exchange_server.config import AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.errors import ExitCode, Refused, UsageError
from trading.exchange.credentials import Credentials
from trading.sessions.inputs import NewCandle, PastCandle, Price, decoded
from trading.sessions.launch import plan_of
from trading.sessions.live_requests import PaperRequest


def test_a_plan_says_where_orders_go(own_home: Path) -> None:
    paper = plan_of(PaperRequest(symbol=SYMBOL, home=own_home))
    assert (paper.name, paper.mode, paper.exchange, paper.needs_account) == (
        "paper-btc-usdt",
        "paper",
        "built-in",
        False,
    )
    public = plan_of(PaperRequest(symbol=SYMBOL, exchange="kraken", home=own_home))
    assert (public.exchange, public.needs_account) == ("kraken", False)
    at_a_server = plan_of(PaperRequest(symbol=SYMBOL, rest_url="http://127.0.0.1:1", home=own_home))
    assert (at_a_server.exchange, at_a_server.needs_account) == ("binance", True)
    with pytest.raises(UsageError, match="--symbol"):
        plan_of(PaperRequest(home=own_home))


def test_keys_that_may_withdraw_are_refused_before_anything_is_begun(own_home: Path) -> None:
    async def scene() -> None:
        async with market(can_withdraw=True) as server:
            plan = plan_at(server.url, own_home)
            with pytest.raises(Refused, match="may withdraw money"):
                await played(plan)

    asyncio.run(scene())
    assert not any(own_home.rglob("journal.sqlite"))


def test_a_session_that_was_begun_otherwise_is_not_taken_for_the_one_asked_for(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            await played(plan_at(server.url, own_home, minutes=1))
            with pytest.raises(UsageError, match=r"begun with capital=10000 .* 9000 cannot"):
                await played(plan_at(server.url, own_home, capital="9000"))
            with pytest.raises(UsageError, match=r"begun with limits.daily_loss=1.0"):
                await played(plan_at(server.url, own_home, "one", "limits.daily_loss=0.5"))
            with pytest.raises(UsageError, match="not paper binance ETH/USDT 1m"):
                await played(plan_at(server.url, own_home, symbol="ETH/USDT"))
            with pytest.raises(Refused, match="another account"):
                await played(plan_at(server.url, own_home, keys=Credentials("other-key", "other-secret")))
            # what is not asked for again is kept
            kept = plan_at(server.url, own_home, minutes=1, capital=None)
            assert (await played(kept))[0].exit_code is ExitCode.DONE

    asyncio.run(scene())


def test_sessions_of_one_account_share_its_capital(own_home: Path) -> None:
    async def scene() -> None:
        account = AccountConfig(balances={"USDT": Decimal(10_000)})
        config = ExchangeConfig(symbols=(SYMBOL, "ETH/USDT"), history=200, accounts=(account,), lockstep=True)
        async with ExchangeServer(config) as server:
            first = plan_at(server.url, own_home, "first", capital="6000")
            async with running(first) as (run, task):
                await run.heard("feed")
                # an order that fills just now is in the balance before it is in a journal
                with pytest.raises(Refused, match=r"wants 6000 USDT and \d+.* are left \(first 6000"):
                    await played(plan_at(server.url, own_home, "second", capital="6000", symbol="ETH/USDT"))
                second = plan_at(server.url, own_home, "second", capital="2000", symbol="ETH/USDT", minutes=2)
                assert (await played(second))[0].exit_code is ExitCode.DONE
                run.stop()
                assert (await task).exit_code is ExitCode.DONE
            # what is not running has no claim any more
            third = plan_at(server.url, own_home, "third", capital="6000", symbol="ETH/USDT", minutes=1)
            assert (await played(third))[0].exit_code is ExitCode.DONE

    asyncio.run(scene())


def test_a_session_that_has_put_all_its_capital_into_the_market_can_be_recovered(own_home: Path) -> None:
    async def scene() -> None:
        async with market(usdt="10000") as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.until(lambda: any(fill.data["side"] == "buy" for fill in run.of("fill")))
                run.stop()
                await task
            again, run = await played(plan_at(server.url, own_home, minutes=3))
            assert again.exit_code is ExitCode.DONE
            assert run.of("reconciled")[0].data["balances"] == "equal"
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_the_built_in_market_goes_on_where_the_session_left_it(own_home: Path) -> None:
    async def scene() -> None:
        request = PaperRequest(
            symbol=SYMBOL, home=own_home, session="here", speed=1_000, max_minutes=25, history=200, set=list(SETTINGS)
        )
        plan = plan_of(request)
        for _ in range(2):
            assert (await played(plan))[0].exit_code is ExitCode.DONE
        with journal(plan) as books:
            inputs = [item for batch in books.inputs() for item in decoded(batch.frames)]
            started = [event.time_ms for event in books.events() if event.kind == "started"]
        candles = [item for item in inputs if isinstance(item, NewCandle | PastCandle)]
        steps = {later.timestamp - earlier.timestamp for earlier, later in pairwise(candles)}
        assert steps == {60_000}
        assert started[1] > started[0] + 20 * 60_000
        times = [item.time_ms for item in inputs if isinstance(item, Price)]
        assert max(times) - min(times) > 40 * 60_000
        # one market: no candle opens far from where the one before has closed
        jumps = [abs(later.open / earlier.close - 1) for earlier, later in pairwise(candles)]
        assert max(jumps) < 0.005

    asyncio.run(scene())
