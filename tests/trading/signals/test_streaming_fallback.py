"""Streams that cannot be carried on compute each row from all candles; what they share with the compiled ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

import numba
import numpy as np
import pytest
import talib
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.signals.streams import appended, arguments, differences, new_stream
from trading.settings import Settings, SignalSettings
from trading.signals import Agent, AgentView, IndicatorSet, SignalRow, compute_signals
from trading.signals.registry import BUILT_IN
from trading.signals.streaming_compiling import fused
from trading.signals.streaming_history import FIRST_CAPACITY, CandleHistory
from trading.signals.streaming_proof import recursions_agree

MARKET = random_market(81, 260, "5m", gap_every=61, volatility=0.004)[5:]
WITH_STRANGER = Settings(signals=SignalSettings(agents=("momentum", "stranger", "regime", "volatility")))


def _install(
    monkeypatch: pytest.MonkeyPatch, view: Callable[[IndicatorSet], AgentView], name: str = "stranger"
) -> None:
    class Installed(Agent):
        description = "made for a test"

        def view(self, indicators: IndicatorSet) -> AgentView:
            return view(indicators)

        def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
            return [f"saw {len(indicators)} candles"]

    Installed.name = name
    monkeypatch.setitem(BUILT_IN, name, Installed)


def _buying(indicators: IndicatorSet) -> AgentView:
    n = len(indicators)
    sure = (0.6 + 0.4 * (np.arange(n) % 7) / 7).astype(np.float32)
    return AgentView(np.ones(n, np.int8), sure, np.full(n, 0.02, np.float32))


def _failing_now_and_then(indicators: IndicatorSet) -> AgentView:
    if len(indicators) % 3 == 0:
        raise RuntimeError("no opinion on every third candle")
    return _buying(indicators)


def test_a_strange_agent_is_heard_as_in_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _buying)
    stream = new_stream(MARKET, WITH_STRANGER)
    assert not stream.incremental
    stream.extend(MARKET[:200])
    rows = appended(stream, MARKET, range(200, len(MARKET)))
    assert differences(rows, compute_signals(MARKET, WITH_STRANGER), 200) == []
    assert stream.votes()[1].action == 1
    assert stream.reasons()["stranger"] == [f"saw {len(MARKET)} candles"]


def test_a_strange_agent_under_a_built_in_name_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _buying, "regime")
    settings = Settings(signals=SignalSettings(agents=("regime",)))
    stream = new_stream(MARKET, settings)
    assert not stream.incremental
    assert differences(appended(stream, MARKET, range(30)), compute_signals(MARKET[:30], settings)) == []
    assert all(row.confidence > 0 for row in appended(stream, MARKET, range(30, 40)))


def test_an_agent_that_raises_is_skipped_as_in_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _failing_now_and_then)
    stream = new_stream(MARKET, WITH_STRANGER)
    for row in range(60):
        got = stream.append(*arguments(MARKET, row))  # type: ignore[arg-type]
        batch = compute_signals(MARKET[: row + 1], WITH_STRANGER)
        assert repr(got) == repr(SignalRow.of(batch, -1))
        assert [vote.skipped for vote in stream.votes()] == [report.skipped for report in batch.agents]
    assert "every third candle" in str(stream.votes()[1].skipped)
    assert stream.reasons()["stranger"] == [stream.votes()[1].skipped]


def test_skips_for_time_are_told_and_replayed_to_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def slow_on_even_candles(indicators: IndicatorSet) -> AgentView:
        nonlocal now
        now += 1.0 if len(indicators) % 2 == 0 else 0.0
        return _buying(indicators)

    _install(monkeypatch, slow_on_even_candles)
    live = new_stream(MARKET, WITH_STRANGER, time_budget_s=0.1, clock=lambda: now)
    replayed = new_stream(MARKET, WITH_STRANGER)
    for row in range(80):
        got = live.append(*arguments(MARKET, row))  # type: ignore[arg-type]
        skipped = frozenset(vote.name for vote in live.votes() if vote.skipped)
        assert live.skipped() == skipped
        assert skipped == (frozenset({"stranger"}) if row % 2 else frozenset())
        again = replayed.append(*arguments(MARKET, row), forced_skips=skipped)  # type: ignore[arg-type]
        assert repr(again) == repr(got)
        assert {vote.name for vote in replayed.votes() if vote.skipped} == replayed.skipped() == skipped
    assert "longer than its budget of 0.1 s" in str(live.votes()[1].skipped)


def test_agents_that_are_carried_on_read_no_clock() -> None:
    def never() -> float:
        raise AssertionError("the clock was read")

    stream = new_stream(MARKET, Settings(), time_budget_s=0.0, clock=never)
    stream.extend(MARKET)
    assert not any(vote.skipped for vote in stream.votes())


def test_candles_closer_than_their_length_are_computed_from_all() -> None:
    crowded = MARKET.timestamp.copy()
    crowded[150] -= 60_000
    candles = replace(MARKET, timestamp=crowded)
    stream = new_stream(candles, Settings())
    rows = appended(stream, candles, range(150))
    assert stream.incremental
    rows += appended(stream, candles, range(150, 200))
    assert not stream.incremental
    for row in (149, 150, 151, 199):
        assert repr(rows[row]) == repr(SignalRow.of(compute_signals(candles[: row + 1], Settings()), -1))
    extended = new_stream(candles, Settings())
    extended.extend(candles[:200])
    assert not extended.incremental
    assert repr(extended.last) == repr(rows[-1])
    assert len(extended.votes()) == 5


@pytest.fixture
def fresh_proof() -> Iterator[None]:
    recursions_agree.cache_clear()
    yield
    recursions_agree.cache_clear()


@pytest.mark.usefixtures("fresh_proof")
@pytest.mark.parametrize("name", ["RSI", "ATR", "BBANDS", "MACD"])
def test_a_talib_that_rounds_otherwise_is_noticed(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = getattr(talib, name)

    def a_bit_more(*args: object) -> object:
        found = original(*args)
        return (
            tuple(np.nextafter(one, np.inf) for one in found) if isinstance(found, tuple) else np.nextafter(found, 1e9)
        )

    monkeypatch.setattr(talib, name, a_bit_more)
    stream = new_stream(MARKET, Settings())
    assert not stream.incremental
    assert "event=signal_stream_slow" in caplog.text
    rows = appended(stream, MARKET, range(25))
    assert differences(rows, compute_signals(MARKET[:25], Settings())) == []


@pytest.mark.usefixtures("fresh_proof")
@pytest.mark.skipif(not talib.__ta_version__.startswith(b"0.8.1 "), reason="roundings of another TA-Lib may differ")
def test_the_streams_recursions_are_those_of_talib() -> None:
    assert recursions_agree()


FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(factor=FINITE, other=FINITE, addend=FINITE)
def test_a_fused_product_is_rounded_once(factor: float, other: float, addend: float) -> None:
    exact = Fraction(factor) * Fraction(other) + Fraction(addend)
    got = _compiled_fused(factor, other, addend)
    if abs(exact) >= Fraction(np.finfo(float).max):
        assert abs(got) >= np.finfo(float).max
    else:
        assert got == float(exact) == fused(factor, other, addend)


@numba.njit
def _compiled_fused(factor: float, other: float, addend: float) -> float:
    return fused(factor, other, addend)


def test_a_fused_product_differs_from_one_rounded_twice() -> None:
    factor = 1.0 + 2.0**-30
    assert fused(factor, factor, -1.0) != factor * factor - 1.0
    assert np.isnan(fused(np.nan, 1.0, 1.0))


def test_columns_that_grow_leave_earlier_views_valid() -> None:
    history = CandleHistory(MARKET.symbol, MARKET.timeframe)
    long = random_market(82, 3 * FIRST_CAPACITY, "5m")
    history.extend(long[:1_000])
    early = history.candles()
    for row in range(1_000, len(long)):
        timestamp, *values, filled = arguments(long, row)
        history.append(timestamp, tuple(values), filled)  # type: ignore[arg-type]
    for name, column in long.columns().items():
        assert np.array_equal(early.columns()[name], column[:1_000])
        assert np.array_equal(history.candles().columns()[name], column)
    assert len(history.timestamp) == 4 * FIRST_CAPACITY
    assert not early.close.flags.writeable


_UNCOMPILED = """
from tests.markets import random_market
from tests.trading.signals.streams import appended, nasty, new_stream
from trading.settings import Settings

candles = nasty(random_market(83, 420, "15m", gap_every=31, volatility=0.01)[3:], "partly made up", 3)
stream = new_stream(candles, Settings())
rows = appended(stream, candles, range(len(candles)))
print(stream.incremental, *rows[-1:], *(row.confidence for row in rows), *stream.votes())
"""


@pytest.mark.slow
def test_uncompiled_stream_gives_the_same_rows() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-W", "error::RuntimeWarning", "-c", _UNCOMPILED],
            env={**os.environ, "NUMBA_DISABLE_JIT": off, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for off in ("0", "1")
    ]
    assert said[0] == said[1]
    assert said[0].startswith("True SignalRow(")


def test_backtests_and_help_do_not_load_the_stream() -> None:
    code = "import sys, trading.sessions.backtest; print('trading.signals.streaming_kernel' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
