"""What comparing books and venue does about each difference."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from decimal import Decimal

from tests.trading.brokers.desk_bench import Bench
from tests.trading.brokers.keeper_model import PREFIX
from tests.trading.brokers.venue_in_memory import MARKET, InMemoryVenue
from trading.brokers.reconcile import Funding, Reconciler, Verdict
from trading.orders.states import OrderState


class VenueThatTellsFunding(InMemoryVenue):
    """One that lists deposits and withdrawals."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.moved: list[Funding] = []

    async def funding_since(self, since_ms: int) -> Sequence[Funding]:
        await self._reach("funding_since")
        return [each for each in self.moved if each.time_ms >= since_ms]

    def deposit(self, asset: str, amount: Decimal) -> None:
        self.move_money(asset, amount)
        self.moved.append(Funding(f"d{len(self.moved)}", asset, amount, self.clock.now_ms()))


def test_books_and_venue_that_agree_need_one_reading() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.fill("x1", 2)
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.EQUAL
        assert report.trades == 0  # the order itself told of them first
        assert [action.kind for action in report.actions] == ["updated"]
        assert bench.venue.calls["balances"] == 1
        told = json.loads(json.dumps(report.as_json()))
        assert (told["balances"], told["ours"], told["answered"]) == ("equal", 1, True)

    asyncio.run(main())


def test_an_unexplained_difference_halts_with_the_numbers_and_says_so_once() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.move_money(MARKET.quote, Decimal("-250.5"))
        for _ in range(3):
            report = await bench.reconciler.run("timer")
            assert report.balances is Verdict.MISMATCH
        assert report.differences == {MARKET.quote: Decimal("-250.5")}
        assert len(bench.keeper.halts) == 1
        assert "99749.5 USDT where the books say 100000 (-250.5 USDT)" in bench.keeper.halts[0]

    asyncio.run(main())


def test_an_old_answer_about_the_balances_halts_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.fill("x1", 5)
        await bench.live(1)
        bench.venue.stale_s = 7
        bench.venue.faults["balances"].extend(["stale", "stale"])
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.EQUAL
        assert bench.venue.calls["balances"] >= 2
        assert not bench.keeper.halts

    asyncio.run(main())


def test_trades_on_their_way_into_the_list_halt_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.trade_lag_s = 6
        bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.faults["cancel"].append("late_fill")
        bench.keeper.want_cancel(f"{PREFIX}1")
        await bench.live(4)
        report = await bench.reconciler.run("timer")
        assert report.balances in {Verdict.EQUAL, Verdict.NOT_COMPARED}
        assert not bench.keeper.halts

    asyncio.run(main())


def test_balances_are_not_compared_while_an_order_has_no_answer() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.faults["place"].append("drop_before")
        bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.venue.move_money(MARKET.quote, Decimal(-1))
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.NOT_COMPARED
        assert bench.venue.calls["balances"] == 0

    asyncio.run(main())


def test_a_deposit_that_the_venue_tells_of_is_booked_once() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue = venue = VenueThatTellsFunding(bench.clock)
        bench.restart()
        venue.deposit(MARKET.quote, Decimal(500))
        venue.deposit(MARKET.quote, Decimal(250))
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.FUNDED
        assert bench.keeper.funding == [(MARKET.quote, Decimal(750))]
        bench.restart()  # nothing remembered: the old deposits are in the books, the new one is not
        venue.deposit(MARKET.quote, Decimal(-100))
        report = await bench.compare()
        assert report.balances is Verdict.FUNDED
        assert bench.keeper.funding[1:] == [(MARKET.quote, Decimal(-100))]
        assert (await bench.reconciler.run("timer")).balances is Verdict.EQUAL
        assert not bench.keeper.halts
        venue.move_money(MARKET.quote, Decimal(-100))  # as much as the withdrawal that is booked already
        assert (await bench.compare()).balances is Verdict.MISMATCH
        assert len(bench.keeper.halts) == 1

    asyncio.run(main())


