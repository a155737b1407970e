"""Whatever the line does, books and venue agree in the end, and nothing is lost, doubled or sent behind the gate."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from hypothesis import event, given
from hypothesis import strategies as st

from tests.trading.brokers.desk_bench import Bench
from trading.brokers.protocol import Hint
from trading.orders.states import OrderState

_CALL_FAULTS = {
    "place": ["drop_before", "drop_after", "late", "busy", "stale", "reject"],
    "cancel": ["drop_before", "drop_after", "busy", "late_fill", "unknown_when_final", "reject"],
    "order": ["drop_before", "busy", "stale"],
    "open_orders": ["drop_before", "busy", "stale"],
    "fills_since": ["drop_before", "busy"],
    "fills_of": ["drop_before", "busy"],
    "balances": ["drop_before", "stale"],
    "time_ms": ["drop_before"],
}


@dataclass(frozen=True)
class Step:
    """One thing that happens: its kind, two numbers to choose with, and the time that passes after it."""

    kind: str
    first: int
    second: int
    after_s: float


_KINDS = [
    "plan", "plan", "plan", "fault", "fault", "fault", "fill", "fill", "cancel", "cancel", "venue_cancels",
    "outage", "hints", "crash", "trade_lag", "wait",
]  # fmt: skip
_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(_KINDS),
        st.integers(0, 50),
        st.integers(0, 50),
        st.sampled_from([0.0, 0.02, 0.06, 0.3, 1.0, 4.0, 9.0]),
    ),
    min_size=3,
    max_size=40,
)


class Story:
    """Plays steps against a session that is running all the while."""

    def __init__(self, *, mirror: bool) -> None:
        self.bench = Bench(mirror=mirror)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self.bench.serve())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def play(self, steps: list[Step]) -> None:
        await self.start()
        for step in steps:
            await getattr(self, f"_{step.kind}")(step)
            event(step.kind)
            await self.bench.clock.sleep(step.after_s)
            if self._task is not None and self._task.done():
                self._task.result()

    async def calm_down(self) -> None:
        self.bench.venue.outage = False
        self.bench.venue.faults.clear()
        self.bench.venue.trade_lag_s = 0
        await self.bench.clock.sleep(150)
        await self.stop()

    async def _plan(self, step: Step) -> None:
        self.bench.keeper.plan(step.first % 4, 1 if step.second % 3 else -1, 1 + step.second % 5, 10_000 + step.first)

    async def _fault(self, step: Step) -> None:
        method = list(_CALL_FAULTS)[step.first % len(_CALL_FAULTS)]
        faults = _CALL_FAULTS[method]
        self.bench.venue.faults[method].append(faults[step.second % len(faults)])

    async def _fill(self, step: Step) -> None:
        orders = self.bench.venue.open_now()
        if orders:
            self.bench.venue.fill(orders[step.first % len(orders)].exchange_id, 1 + step.second % 3)

    async def _cancel(self, step: Step) -> None:
        records = self.bench.keeper.records()
        if records:
            self.bench.keeper.want_cancel(records[step.first % len(records)].client_id)

    async def _venue_cancels(self, step: Step) -> None:
        orders = self.bench.venue.open_now()
        if orders:
            self.bench.venue.end(orders[step.first % len(orders)].exchange_id, OrderState.CANCELLED)

    async def _outage(self, step: Step) -> None:
        self.bench.venue.outage = not self.bench.venue.outage

    async def _hints(self, step: Step) -> None:
        # Some are lost, some told twice and in the wrong order.
        events = self.bench.venue.events
        told = [hint for number, hint in enumerate(events) if (number + step.first) % 3]
        events.clear()
        for hint in [*reversed(told), *told[: step.second % 4]]:
            self.bench.desk.on_hint(hint)
        if step.second % 7 == 0:
            self.bench.desk.on_hint(Hint(reconnected=True))

    async def _crash(self, step: Step) -> None:
        await self.stop()
        self.bench.restart()
        await self.start()

    async def _trade_lag(self, step: Step) -> None:
        self.bench.venue.trade_lag_s = step.first % 6

    async def _wait(self, step: Step) -> None:
        await self.bench.clock.sleep(step.first)


@given(_STEPS, st.booleans())
def test_books_and_venue_agree_after_any_faults(steps: list[Step], mirror: bool) -> None:
    async def main() -> None:
        story = Story(mirror=mirror)
        await story.play(steps)
        await story.calm_down()
        story.bench.agrees()
        assert not story.bench.keeper.halts
        assert not story.bench.desk.unsettled()
        refused = [record for record in story.bench.keeper.all_records() if record.state is OrderState.REJECTED]
        assert all(record.filled_lots == 0 for record in refused)

    asyncio.run(main())


@given(_STEPS, _STEPS)
def test_nothing_arrives_that_was_sent_after_the_gate_closed(steps: list[Step], later: list[Step]) -> None:
    async def main() -> None:
        story = Story(mirror=True)
        await story.play(steps)
        story.bench.desk.close_gate("shutdown")
        sent = len(story.bench.venue.sent)
        await story.play([step for step in later if step.kind != "crash"])
        await story.stop()
        story.bench.venue.outage = False
        story.bench.venue.faults.clear()
        left = await story.bench.desk.settle(200)
        assert left == ()
        assert len(story.bench.venue.sent) == sent

    asyncio.run(main())
