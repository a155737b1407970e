"""A session from start to end on the built-in exchange: by each kind of clock, through stops, halts, gaps and money."""

from __future__ import annotations

import asyncio
import sqlite3
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.trading.sessions.running import (
    HISTORY,
    KEYS,
    MINUTE_MS,
    PATIENCE_S,
    SETTINGS,
    SYMBOL,
    candles_of,
    differences,
    journal,
    market,
    plan_at,
    played,
    restless,
    running,
    sends,
)
from trading.brokers.desk_gate import Gate
from trading.brokers.exchange_server.config import AccountConfig, ExchangeConfig
from trading.brokers.exchange_server.records import OrderRequest, OrderType, Side
from trading.brokers.exchange_server.server import ExchangeServer
from trading.errors import ExitCode
from trading.exchange.clock import SystemClock
from trading.market.feeds.protocol import FeedState
from trading.orders.journal import Journal
from trading.orders.states import CommandState
from trading.sessions.books import decider_of
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import StopRequest
from trading.sessions.decider import Decider, Exchange
from trading.sessions.inputs import NewCandle, PastCandle, decoded
from trading.sessions.keeper import SessionKeeper
from trading.sessions.launch import Plan, new_facts, plan_of
from trading.sessions.live_requests import PaperRequest
from trading.sessions.live_session import LiveSession, Rhythm
from trading.sessions.session_lock import SessionLock
from trading.sessions.venues import Place, Share, account_venue

DAY_MS = 86_400_000


def falling(first: int, to: float, count: int = 60) -> list[float]:
    """A price that stands, swings once, and falls step by step from a candle on."""
    closes = restless(first)
    step = (to - closes[-1]) / count
    return closes + [round(closes[-1] + step * number, 2) for number in range(1, count + 1)] + [to] * 2_000


def test_books_and_exchange_agree_after_an_orderly_end_and_after_the_next(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=8)
            end, run = await played(plan)
            assert end.exit_code is ExitCode.DONE
            assert end.unsettled == ()
            assert len(run.of("fill")) >= 2
            assert differences(server, plan) == []
            before = sends(server)
            end, again = await played(plan)
            assert end.exit_code is ExitCode.DONE
            assert again.of("started")[0].data["recovered"] is True
            assert sends(server) > before
            assert differences(server, plan) == []
            with journal(plan) as books:
                assert [event.kind for event in books.events()].count("stopped") == 2

    asyncio.run(scene())


def test_a_session_trades_on_a_clock_that_runs_faster(own_home: Path) -> None:
    async def scene() -> None:
        # how far the market's clock comes beside the session is the machine's affair: the session ends when it traded
        async with market(lockstep=False, speed=200) as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.heard("fill")
                run.stop()
                assert (await task).exit_code is ExitCode.DONE
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_session_trades_on_this_machines_own_clock(own_home: Path) -> None:
    async def scene() -> None:
        account = AccountConfig(balances={"USDT": Decimal(20_000)})
        now_ms = SystemClock().now_ms() // 1_000 * 1_000
        config = ExchangeConfig(flow="still", timeframe="1s", start_ms=now_ms, history=HISTORY, accounts=(account,))
        async with ExchangeServer(config) as server:
            request = PaperRequest(symbol=SYMBOL, timeframe="1s", home=own_home, session="real", set=list(SETTINGS))
            plan = plan_of(request)
            place = Place("binance", SYMBOL, "1s", server.url, poll_s=0.1)
            share, clock = Share("real", plan.settings.capital), SystemClock()
            path = SessionCatalog(own_home).files_of("real").journal
            with SessionLock(own_home, "real", KEYS.fingerprint, SYMBOL):
                async with account_venue(place, KEYS, clock, share, own_home) as venue:
                    with Journal.create(path, new_facts(plan, venue)) as books:
                        decider = Decider(plan.settings, venue.market, "1s", Exchange.VENUE)
                        keeper = SessionKeeper(books, decider, clock, lambda event: None)
                        session = LiveSession(
                            keeper, venue.feed, venue.broker, clock, rhythm=Rhythm(look_s=0.02), history_candles=HISTORY
                        )
                        task = asyncio.create_task(session.run())
                        price = Decimal(30_000)
                        async with asyncio.timeout(PATIENCE_S):
                            while books.fill_count() == 0 and not task.done():
                                price = price * Decimal("0.999") if price > 29_000 else Decimal(30_000)
                                server.exchange.push_price(SYMBOL, price.quantize(Decimal("0.01")), Decimal(1))
                                await clock.sleep(0.05)
                            session.request_stop(StopRequest(True, False, "the test"))
                            end = await task
                        assert end.exit_code is ExitCode.DONE
                        assert books.fill_count() > 0
                        assert books.open_records() == []
                        assert server.exchange.open_orders("main", SYMBOL) == ()

    asyncio.run(scene())


