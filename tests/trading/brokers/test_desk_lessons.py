"""The desk against the failures that users of other systems paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from tests.trading.brokers.desk_bench import Bench
from tests.trading.brokers.keeper_model import PREFIX
from tests.trading.brokers.venue_in_memory import MARKET
from trading.brokers.desk import DeskPolicy
from trading.brokers.protocol import Hint
from trading.orders.states import OrderState


def run(main: Coroutine[object, object, None]) -> None:
    asyncio.run(main)


def test_lesson_01_an_outage_ends_no_order() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.outage = True
        bench.keeper.want_cancel(order)
        await bench.live(120)
        assert not bench.keeper.get(order).is_final
        bench.venue.fill("x1", 2)
        bench.venue.outage = False
        await bench.live(40)
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.keeper.get(order).filled_lots == 2
        bench.agrees()

    run(main())


@pytest.mark.parametrize("fault", ["drop_after", "late"])
def test_lesson_01_a_lost_answer_is_no_rejection(fault: str) -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append(fault)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(2)
        assert bench.keeper.get(order).is_unresolved
        await bench.live(10)
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        bench.agrees()

    run(main())


def test_lesson_03_a_cancel_lost_in_the_network_is_sent_again() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.faults["cancel"].extend(["drop_before", "drop_before", "drop_after"])
        bench.keeper.want_cancel(order)
        await bench.live(20)
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.keeper.facts_of(order).count("CancelSent") >= 3
        bench.agrees()

    run(main())


def test_lesson_03_an_order_that_the_books_gave_up_is_cancelled_by_reconciling() -> None:
    async def main() -> None:
        bench = Bench()
        exchange_id = bench.venue.foreign_order(f"{PREFIX}77")
        other_session = bench.venue.foreign_order("gb-other-1")
        by_hand = bench.venue.foreign_order(None)
        await bench.clock.sleep(6)
        report = await bench.reconciler.run("start")
        assert (report.ours, report.other_sessions, report.foreign) == (1, 1, 1)
        assert [(action.kind, action.client_id) for action in report.actions] == [("cancelled", f"{PREFIX}77")]
        assert bench.venue.orders[exchange_id].state is OrderState.CANCELLED
        assert not bench.venue.orders[other_session].is_final
        assert not bench.venue.orders[by_hand].is_final

    run(main())


def test_lesson_04_a_timed_out_order_is_looked_up_before_it_is_sent_again() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].extend(["drop_after"])
        bench.venue.faults["order"].append("drop_before")
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(20)
        assert bench.venue.sent == [(bench.venue.sent[0][0], order)]
        assert bench.venue.accepted[order] == 1
        bench.agrees()

    run(main())


def test_lesson_04_an_order_that_never_arrived_is_sent_again_under_its_own_id() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("drop_before")
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(20)
        assert [client_id for _, client_id in bench.venue.sent] == [order, order]
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        first, second = (time_ms for time_ms, _ in bench.venue.sent)
        assert second - first >= 7_000  # beyond the receive window, and "unknown" twice
        bench.agrees()

    run(main())


def test_lesson_04_unknown_proves_nothing_within_the_receive_window() -> None:
    async def main() -> None:
        bench = Bench(policy=DeskPolicy(unknowns=1))
        bench.venue.faults["place"].append("late")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.restart()  # a crash right after the send: nothing is remembered, the request is on its way
        await bench.live(20)
        assert len(bench.venue.sent) == 1
        assert bench.venue.accepted[order] == 1
        bench.agrees()

    run(main())


def test_lesson_04_a_refused_second_send_is_no_proof_that_the_first_did_not_arrive() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.stale_s = 60  # a lookup far behind the book
        bench.venue.faults["place"].append("drop_after")
        bench.venue.faults["order"].extend(["stale", "stale"])
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(20)
        assert [client_id for _, client_id in bench.venue.sent] == [order, order]
        assert bench.venue.accepted[order] == 1
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        bench.agrees()

    run(main())


def test_lesson_05_restarts_book_no_trade_twice_and_leave_young_orders_alone() -> None:
    async def main() -> None:
        bench = Bench(mirror=True)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 3)
        await bench.live(1)
        for _ in range(3):  # warm, and cold: nothing remembered
            bench.restart()
            await bench.reconciler.run("start")
            await bench.live(1)
        assert bench.keeper.get(order).filled_lots == 3
        young = bench.keeper.plan(1, 1, 5, 9_000)
        await bench.desk.work()
        bench.venue.faults["open_orders"].append("stale")
        report = await bench.reconciler.run("timer")
        assert report.left_alone >= 1
        assert bench.keeper.get(young).state is OrderState.SUBMITTED
        bench.agrees()

    run(main())


def test_lesson_06_a_slots_next_order_waits_until_the_one_before_is_over_and_booked() -> None:
    async def main() -> None:
        bench = Bench()
        first = bench.keeper.plan(0, -1, 5)
        await bench.live(1)
        bench.venue.trade_lag_s = 4
        bench.venue.fill("x1", 3)
        bench.keeper.want_cancel(first)
        second = bench.keeper.plan(0, -1, 5, 10_100)
        await bench.live(1)
        assert bench.venue.of(first).is_final
        assert not bench.keeper.get(first).is_final  # its three lots are not booked yet
        assert bench.keeper.get(second).is_planned
        bench.keeper.resize(second, 2)  # what the core does once it hears of them
        await bench.live(20)
        assert bench.keeper.get(first).filled_lots == 3
        assert bench.venue.of(second).quantity == MARKET.quantity(2)
        bench.agrees()

    run(main())


def test_lesson_07_a_stale_order_list_leads_to_no_second_buy() -> None:
    async def main() -> None:
        bench = Bench(mirror=True)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.fill("x1", 5)
        await bench.live(1)
        bench.venue.stale_s = 3
        bench.venue.faults["open_orders"].append("stale")
        await bench.reconciler.run("timer")
        await bench.live(5)
        assert bench.keeper.get(order).state is OrderState.FILLED
        sides = [bench.keeper.get(client_id).side for _, client_id in bench.venue.sent]
        assert sides == [1, -1]
        bench.agrees()

    run(main())


def test_lesson_08_a_fill_while_offline_is_answered_by_the_mirror_order() -> None:
    async def main() -> None:
        bench = Bench(mirror=True)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 5)
        await bench.clock.sleep(3_600)
        bench.restart()
        report = await bench.reconciler.run("start")
        await bench.live(2)
        assert [action.kind for action in report.actions] == ["closed"]
        mirror = bench.keeper.all_records()[-1]
        assert bench.keeper.get(order).state is OrderState.FILLED
        assert (mirror.side, mirror.lots, mirror.state) == (-1, 5, OrderState.SUBMITTED)
        bench.agrees()

    run(main())


def test_lesson_13_a_stream_that_misses_fills_and_ends_changes_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        first, second = bench.keeper.plan(0, 1, 5), bench.keeper.plan(1, 1, 5, 9_000)
        await bench.live(1)
        bench.venue.fill("x1", 2)  # never told by the stream
        await bench.clock.sleep(90)
        later = bench.venue.fill("x2", 1)
        bench.desk.on_hint(Hint(fill=later))
        bench.desk.on_hint(Hint(fill=later))
        assert bench.keeper.get(second).filled_lots == 1
        assert bench.keeper.get(first).filled_lots == 0
        await bench.live(1)
        assert bench.keeper.get(first).filled_lots == 2
        bench.venue.end("x1")
        await bench.clock.sleep(6)
        await bench.reconciler.run("timer")
        assert bench.keeper.get(first).state is OrderState.CANCELLED
        bench.agrees()

    run(main())


def test_lesson_13_the_stream_ends_no_order_by_itself() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.end("x1")
        bench.desk.on_hint(bench.venue.events[-1])
        assert not bench.keeper.get(order).is_final
        asked = bench.venue.calls["order"]
        await bench.desk.work()
        assert bench.venue.calls["order"] == asked + 1
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        bench.desk.on_hint(Hint(reconnected=True))
        assert bench.desk.reconcile_reason
        await bench.reconciler.run(bench.desk.reconcile_reason)
        assert not bench.desk.reconcile_reason

    run(main())


def test_lesson_21_nothing_is_sent_once_the_gate_is_closed() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].extend(["drop_after", "drop_before"])
        landed, lost = bench.keeper.plan(0, 1, 5), bench.keeper.plan(1, 1, 5, 9_000)
        resting = bench.keeper.plan(2, 1, 5, 8_000)
        await bench.live(1)
        bench.desk.close_gate("shutdown")
        waiting = bench.keeper.plan(3, 1, 5, 7_000)
        bench.keeper.want_cancel(resting)
        sent = len(bench.venue.sent)
        assert set(bench.desk.unsettled()) == {landed, lost, resting}
        left = await bench.desk.settle(60)
        assert left == ()
        assert len(bench.venue.sent) == sent
        assert bench.keeper.get(waiting).is_planned
        assert bench.keeper.get(resting).state is OrderState.CANCELLED
        assert bench.keeper.get(landed).state is OrderState.SUBMITTED
        assert bench.keeper.get(lost).is_final
        bench.agrees()

    run(main())


@pytest.mark.parametrize("told_by", ["stream", "poll", "after_a_restart"])
def test_lesson_24_a_fill_after_the_confirmed_cancel_counts(told_by: str) -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.faults["cancel"].append("late_fill")
        bench.keeper.want_cancel(order)
        await bench.desk.work()
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.keeper.get(order).filled_lots == 0
        await bench.clock.sleep(4)
        bench.venue.open_now()  # the venue gets round to it
        if told_by == "stream":
            for event in bench.venue.events:
                bench.desk.on_hint(event)
        elif told_by == "poll":
            await bench.desk.book_trades()
        else:
            bench.restart()
            await bench.reconciler.run("start")
        assert bench.keeper.get(order).filled_lots == 5
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        bench.agrees()

    run(main())
