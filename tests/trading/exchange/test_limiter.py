"""One budget of weight for all who use an address, and every pause that the exchange asks for is kept by all."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.exchange.venue_server import SteppingClock
from trading.errors import RateLimited
from trading.exchange.limiter import Limiter, LimitRule, WeightBudget, hurried, rule_for, shared_budget

RULE = LimitRule(window_ms=60_000, share=0.9, patient_share=0.75, used_header="x-used", used_limit=6_000)


def limiter(clock: SteppingClock, budget: WeightBudget | None = None, venue: str = "here") -> Limiter:
    return Limiter(budget or WeightBudget(), venue, clock, RULE)


def test_weight_beyond_the_window_waits_for_the_oldest_to_leave() -> None:
    clock = SteppingClock()
    paced = limiter(clock)

    async def main() -> None:
        for _ in range(5):
            await paced.acquire(10_000)
            clock.pass_time(1)

    asyncio.run(main())
    # four fit into three quarters of a minute; the fifth waits until the first is a minute old
    assert clock.sleeps == [56.0]


@given(weights=st.lists(st.floats(1, 20_000), min_size=1, max_size=40), steps=st.lists(st.integers(0, 9), max_size=40))
def test_no_window_ever_holds_more_than_its_share(weights: list[float], steps: list[int]) -> None:
    clock = SteppingClock()
    paced = limiter(clock)
    taken: list[tuple[int, float]] = []

    async def main() -> None:
        for number, weight in enumerate(weights):
            await paced.acquire(weight)
            taken.append((clock.now_ms(), weight))
            clock.pass_time(steps[number] if number < len(steps) else 0)

    asyncio.run(main())
    for at_ms, _ in taken:
        window = [weight for other_ms, weight in taken if at_ms - 60_000 < other_ms <= at_ms]
        assert sum(window) <= 45_000 + 1e-6 or len(window) == 1


def test_lesson_16_two_sessions_share_one_budget() -> None:
    clock, budget = SteppingClock(), WeightBudget()
    first, second = limiter(clock, budget), limiter(clock, budget)

    async def main() -> None:
        await first.acquire(40_000)
        await second.acquire(40_000)

    asyncio.run(main())
    assert clock.sleeps == [60.0]


def test_other_venues_have_their_own_budget() -> None:
    clock, budget = SteppingClock(), WeightBudget()

    async def main() -> None:
        await limiter(clock, budget, "here").acquire(45_000)
        await limiter(clock, budget, "there").acquire(45_000)

    asyncio.run(main())
    assert clock.sleeps == []


SPEND = """
import sys
from pathlib import Path
from trading.exchange.limiter import WeightBudget
budget = WeightBudget(Path(sys.argv[1]))
print(sum(budget.take("here", 1_000, 1_000, 60_000, 45_000) == 0 for _ in range(40)))
budget.close()
"""


def test_lesson_16_several_processes_share_one_budget(tmp_path: Path) -> None:
    path = tmp_path / "home" / "budget.sqlite"
    spenders = [
        subprocess.Popen([sys.executable, "-c", SPEND, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    spent = [int(spender.communicate(timeout=60)[0]) for spender in spenders]
    assert sum(spent) == 45


def test_what_others_spent_is_learnt_from_the_header() -> None:
    clock = SteppingClock()
    paced = limiter(clock)

    async def main() -> None:
        await paced.acquire(1_000)
        paced.observe(200, {"x-used": "4500"})
        await paced.acquire(1_000)

    asyncio.run(main())
    assert clock.sleeps == [60.0]


@pytest.mark.parametrize("told", ["", "many", "-1", "1e9", "٣"])
def test_a_header_that_is_no_number_is_not_counted(told: str) -> None:
    clock = SteppingClock()
    paced = limiter(clock)
    paced.observe(200, {"x-used": told})
    asyncio.run(paced.acquire(45_000))
    assert clock.sleeps == []


def test_lesson_16_retry_after_holds_for_all() -> None:
    clock, budget = SteppingClock(), WeightBudget()
    limiter(clock, budget).observe(429, {"retry-after": "17"})
    limiter(clock, budget).observe(429, {"retry-after": "3"})
    asyncio.run(limiter(clock, budget).acquire(1))
    assert clock.sleeps == [17.0]


def test_lesson_16_a_ban_stops_everything_until_it_ends() -> None:
    clock, budget = SteppingClock(), WeightBudget()
    limiter(clock, budget).observe(418, {"retry-after": "300"})
    with pytest.raises(RateLimited, match=r"has banned this address .* for another 300 s"):
        asyncio.run(limiter(clock, budget).acquire(1))
    assert clock.sleeps == []
    clock.pass_time(300)
    asyncio.run(limiter(clock, budget).acquire(1))


def test_a_short_pause_does_not_end_a_ban() -> None:
    clock, budget = SteppingClock(), WeightBudget()
    limiter(clock, budget).observe(418, {"retry-after": "300"})
    limiter(clock, budget).observe(429, {"retry-after": "1"})
    with pytest.raises(RateLimited):
        asyncio.run(limiter(clock, budget).acquire(1))


def test_orders_may_use_what_reads_leave_and_never_wait_long() -> None:
    clock = SteppingClock()
    paced = limiter(clock)

    async def main() -> None:
        await paced.acquire(45_000)
        with hurried(2.0):
            await paced.acquire(9_000)
            with pytest.raises(RateLimited, match="nothing was sent"):
                await paced.acquire(9_000)

    asyncio.run(main())
    assert clock.sleeps == []


def test_a_request_heavier_than_the_window_goes_when_it_is_alone() -> None:
    clock = SteppingClock()
    paced = limiter(clock)

    async def main() -> None:
        await paced.acquire(1)
        await paced.acquire(90_000)

    asyncio.run(main())
    assert clock.sleeps == [60.0]


def test_a_clock_that_is_set_back_does_not_lock_the_budget() -> None:
    budget = WeightBudget()
    asyncio.run(limiter(SteppingClock(2_000_000_000_000), budget).acquire(45_000))
    clock = SteppingClock()
    asyncio.run(limiter(clock, budget).acquire(45_000))
    assert clock.sleeps == []


def test_rules_know_the_venues_windows() -> None:
    assert (rule_for("binance", 60_000).window_ms, rule_for("binance").used_header) == (60_000, "x-mbx-used-weight-1m")
    assert rule_for("coinbase").window_ms == 1_000
    assert shared_budget(None) is shared_budget(None)