def test_lesson_21_no_order_is_sent_once_a_stop_is_wanted(own_home: Path) -> None:
    def sent(plan: Plan) -> set[str]:
        with journal(plan) as books:
            return {one.client_id for one in books.orders() if one.sends > 0}

    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.heard("fill", 3)
                session, before = run.session, sent(plan)
                run.stop()
                end = await task
                assert session.desk is not None
                assert session.desk.gate is Gate.CLOSED
            assert sent(plan) == before
            assert end.exit_code is ExitCode.DONE
            assert end.reason == "stopped by the test"
            assert differences(server, plan) == []
            with journal(plan) as books:
                assert books.open_records() != []

    asyncio.run(scene())


def test_a_stop_may_cancel_and_a_later_one_may_sell_everything_too(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            before = {one.asset: one.free + one.locked for one in server.exchange.balances("main")}
            async with running(plan) as (run, task):
                await run.until(lambda: any(fill.data["side"] == "buy" for fill in run.of("fill")))
                run.stop(cancel_orders=True)
                run.stop(flatten=True)
                end = await task
            assert end.exit_code is ExitCode.DONE
            assert server.exchange.open_orders("main", SYMBOL) == ()
            after = {one.asset: one.free + one.locked for one in server.exchange.balances("main")}
            # what the fees left under a lot stays
            assert abs(after["BTC"] - before["BTC"]) < Decimal("0.0001")
            assert differences(server, plan) == []
            # started again by a person, it trades again
            async with running(plan) as (run, task):
                await run.heard("resumed")
                await run.heard("fill")

    asyncio.run(scene())


def test_every_end_cancels_where_the_session_was_started_so(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=8, cancel_orders=True)
            end, _ = await played(plan)
            assert end.exit_code is ExitCode.DONE
            assert sends(server) > 0
            assert server.exchange.open_orders("main", SYMBOL) == ()

    asyncio.run(scene())


def test_a_drawdown_halts_with_code_4_and_only_a_person_lets_it_go_on(own_home: Path) -> None:
    async def scene() -> None:
        async with market(falling(HISTORY + 12, 27_000)) as server:
            rules = ("limits.max_drawdown=0.005", "limits.daily_loss=1", "limits.flatten_on_halt=true")
            plan = plan_at(server.url, own_home, "one", *rules, minutes=300)
            end, run = await played(plan)
            assert end.exit_code is ExitCode.HALTED
            assert run.of("halted")[0].data["rule"] == "drawdown"
            assert "--resume" in end.reason
            assert server.exchange.open_orders("main", SYMBOL) == ()
            before = sends(server)
            end, run = await played(plan)
            assert end.exit_code is ExitCode.HALTED
            assert run.of("halted")
            assert sends(server) == before
            resumed = plan_at(server.url, own_home, "one", *rules, minutes=5, resume=True)
            end, run = await played(resumed)
            assert run.of("resumed")[0].data["reason"] == "a person lets the session go on"
            assert end.exit_code is ExitCode.DONE
            assert sends(server) > before
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_daily_loss_ends_with_the_utc_day(own_home: Path) -> None:
    async def scene() -> None:
        async with market(falling(HISTORY + 12, 28_500)) as server:
            rules = ("limits.max_drawdown=0.9", "limits.daily_loss=0.001", "limits.stop_loss=0.01")
            plan = plan_at(server.url, own_home, "one", *rules)
            async with running(plan) as (run, task):
                assert (await run.heard("halted")).data["rule"] == "daily_loss"
                halted_ms = run.of("halted")[0].time_ms
                # the halt is left by itself at midnight
                midnight_ms = (halted_ms // DAY_MS + 1) * DAY_MS
                resumed = await run.heard("resumed")
                assert midnight_ms <= resumed.time_ms <= midnight_ms + 2 * MINUTE_MS
                run.stop()
                end = await task
            assert end.exit_code is ExitCode.DONE

    asyncio.run(scene())


def test_trades_made_by_hand_halt_with_code_4(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.heard("fill")
                by_hand = OrderRequest(SYMBOL, Side.BUY, OrderType.MARKET, Decimal("0.05"), client_id="by-hand")
                server.exchange.place("main", by_hand)
                async with asyncio.timeout(PATIENCE_S):
                    end = await task
            assert end.exit_code is ExitCode.HALTED
            assert "BTC" in end.reason
            assert run.of("halted")
            again, run = await played(plan)
            assert again.exit_code is ExitCode.HALTED

    asyncio.run(scene())


def test_a_deposit_makes_orders_larger_and_a_withdrawal_smaller(own_home: Path) -> None:
    async def scene() -> None:
        async with market(usdt="10000") as server:
            plan = plan_at(server.url, own_home)

            def lots_of(since: int) -> Decimal:
                with journal(plan) as books:
                    buys = [one.lots * one.limit_ticks for one in books.orders(offset=since) if one.side > 0]
                    return Decimal(sum(buys)) / len(buys) if buys else Decimal(0)

            def orders() -> int:
                with journal(plan) as books:
                    return books.order_count()

            async with running(plan) as (run, task):
                await run.heard("fill", 4)
                first = lots_of(0)
                server.exchange.deposit("main", "USDT", Decimal(10_000))
                assert Decimal(str((await run.heard("funded")).data["amount"])) == 10_000
                since = orders()
                await run.until(lambda: orders() > since + 6)
                second = lots_of(since)
                assert second > first * Decimal("1.5")
                server.exchange.deposit("main", "USDT", Decimal(-12_000))
                await run.heard("funded", 2)
                since = orders()
                await run.until(lambda: orders() > since + 6)
                assert lots_of(since) < second * Decimal("0.6")
                run.stop()
                assert (await task).exit_code is ExitCode.DONE
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_entries_that_are_held_back_are_denied_and_decided_anew(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, _):
                await run.heard("started")
                run.session.patrol = None
                run.session.hold_entries("the test says so")
                await run.until(lambda: len([one for one in run.of("order") if one.data["command"] == "denied"]) >= 3)
                assert sends(server) == 0
                run.session.hold_entries("")
                await run.heard("fill")
            with journal(plan) as books:
                denied = [one for one in books.orders() if one.command is CommandState.DENIED]
                assert {one.note for one in denied} == {"not sent: the test says so"}
                assert all(one.sends == 0 for one in denied)
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_venue_that_is_away_for_minutes_is_waited_for_and_what_passed_is_not_traded(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, _):
                await run.heard("fill", 2)
                session = run.session
                server.faults.change({"error_502": 1})
                stale = await run.until_feed(FeedState.STALE)
                assert session.desk is not None
                assert session.desk.held == "the market data is stale"
                begun_ms = stale.time_ms
                await run.until(lambda: session.desk is not None and server.exchange.now_ms > begun_ms + 8 * MINUTE_MS)
                server.faults.change({"error_502": 0})
                await run.until_feed(FeedState.LIVE, after_ms=begun_ms)
                await run.until(lambda: session.desk is not None and session.desk.held == "")
                assert not run.of("crashed")
                await run.heard("fill", 4)
                await run.until(lambda: session.decider.seen_ms > begun_ms + 8 * MINUTE_MS)
            with journal(plan) as books:
                inputs = [item for batch in books.inputs() for item in decoded(batch.frames)]
            candles = [item for item in inputs if isinstance(item, NewCandle | PastCandle)]
            late = [item for item in candles[HISTORY:] if isinstance(item, PastCandle)]
            assert len(late) >= 4
            steps = {b.timestamp - a.timestamp for a, b in pairwise(candles)}
            assert steps == {MINUTE_MS}
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_candles_missed_while_it_was_down_are_seen_and_not_traded(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=5)
            await played(plan)
            server.market_clock.advance(30 * MINUTE_MS)
            server.catch_up()
            _, run = await played(plan)
            assert run.of("started")[0].data["missed_candles"] == 30
            with journal(plan) as books:
                inputs = [item for batch in books.inputs() for item in decoded(batch.frames)]
                orders = [one.created_ms for one in books.orders()]
            past = [item for item in inputs if isinstance(item, PastCandle)]
            assert len(past) == HISTORY + 29
            gap = (past[HISTORY].timestamp + MINUTE_MS, past[-1].timestamp + MINUTE_MS)
            assert [time for time in orders if gap[0] < time < gap[1]] == []
            assert differences(server, plan) == []

    asyncio.run(scene())


@pytest.mark.parametrize(
    "damaged",
    [pytest.param(0, id="the current state", marks=pytest.mark.slow), pytest.param(2, id="two checkpoints too")],
)
def test_a_damaged_state_is_restored_from_a_checkpoint_bit_for_bit(own_home: Path, damaged: int) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home, minutes=4)
            for _ in range(4):
                await played(plan)
            path = SessionCatalog(own_home).files_of("one").journal
            with Journal.open(path) as books:
                before = decider_of(books, Exchange.VENUE).to_bytes()
                assert len(books.checkpoints()) >= 4
            with sqlite3.connect(path) as raw:
                raw.execute("UPDATE core SET state = zeroblob(length(state))")
                raw.execute(
                    "UPDATE checkpoints SET state = zeroblob(9) WHERE id IN "
                    "(SELECT id FROM checkpoints ORDER BY id DESC LIMIT ?)",
                    (damaged,),
                )
            raw.close()
            with Journal.open(path) as books:
                assert decider_of(books, Exchange.VENUE).to_bytes() == before
                restored = [event for event in books.events() if event.kind == "restored"]
                assert [event.data["code"] for event in restored] == ["E007"]
            end, _ = await played(plan)
            assert end.exit_code is ExitCode.DONE
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_a_core_whose_books_do_not_add_up_stops_with_code_4_and_leaves_nothing_that_buys(own_home: Path) -> None:
    async def scene() -> None:
        async with market() as server:
            plan = plan_at(server.url, own_home)
            async with running(plan) as (run, task):
                await run.until(lambda: server.exchange.open_orders("main", SYMBOL))
                run.session.decider.state.core.reserved += 1
                async with asyncio.timeout(PATIENCE_S):
                    end = await task
            assert end.exit_code is ExitCode.HALTED
            assert run.of("halted")[-1].data["code"] == "E007"
            assert [one for one in server.exchange.open_orders("main", SYMBOL) if one.side is Side.BUY] == []
            # the books are as they were before the fault, and lead on
            async with running(plan) as (run, _):
                fills = len(run.of("fill"))
                await run.heard("fill", fills + 2)
            assert differences(server, plan) == []

    asyncio.run(scene())


def test_the_exchange_of_the_rig_replays_what_it_is_given() -> None:
    closes = restless(HISTORY + 3)
    server = market(closes)
    assert server.exchange.last_price(SYMBOL) == Decimal(str(candles_of(closes).close[HISTORY - 1]))