def test_a_difference_beside_a_deposit_still_halts() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue = venue = VenueThatTellsFunding(bench.clock)
        bench.restart()
        venue.deposit(MARKET.quote, Decimal(500))
        venue.move_money(MARKET.base, Decimal("-0.5"))
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.MISMATCH
        assert report.differences == {MARKET.base: Decimal("-0.5")}
        assert bench.keeper.funding == [(MARKET.quote, Decimal(500))]
        assert len(bench.keeper.halts) == 1

    asyncio.run(main())


def test_dust_under_a_lot_is_no_difference() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.move_money(MARKET.base, Decimal("-0.0009"))
        assert (await bench.reconciler.run("timer")).balances is Verdict.EQUAL
        bench.venue.move_money(MARKET.base, Decimal("-0.0001"))
        assert (await bench.compare()).balances is Verdict.MISMATCH

    asyncio.run(main())


def test_a_venue_without_an_answer_changes_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.outage = True
        facts = list(bench.keeper.facts)
        report = await bench.reconciler.run("reconnect")
        assert not report.answered
        assert bench.keeper.facts == facts
        assert not bench.keeper.get(order).is_final

    asyncio.run(main())


def test_an_order_that_ended_unseen_is_closed_with_its_trades() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.fill("x1", 2)
        bench.venue.end("x1")
        report = await bench.reconciler.run("timer")
        assert [(action.kind, action.client_id) for action in report.actions] == [("closed", order)]
        assert bench.keeper.get(order).state is OrderState.CANCELLED
        assert bench.keeper.get(order).filled_lots == 2
        bench.agrees()

    asyncio.run(main())


def test_a_second_order_under_a_used_id_is_cancelled() -> None:
    async def main() -> None:
        bench = Bench()
        order = bench.keeper.plan(0, 1, 5)
        await bench.live(1)
        bench.venue.fill("x1", 5)
        await bench.live(1)
        assert bench.keeper.get(order).is_final
        twin = bench.venue.foreign_order(order)  # the venue forgets ids of orders that ended
        await bench.clock.sleep(6)
        report = await bench.reconciler.run("timer")
        assert [action.kind for action in report.actions] == ["cancelled"]
        assert bench.venue.orders[twin].is_final
        assert bench.keeper.get(order).filled_lots == 5

    asyncio.run(main())


def test_an_unknown_order_of_ours_that_filled_is_told_and_halts_by_the_balances() -> None:
    async def main() -> None:
        bench = Bench()
        stray = bench.venue.foreign_order(f"{PREFIX}900")
        bench.venue.orders[stray] = bench.venue.orders[stray]
        foreign_quantity = bench.venue.fill(stray, 1).quantity
        second = bench.venue.foreign_order(f"{PREFIX}901")
        await bench.clock.sleep(6)
        report = await bench.reconciler.run("start")
        assert bench.venue.orders[second].is_final
        assert report.balances is Verdict.MISMATCH
        assert report.differences[MARKET.base] == foreign_quantity

    asyncio.run(main())


def test_a_failed_cancel_of_a_stray_order_is_tried_again_at_the_next_run() -> None:
    async def main() -> None:
        bench = Bench()
        stray = bench.venue.foreign_order(f"{PREFIX}900")
        await bench.clock.sleep(6)
        bench.venue.faults["cancel"].append("drop_before")
        first = await bench.reconciler.run("start")
        assert [action.kind for action in first.actions] == ["failed"]
        second = await bench.reconciler.run("timer")
        assert [action.kind for action in second.actions] == ["cancelled"]
        assert bench.venue.orders[stray].is_final

    asyncio.run(main())


def test_a_stray_order_that_is_very_young_is_left_alone() -> None:
    async def main() -> None:
        bench = Bench()
        stray = bench.venue.foreign_order(f"{PREFIX}900")
        report = await bench.reconciler.run("start")
        assert (report.left_alone, report.actions) == (1, ())
        assert not bench.venue.orders[stray].is_final

    asyncio.run(main())


