"""The offset of an exchange's clock is the median over round trips."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import FeedFailed
from trading.exchange.offset import clock_offset_ms


class SlowLine:
    """A line to a clock that is off, with its own delay for each way."""

    def __init__(self, offset_ms: int, delays_ms: list[tuple[int, int]]) -> None:
        self.time_ms = 1_700_000_000_000
        self._offset_ms = offset_ms
        self._delays_ms = list(delays_ms)

    def now_ms(self) -> int:
        return self.time_ms

    async def ask(self) -> object:
        there_ms, back_ms = self._delays_ms.pop(0)
        self.time_ms += there_ms
        told = self.time_ms + self._offset_ms
        self.time_ms += back_ms
        return told


def measured(line: SlowLine) -> int:
    return asyncio.run(clock_offset_ms(line.ask, line.now_ms))


@given(st.integers(-(10**7), 10**7), st.integers(0, 500))
def test_equal_ways_give_the_exact_offset(offset_ms: int, delay_ms: int) -> None:
    assert measured(SlowLine(offset_ms, [(delay_ms, delay_ms)] * 3)) == offset_ms


def test_one_slow_trip_does_not_move_it() -> None:
    assert measured(SlowLine(250, [(10, 10), (5_000, 0), (10, 10)])) == 250


@given(
    st.integers(-(10**7), 10**7), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=3, max_size=3)
)
def test_it_is_never_off_by_more_than_half_the_slowest_trip(offset_ms: int, delays: list[tuple[int, int]]) -> None:
    assert abs(measured(SlowLine(offset_ms, delays)) - offset_ms) <= max(map(sum, delays)) / 2 + 1


@pytest.mark.parametrize("told", [None, "1700000000000", True, 0, -5, 1.5])
def test_what_is_no_time_is_refused(told: object) -> None:
    async def ask() -> object:
        return told

    with pytest.raises(FeedFailed, match="told no time"):
        asyncio.run(clock_offset_ms(ask, lambda: 1_700_000_000_000))
