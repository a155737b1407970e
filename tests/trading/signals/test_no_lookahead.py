"""Nothing may know the future: every indicator, agent and the consensus on candles that end early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.signals.prefixes import arrays, changed_pasts
from trading.market.candles import Candles
from trading.settings import Settings, SignalSettings
from trading.signals import AgentView, IndicatorSet, Signals, compute_signals
from trading.signals.registry import BUILT_IN

PERIODS = {"sma": (20,), "ema": (20,)}
INDICATORS = sorted(
    name for name, member in vars(IndicatorSet).items() if hasattr(member, "__wrapped__") and name != "higher"
)
SIGNAL_ARRAYS = (
    "action", "confidence", "trail", "regime", "volatility", "swing_high", "swing_low", "swing_size", "disagreement"
)  # fmt: skip

# Starts within a UTC day and within an hour, so that first buckets and sessions are partial ones.
MARKETS = {
    "5m": random_market(1, 1_300, "5m", volatility=0.003)[7:],
    "5m with gaps": random_market(2, 1_300, "5m", gap_every=61, volatility=0.003)[5:],
    "1m with gaps": random_market(3, 1_500, "1m", gap_every=47, volatility=0.002)[3:],
    "1h with gaps": random_market(4, 900, "1h", gap_every=83, volatility=0.006)[2:],
    "5m partly made up": replace(
        random_market(9, 1_300, "5m", volatility=0.003)[1:],
        filled=np.random.default_rng(9).random(1_299) < np.where(np.arange(1_299) % 60 < 14, 0.9, 0.01),
    ),
    "1d": random_market(5, 700, "1d", volatility=0.02),
}


def _cuts(candles: Candles) -> list[int]:
    n = len(candles)
    gaps = np.flatnonzero(np.diff(candles.timestamp) > candles.step_ms) + 1
    hours = np.flatnonzero(candles.timestamp % 3_600_000 == 0)
    near = np.concatenate((gaps[::6], gaps[::6] + 1, hours[:: max(1, len(hours) // 6)]))
    return sorted({1, 2, 30, n - 1, *range(97, n, 211), *(int(cut) for cut in near if 0 < cut < n)})


def _signal_arrays(signals: Signals) -> dict[str, np.ndarray]:
    found = {name: getattr(signals, name) for name in SIGNAL_ARRAYS}
    for agent in signals.agents:
        assert agent.view is not None
        found |= {f"{agent.name}.{name}": getattr(agent.view, name) for name in ("action", "confidence", "trail")}
    return found


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("name", INDICATORS)
def test_indicator_does_not_know_the_future(name: str, market: str) -> None:
    candles = MARKETS[market]

    def measure(part: Candles) -> dict[str, np.ndarray]:
        return arrays(getattr(IndicatorSet(part), name)(*PERIODS.get(name, ())))

    whole = measure(candles)
    assert all(len(values) == len(candles) for values in whole.values())
    assert any(np.isfinite(values).any() for values in whole.values())
    assert changed_pasts(measure, candles, _cuts(candles)) == []


@pytest.mark.parametrize("market", MARKETS)
def test_higher_timeframe_values_do_not_know_the_future(market: str) -> None:
    candles = MARKETS[market]

    def measure(part: Candles) -> dict[str, np.ndarray]:
        indicators = IndicatorSet(part)
        return {
            timeframe: indicators.aligned(timeframe, indicators.higher(timeframe).sma(2))
            for timeframe in indicators.higher_timeframes
        }

    assert measure(candles)
    assert changed_pasts(measure, candles, _cuts(candles)) == []


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("name", BUILT_IN)
def test_agent_does_not_know_the_future(name: str, market: str) -> None:
    candles = MARKETS[market]

    def measure(part: Candles) -> dict[str, np.ndarray]:
        view = BUILT_IN[name]().view(IndicatorSet(part))
        return {"action": view.action, "confidence": view.confidence, "trail": view.trail}

    assert np.count_nonzero(measure(candles)["action"]) > 10
    assert changed_pasts(measure, candles, _cuts(candles)) == []


@pytest.mark.parametrize("market", MARKETS)
def test_consensus_does_not_know_the_future(market: str) -> None:
    candles, settings = MARKETS[market], Settings()

    def measure(part: Candles) -> dict[str, np.ndarray]:
        return _signal_arrays(compute_signals(part, settings))

    assert np.count_nonzero(measure(candles)["action"]) > 0
    assert changed_pasts(measure, candles, _cuts(candles)) == []


@given(
    seed=st.integers(0, 2**32 - 1),
    timeframe=st.sampled_from(["1m", "3m", "5m", "7m", "15m", "1h", "4h", "1d"]),
    gap_every=st.none() | st.integers(2, 90),
    first=st.integers(0, 40),
    n=st.integers(2, 700),
    data=st.data(),
)
def test_consensus_does_not_know_the_future_of_any_market(
    seed: int, timeframe: str, gap_every: int | None, first: int, n: int, data: st.DataObject
) -> None:
    candles = random_market(seed, first + n, timeframe, gap_every)[first:]
    cuts = data.draw(st.lists(st.integers(1, n - 1), min_size=1, max_size=4))
    settings = Settings(signals=SignalSettings(adapt=data.draw(st.booleans())))
    assert changed_pasts(lambda part: _signal_arrays(compute_signals(part, settings)), candles, cuts) == []


def test_lesson_17_no_whole_frame_extreme_leaks_into_the_past() -> None:
    candles, settings = random_market(6, 420, "5m", gap_every=50, volatility=0.004)[4:], Settings()

    def measure(part: Candles) -> dict[str, np.ndarray]:
        return _signal_arrays(compute_signals(part, settings))

    assert changed_pasts(measure, candles, range(1, len(candles))) == []
    cut = 300
    mad = {name: np.concatenate((getattr(candles, name)[:cut], getattr(candles, name)[cut:] * 50.0)) for name in
           ("open", "high", "low", "close", "volume")}  # fmt: skip
    calm, wild = measure(candles), measure(replace(candles, **mad))
    for name, values in calm.items():
        assert np.array_equal(values[:cut], wild[name][:cut], equal_nan=values.dtype.kind == "f"), name


def test_the_comparison_sees_an_agent_that_peeks() -> None:
    candles = MARKETS["5m"]

    def peeking(part: Candles) -> dict[str, np.ndarray]:
        return {"share of the range": (part.close - part.close.min()) / (part.close.max() - part.close.min() + 1.0)}

    def one_ahead(part: Candles) -> dict[str, np.ndarray]:
        return {"next close": np.append(part.close[1:], np.nan)}

    assert changed_pasts(peeking, candles, _cuts(candles))
    assert changed_pasts(one_ahead, candles, [500]) == ["next close cut at 500"]


def test_signals_go_on_from_a_stored_origin_as_if_never_stopped() -> None:
    history = random_market(7, 1_600, "5m", gap_every=140, volatility=0.003)
    stopped = compute_signals(history[300:1_200], Settings())
    went_on = compute_signals(history.between(stopped.origin_ms), Settings())
    before, after = _signal_arrays(stopped), _signal_arrays(went_on)
    for name, values in before.items():
        assert np.array_equal(values, after[name][:900], equal_nan=values.dtype.kind == "f"), name


def test_signals_depend_on_their_origin_so_it_must_be_stored() -> None:
    history = random_market(8, 1_600, "5m", volatility=0.003)
    early, late = compute_signals(history, Settings()), compute_signals(history[100:], Settings())
    assert early.origin_ms != late.origin_ms
    assert not np.array_equal(early.confidence[100:], late.confidence)


def test_agent_view_is_the_same_whoever_asked_the_indicators_before() -> None:
    candles = MARKETS["5m with gaps"]
    shared = IndicatorSet(candles)
    for name in reversed(BUILT_IN):
        alone: AgentView = BUILT_IN[name]().view(IndicatorSet(candles))
        after_others = BUILT_IN[name]().view(shared)
        assert np.array_equal(alone.action, after_others.action)
        assert np.array_equal(alone.confidence, after_others.confidence)
        assert np.array_equal(alone.trail, after_others.trail)