def test_trades_of_a_given_up_order_are_booked_when_the_list_has_them() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.late_s = 100
        bench.venue.faults["place"].append("late")
        order = bench.keeper.plan(0, 1, 5)
        await bench.desk.work()
        bench.desk.close_gate("stop")
        await bench.live(20)
        assert bench.keeper.get(order).state is OrderState.REJECTED
        await bench.clock.sleep(90)
        bench.venue.fill(bench.venue.open_now()[0].exchange_id, 2, lag_s=9)
        await bench.clock.sleep(6)
        await bench.reconciler.run("timer")
        await bench.live(20)
        assert bench.keeper.get(order).filled_lots == 2
        assert bench.keeper.expected() == bench.venue.totals
        assert not bench.keeper.halts

    asyncio.run(main())


def test_two_runs_at_once_take_turns() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.plan(0, 1, 5)
        await bench.live(6)
        bench.venue.end("x1")
        first, second = await asyncio.gather(bench.reconciler.run("timer"), bench.reconciler.run("reconnect"))
        assert len(first.actions) == 1
        assert second.actions == ()

    asyncio.run(main())


def test_a_session_leaves_a_namesakes_orders_alone() -> None:
    async def main() -> None:
        bench = Bench()
        longer = bench.venue.foreign_order("gb-test-2-1")
        reconciler = Reconciler(bench.venue, bench.keeper, bench.desk, bench.clock, PREFIX)
        await bench.clock.sleep(6)
        report = await reconciler.run("start")
        assert report.other_sessions == 1
        assert not bench.venue.orders[longer].is_final

    asyncio.run(main())


def test_a_running_session_is_not_held_up_by_a_difference_that_is_yet_to_be_confirmed() -> None:
    async def main() -> None:
        bench = Bench()
        assert (await bench.reconciler.run("start")).balances is Verdict.EQUAL
        bench.venue.move_money(MARKET.quote, Decimal(-7))
        began_ms = bench.clock.now_ms()
        report = await bench.reconciler.run("timer")
        assert report.balances is Verdict.UNCLEAR
        assert report.differences == {MARKET.quote: Decimal(-7)}
        assert bench.clock.now_ms() - began_ms < 2_000  # what the answers took, and no pause
        assert bench.desk.reconcile_reason == ""
        assert (await bench.compare()).balances is Verdict.MISMATCH
        assert bench.clock.now_ms() - began_ms >= 8_000
        assert len(bench.keeper.halts) == 1
        assert bench.desk.reconcile_reason == ""

    asyncio.run(main())


def test_the_first_comparison_waits_until_a_difference_is_confirmed() -> None:
    async def main() -> None:
        bench = Bench()
        bench.keeper.plan(0, 1, 5)
        bench.venue.move_money(MARKET.quote, Decimal(-7))
        assert (await bench.reconciler.run("start")).balances is Verdict.MISMATCH
        assert len(bench.keeper.halts) == 1
        assert bench.venue.calls["place"] == 0

    asyncio.run(main())


def test_a_difference_that_goes_away_between_two_readings_halts_nothing() -> None:
    async def main() -> None:
        bench = Bench()
        await bench.reconciler.run("start")
        bench.venue.move_money(MARKET.quote, Decimal(-7))
        assert (await bench.reconciler.run("timer")).balances is Verdict.UNCLEAR
        bench.venue.move_money(MARKET.quote, Decimal(7))
        assert (await bench.compare()).balances is Verdict.EQUAL
        assert not bench.keeper.halts

    asyncio.run(main())


def test_a_comparison_without_an_answer_is_tried_again_soon() -> None:
    async def main() -> None:
        bench = Bench()
        bench.venue.outage = True
        assert not (await bench.reconciler.run("start")).answered
        assert bench.desk.reconcile_reason == ""
        bench.venue.outage = False
        await bench.clock.sleep(5)
        assert bench.desk.reconcile_reason
        assert (await bench.reconciler.run(bench.desk.reconcile_reason)).balances is Verdict.EQUAL
        assert bench.desk.reconcile_reason == ""

    asyncio.run(main())
