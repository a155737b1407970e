"""How the desk sends, cancels, asks and paces itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.trading.brokers.desk_bench import Bench
from tests.trading.brokers.venue_in_memory import MARKET
from trading.brokers.desk import DeskPolicy, Gate
from trading.brokers.protocol import Hint
from trading.errors import ConnectionLost, GridBotError
from trading.orders.records import Accepted, Closed, Filled, OrderRecord, Refused, Sent, Silent
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import NewOrder, VenueOrder


def test_an_order_is_written_down_before_it_is_sent() -> None:
    async def main() -> None:
        bench = Bench()
        facts_at_send: list[list[str]] = []
        place = bench.venue.place

        async def watched(order: NewOrder) -> VenueOrder:
            facts_at_send.append(bench.keeper.facts_of(order.client_id))
            return await place(order)

        bench.venue.place = watched  # type: ignore[method-assign]
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        assert facts_at_send == [["Sent"]]
        assert bench.keeper.facts == [
            Sent(order, bench.keeper.get(order).sent_ms),
            Accepted(order, "x1", resting=True),
        ]

    asyncio.run(main())


def test_a_market_order_is_booked_as_it_is_answered() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5, limit_ticks=0)
        await bench.desk.work()
        assert bench.keeper.facts_of(order) == ["Sent", "Accepted", "Filled"]
        assert isinstance(bench.keeper.facts[1], Accepted)
        assert not bench.keeper.facts[1].resting
        bench.agrees()

    asyncio.run(main())


def test_a_taking_order_answered_with_an_id_alone_is_asked_for_at_once() -> None:
    async def main() -> None:
        bench = Bench()
        place = bench.venue.place

        async def terse(order: NewOrder) -> VenueOrder:
            return replace(await place(order), state=OrderState.SUBMITTED, filled=Decimal(0))

        bench.venue.place = terse  # type: ignore[method-assign]
        order = bench.keeper.plan(0, 1, 5, limit_ticks=0)
        await bench.desk.work()
        assert bench.keeper.get(order).state is OrderState.FILLED
        assert bench.venue.calls["order"] == 1
        bench.agrees()

    asyncio.run(main())


def test_an_account_without_money_refuses_with_its_own_code() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.totals[MARKET.quote] = Decimal(1)
        order = bench.keeper.plan(0, 1, 500)
        await bench.desk.work()
        refusal = bench.keeper.facts[-1]
        assert isinstance(refusal, Refused)
        assert (refusal.client_id, refusal.code) == (order, "E002")
        assert bench.venue.calls["order"] == 0  # a first send that is refused did not arrive before

    asyncio.run(main())


def test_a_busy_venue_gets_the_order_later_and_once() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].extend(["busy"] * 4)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(25)
        assert bench.keeper.facts_of(order) == ["Sent", "Silent"] * 4 + ["Sent", "Accepted"]
        times = [time_ms for time_ms, _ in bench.venue.sent]
        gaps = [after - before for before, after in pairwise(times)]
        assert gaps == sorted(gaps)
        assert gaps[-1] > 2 * gaps[0]
        assert bench.venue.calls["order"] == 0  # a pause says that it did not arrive
        bench.agrees()

    asyncio.run(main())


def test_an_order_that_a_busy_venue_never_takes_goes_back_to_the_core() -> None:
    async def main() -> None:
        bench = Bench(policy=DeskPolicy(first_pause_s=20, longest_pause_s=40))
        bench.venue.faults["place"].extend(["busy", "busy"])
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(120)
        assert bench.keeper.get(order).command is CommandState.REJECTED
        assert "never reached the venue" in bench.keeper.get(order).note
        bench.agrees()

    asyncio.run(main())


def test_a_crash_after_a_busy_answer_asks_before_it_sends_again() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("busy")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.restart()
        await bench.live(20)
        assert bench.venue.calls["order"] >= 2
        assert bench.venue.accepted[order] == 1

    asyncio.run(main())


def test_five_questions_in_vain_tell_a_person_once_and_reconciling_resolves() -> None:
    async def main() -> None:
        bench = Bench(policy=DeskPolicy(failures=1_000))
        bench.venue.faults["place"].append("drop_after")
        bench.venue.faults["order"].extend(["drop_before"] * 5)
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        sent_ms = bench.clock.now_ms()
        await bench.live(60)
        asked = [fact for fact in bench.keeper.facts if isinstance(fact, Silent) and fact.asked]
        assert len(asked) == 5
        assert [kind for kind, _ in bench.keeper.alerts] == ["unresolved"]
        assert bench.venue.calls["order"] == 5
        assert bench.clock.now_ms() - sent_ms >= 13_000
        assert bench.desk.due_ms() is None
        await bench.reconciler.run("timer")
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        assert len(bench.keeper.alerts) == 1
        bench.agrees()

    asyncio.run(main())


def test_an_order_that_never_arrives_is_given_back_after_three_sends() -> None:
    async def main() -> None:
        bench = Bench(policy=DeskPolicy(failures=1_000))
        bench.venue.faults["place"].extend(["drop_before"] * 9)
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(60)
        assert len(bench.venue.sent) == 3
        assert bench.keeper.get(order).command is CommandState.REJECTED
        bench.agrees()

    asyncio.run(main())


def test_an_old_order_that_never_arrived_is_not_sent_after_a_restart() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("drop_before")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        await bench.clock.sleep(3_600)
        bench.restart()
        await bench.live(20)
        assert len(bench.venue.sent) == 1
        assert bench.keeper.get(order).command is CommandState.REJECTED

    asyncio.run(main())


def test_an_unwanted_order_that_never_arrived_is_not_sent_again() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("drop_before")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.keeper.want_cancel(order)
        await bench.live(20)
        assert len(bench.venue.sent) == 1
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.venue.calls["cancel"] == 0

    asyncio.run(main())


def test_an_order_that_was_never_sent_is_cancelled_here() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        bench.keeper.want_cancel(order)
        bench.venue.outage = True
        await bench.desk.work()
        assert bench.keeper.facts_of(order) == ["Closed"]
        assert not bench.venue.sent

    asyncio.run(main())


def test_orders_of_different_slots_travel_together_and_those_of_one_in_turn() -> None:
    async def main() -> None:
        bench = Bench(policy=DeskPolicy(at_once=4))
        orders = [bench.keeper.plan(slot, 1, 1) for slot in range(8)]
        started_ms = bench.clock.now_ms()
        await bench.desk.work()
        assert bench.clock.now_ms() - started_ms == 2 * 2 * 50  # two rounds of four, there and back
        assert [client_id for _, client_id in bench.venue.sent] == orders
        replaced = orders[3]
        bench.keeper.want_cancel(replaced)
        successor = bench.keeper.plan(3, 1, 2)
        await bench.desk.work()
        assert bench.keeper.get(replaced).state is OrderState.CANCELLED
        assert bench.keeper.get(successor).state is OrderState.SUBMITTED
        kinds = [(fact.client_id, type(fact)) for fact in bench.keeper.facts]
        assert kinds.index((replaced, Closed)) < kinds.index((successor, Sent))

    asyncio.run(main())


def test_an_outage_does_not_burn_a_hundred_orders_nor_hammer_the_venue() -> None:
    async def main() -> None:
        bench = Bench()
        orders = [bench.keeper.plan(slot, 1, 1) for slot in range(100)]
        bench.venue.outage = True
        await bench.live(120)
        assert len(bench.venue.sent) <= 4
        assert sum(bench.venue.calls.values()) <= 20
        bench.venue.outage = False
        await bench.live(90)
        given_up = [order for order in orders if bench.keeper.get(order).command is CommandState.REJECTED]
        resting = [order for order in orders if bench.keeper.get(order).state is OrderState.SUBMITTED]
        assert len(given_up) + len(resting) == 100
        assert len(resting) >= 96
        bench.agrees()

    asyncio.run(main())


def test_trades_that_never_show_up_halt_the_session_with_numbers() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 5, lag_s=100_000)
        await bench.reconciler.run("timer")
        await bench.clock.sleep(6)
        await bench.reconciler.run("timer")
        await bench.live(300)
        assert not bench.keeper.get(order).is_final
        assert len(bench.keeper.halts) == 1
        assert "0.005 filled and its trades add up to 0.000" in bench.keeper.halts[0]
        assert [kind for kind, _ in bench.keeper.alerts] == ["trades_missing"]

    asyncio.run(main())


def test_trades_that_show_up_late_close_the_order_without_a_halt() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.trade_lag_s = 45
        order = bench.keeper.plan(0, 1, 5, limit_ticks=0)
        await bench.live(30)
        assert not bench.keeper.get(order).is_final
        await bench.live(60)
        assert bench.keeper.get(order).state is OrderState.FILLED
        assert not bench.keeper.halts
        bench.agrees()

    asyncio.run(main())


def test_a_confirmed_order_that_the_venue_forgets_counts_as_cancelled_after_many_questions() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 2)
        del bench.venue.orders["x1"]
        bench.keeper.want_cancel(order)
        await bench.live(5)
        assert not bench.keeper.get(order).is_final
        await bench.live(20)
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.keeper.get(order).filled_lots == 2
        assert [kind for kind, _ in bench.keeper.alerts] == ["order_vanished"]

    asyncio.run(main())


def test_exits_only_lets_sells_out_and_keeps_buys() -> None:
    async def main() -> None:
        bench = Bench()
        bench.desk.allow_exits_only("daily loss")
        buy, sell = bench.keeper.plan(0, 1, 5), bench.keeper.plan(1, -1, 5)
        await bench.live(5)
        assert [client_id for _, client_id in bench.venue.sent] == [sell]
        assert bench.keeper.get(buy).is_planned
        bench.desk.close_gate("stop")
        bench.desk.allow_exits_only("too late")
        assert bench.desk.gate is Gate.CLOSED

    asyncio.run(main())


def test_cancel_everything_takes_what_is_there_and_spares_what_comes() -> None:
    async def main() -> None:
        bench = Bench()
        resting = [bench.keeper.plan(slot, 1, 5) for slot in range(3)]
        await bench.live(1)
        planned = bench.keeper.plan(0, 1, 5)
        bench.desk.cancel_everything("stop --cancel-orders")
        flatten = bench.keeper.plan(5, -1, 5)
        assert await bench.desk.settle(30) == ()
        states = {client_id: bench.keeper.get(client_id).state for client_id in (*resting, planned, flatten)}
        assert set(states.values()) == {OrderState.CANCELLED, OrderState.SUBMITTED}
        assert states[flatten] is OrderState.SUBMITTED
        bench.agrees()

    asyncio.run(main())


def test_an_answer_about_another_order_is_no_answer() -> None:
    async def main() -> None:
        bench = Bench()
        place = bench.venue.place

        async def confused(order: NewOrder) -> VenueOrder:
            return replace(await place(order), client_id="gb-test-99")

        bench.venue.place = confused  # type: ignore[method-assign]
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        assert bench.keeper.get(order).command is CommandState.UNRESOLVED
        await bench.live(10)
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        assert len(bench.venue.sent) == 1

    asyncio.run(main())


def test_the_streams_word_beats_a_lost_answer() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("drop_after")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        for hint in bench.venue.events:
            bench.desk.on_hint(hint)
        assert bench.keeper.get(order).command is CommandState.CONFIRMED
        await bench.live(10)
        assert bench.venue.calls["order"] == 0
        bench.agrees()

    asyncio.run(main())


def test_a_lost_answer_after_the_streams_word_changes_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        place = bench.venue.place

        async def told_first(order: NewOrder) -> VenueOrder:
            await place(order)
            for hint in bench.venue.events:
                bench.desk.on_hint(hint)
            raise ConnectionLost("the answer was lost")

        bench.venue.place = told_first  # type: ignore[method-assign]
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        assert bench.keeper.facts_of(order) == ["Sent", "Accepted"]

    asyncio.run(main())


def test_a_trade_listed_late_and_out_of_order_is_booked_by_polling() -> None:
    async def main() -> None:
        bench = Bench()
        first, second = bench.keeper.plan(0, 1, 5), bench.keeper.plan(1, 1, 5, 9_000)
        await bench.live(1)
        bench.venue.fill("x1", 2, lag_s=20)
        await bench.clock.sleep(5)
        bench.venue.fill("x2", 1)
        assert await bench.desk.book_trades() == 1
        await bench.clock.sleep(16)
        assert await bench.desk.book_trades() == 1
        assert bench.keeper.get(first).filled_lots == 2
        assert bench.keeper.get(second).filled_lots == 1

    asyncio.run(main())


def test_an_order_that_says_less_than_its_trades_is_asked_again() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 2)
        await bench.desk.book_trades()
        cancel = bench.venue.cancel

        async def behind(client_id: str, exchange_id: str | None) -> VenueOrder:
            return replace(await cancel(client_id, exchange_id), filled=Decimal(0))

        bench.venue.cancel = behind  # type: ignore[method-assign]
        bench.keeper.want_cancel(order)
        await bench.live(5)
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert not bench.keeper.alerts

    asyncio.run(main())


def test_another_order_under_a_known_id_changes_no_record() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        twin = replace(bench.venue.orders["x1"], exchange_id="x99", state=OrderState.CANCELLED)
        await bench.desk.observe(order, twin)
        assert bench.keeper.get(order).state is OrderState.SUBMITTED
        assert [kind for kind, _ in bench.keeper.alerts] == ["twin_order"]

    asyncio.run(main())


def test_an_order_on_its_way_is_left_to_whoever_sent_it() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        working = asyncio.create_task(bench.desk.work())
        await bench.clock.sleep(0.07)
        assert bench.desk.is_busy(order)
        await bench.desk.observe(order, bench.venue.orders["x1"])
        assert not await bench.desk.ask(order)
        assert bench.keeper.facts_of(order) == ["Sent"]
        await working
        assert bench.keeper.facts_of(order) == ["Sent", "Accepted"]

    asyncio.run(main())


def test_trades_of_others_are_not_booked() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        foreign = bench.venue.fill(bench.venue.foreign_order(None), 1)
        other_symbol = replace(bench.venue.fill("x1", 1), symbol="ETH/USDT", trade_id="e1")
        bench.desk.on_hint(Hint(fill=foreign))
        bench.desk.on_hint(Hint(fill=other_symbol))
        await bench.live(2)
        assert [fact.fill.trade_id for fact in bench.keeper.facts if isinstance(fact, Filled)] == ["t4"]

    asyncio.run(main())


def test_a_trade_that_overfills_an_order_halts_instead_of_ending_the_session() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        fill = bench.venue.fill("x1", 5)
        bench.desk.on_hint(Hint(fill=fill))
        bench.venue.trades.append((0, replace(fill, trade_id="again")))
        await bench.live(5)
        assert bench.keeper.get(order).filled_lots == 5
        assert len(bench.keeper.halts) == 1

    asyncio.run(main())


def test_a_trade_of_the_stream_that_cannot_be_is_left_to_rest() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        fill = bench.venue.fill("x1", 3, lag_s=3)
        for wrong in (
            {"quantity": fill.quantity * 10},
            {"quantity": fill.quantity / 7},
            {"price": fill.price * 2},
            {"price": fill.price / 3},
            {"side": -1},
            {"exchange_id": "x9", "client_id": order},
        ):
            bench.desk.reconciled()
            bench.desk.on_hint(Hint(fill=replace(fill, **wrong)))
            assert bench.desk.reconcile_reason
        assert not bench.keeper.trades
        await bench.live(6)
        assert bench.keeper.get(order).filled_lots == 3
        assert not bench.keeper.halts
        bench.agrees()

    asyncio.run(main())


def test_a_trade_of_an_order_that_was_given_up_is_booked_and_told() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.late_s = 100  # a venue that takes requests long after its window
        bench.venue.faults["place"].append("late")
        bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.desk.close_gate("stop")
        await bench.live(20)
        refused = bench.keeper.all_records()[0]
        assert refused.command is CommandState.REJECTED
        await bench.clock.sleep(90)
        exchange_id = bench.venue.open_now()[0].exchange_id
        bench.venue.fill(exchange_id, 2)
        await bench.clock.sleep(6)
        report = await bench.reconciler.run("timer")
        assert {action.kind for action in report.actions} == {"cancelled", "adopted"}
        assert bench.keeper.get(refused.client_id).filled_lots == 2
        assert [kind for kind, _ in bench.keeper.alerts] == ["unexpected_trade"]
        assert bench.venue.orders[exchange_id].is_final
        assert bench.keeper.expected() == bench.venue.totals

    asyncio.run(main())


def test_a_crash_of_the_keeper_reaches_the_caller_and_leaves_the_order_unresolved() -> None:
    class JournalFull(GridBotError):
        pass

    async def main() -> None:
        bench = Bench()
        apply = bench.keeper.apply

        def failing(fact: object) -> None:
            if isinstance(fact, Accepted):
                raise JournalFull("no space left for the journal; free some")
            apply(fact)  # type: ignore[arg-type]

        bench.keeper.apply = failing  # type: ignore[method-assign]
        order = bench.keeper.plan(0, 1, 5)
        with pytest.raises(JournalFull):
            await bench.desk.work()
        assert bench.keeper.get(order).is_unresolved
        bench.keeper.apply = apply  # type: ignore[method-assign]
        bench.restart()
        await bench.live(10)
        assert bench.venue.accepted[order] == 1
        bench.agrees()

    asyncio.run(main())


def test_due_tells_when_there_is_work() -> None:
    async def main() -> None:
        bench = Bench()
        assert bench.desk.due_ms() is None
        order = bench.keeper.plan(0, 1, 5)
        due_ms = bench.desk.due_ms()
        assert due_ms is not None
        assert due_ms <= bench.clock.now_ms()
        bench.venue.faults["place"].append("drop_after")
        await bench.desk.work()
        assert bench.desk.due_ms() == bench.clock.now_ms() + 5_000
        assert isinstance(bench.keeper.record(order), OrderRecord)

    asyncio.run(main())


def test_an_order_under_the_markets_least_value_is_denied_here_and_never_sent() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.market = replace(MARKET, min_notional=Decimal(10))
        small, enough = bench.keeper.plan(0, 1, 9, 100_000), bench.keeper.plan(1, 1, 10, 100_000)
        await bench.live(2)
        assert bench.keeper.get(small).command is CommandState.DENIED
        assert "under the market's least of 10" in bench.keeper.get(small).note
        assert bench.keeper.get(enough).command is CommandState.CONFIRMED
        assert bench.venue.calls["place"] == 1

    asyncio.run(main())
