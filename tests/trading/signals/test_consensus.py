"""The vote: weights, confidence, trail, and agents that fail."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markets import market_of, random_market
from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.profiles import PROFILES
from trading.settings import RiskProfile, RiskSettings, Settings, SignalSettings, TrailSettings
from trading.signals import Agent, AgentView, IndicatorSet, Signals, compute_signals
from trading.signals.records import Regime, VolatilityClass
from trading.signals.registry import BUILT_IN
from trading.signals.voting import AGREEMENT, DECAY, HOLD_SHARE, HORIZON_CANDLES, PRIOR_VOTES, tally

MARKET = random_market(31, 900, volatility=0.004)
ALL = tuple(BUILT_IN)


def _settings(*agents: str, **signals: object) -> Settings:
    return Settings(signals=SignalSettings(agents=agents or ALL, **signals))


def _install(monkeypatch: pytest.MonkeyPatch, name: str, view: Callable[[IndicatorSet], object]) -> None:
    class Installed(Agent):
        description = "made for a test"

        def view(self, indicators: IndicatorSet) -> AgentView:
            return view(indicators)  # type: ignore[return-value]

        def reasons(self, indicators: IndicatorSet, row: int) -> list[str]:
            return []

    Installed.name = name
    monkeypatch.setitem(BUILT_IN, name, Installed)


def _constant(action: int, confidence: float, trail: float = 0.0) -> Callable[[IndicatorSet], AgentView]:
    return lambda one: AgentView(
        np.full(len(one), action, np.int8),
        np.full(len(one), confidence, np.float32),
        np.full(len(one), trail, np.float32),
    )


def _same(one: Signals, other: Signals) -> None:
    for name in ("action", "confidence", "trail", "disagreement", "regime", "volatility"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def _tally(
    actions: list[list[int]], confidences: list[list[float]], weights: list[float], least: float = 0.0
) -> tuple[np.ndarray, ...]:
    votes = np.array(actions, np.int8).reshape(len(weights), -1)
    n = votes.shape[1]
    flat = np.full(n, 100.0)
    kinds = np.full(n, Regime.RANGING, np.int8), np.full(n, VolatilityClass.NORMAL, np.int8)
    sure = np.array(confidences, np.float32).reshape(votes.shape)
    nothing = np.zeros(votes.shape, np.float32)
    return tally(votes, sure, nothing, flat, *kinds, np.array(weights), True, least, 0.015)


@given(
    votes=st.lists(
        st.tuples(st.sampled_from([-1, 0, 1]), st.floats(0.5, 1, width=32), st.floats(0, 5, width=32)),
        min_size=1,
        max_size=8,
    ),
    least=st.floats(0, 1),
)
def test_consensus_is_the_weighted_majority_and_stays_in_its_bounds(
    votes: list[tuple[int, float, float]], least: float
) -> None:
    action, confidence, _, disagreement, _, _ = _tally(
        [[vote[0]] for vote in votes], [[vote[1]] for vote in votes], [vote[2] for vote in votes], least
    )
    balance = math.fsum(a * c * w for a, c, w in votes)
    assert 0.0 <= confidence[0] <= 1.0
    assert 0.0 <= disagreement[0] <= 1.0
    if action[0] != 0:
        assert action[0] * balance > 0
        assert confidence[0] >= least - 2e-6
    elif abs(balance) > 1e-6:
        assert confidence[0] < least + 2e-6
    if len({a for a, _, w in votes if w > 0}) <= 1:
        assert disagreement[0] == pytest.approx(0.0, abs=1e-6)


def test_confidence_and_disagreement_are_those_of_the_formula() -> None:
    action, confidence, _, disagreement, _, _ = _tally(
        [[1], [1], [-1], [0]], [[0.8], [0.6], [0.7], [0.0]], [1, 2, 1, 1]
    )
    lead = (0.8 + 2 * 0.6 - 0.7) / (4 + HOLD_SHARE * 1)
    assert confidence[0] == pytest.approx(lead + (1 - lead) * AGREEMENT * 2 / 5)
    assert action[0] == 1
    assert disagreement[0] == pytest.approx(4 / 5 - (2 / 5) ** 2)


def test_disagreement_runs_from_all_alike_to_half_against_half() -> None:
    *_, alike, _, _ = _tally([[1], [1]], [[0.9], [0.6]], [1, 1])
    *_, against, _, _ = _tally([[1], [-1]], [[0.9], [0.6]], [1, 1])
    *_, holding, _, _ = _tally([[0], [0]], [[0.0], [0.0]], [1, 1])
    assert (alike[0], against[0], holding[0]) == (0.0, 1.0, 0.0)


def test_a_tie_holds_even_without_a_minimum() -> None:
    action, confidence, *_ = _tally([[1], [-1]], [[0.7], [0.7]], [1, 1])
    assert (action[0], confidence[0]) == (0, 0.0)


@given(seed=st.integers(0, 10_000), adapt=st.booleans())
def test_signals_of_any_market_are_in_their_bounds(seed: int, adapt: bool) -> None:
    signals = compute_signals(random_market(seed, 500, volatility=0.005), _settings(adapt=adapt))
    assert np.isin(signals.action, (-1, 0, 1)).all()
    assert ((signals.confidence >= 0) & (signals.confidence <= 1)).all()
    assert ((signals.disagreement >= 0) & (signals.disagreement <= 1)).all()
    least, greatest = np.array([0.005, 0.01, 0.02]), np.array([0.02, 0.03, 0.05])
    assert (signals.trail >= least[signals.volatility] - 1e-7).all()
    assert (signals.trail <= greatest[signals.volatility] + 1e-7).all()
    assert (signals.confidence[signals.action != 0] >= 0.6 - 2e-6).all()


@pytest.mark.parametrize("profile", list(RiskProfile))
def test_minimum_confidence_is_the_profiles_unless_pinned(profile: RiskProfile) -> None:
    candles = random_market(32, 3_000, volatility=0.004)
    own = compute_signals(candles, Settings(risk=profile))
    acting = own.confidence[own.action != 0]
    assert acting.min() >= PROFILES[profile].min_confidence - 2e-6
    pinned = compute_signals(candles, Settings(risk=profile, limits=RiskSettings(min_confidence=0.8)))
    assert np.count_nonzero(pinned.action) < np.count_nonzero(own.action)
    assert np.array_equal(pinned.confidence, own.confidence)


def test_trail_is_the_weighted_mean_times_the_regimes_multiplier_within_the_classes_bounds() -> None:
    trails = np.array([[0.010, 0.020, 0.0, 0.0], [0.030, 0.0, 0.0, 0.0]], np.float32)
    regime = np.array([Regime.TRENDING, Regime.RANGING, Regime.CALM, Regime.VOLATILE], np.int8)
    kinds = [VolatilityClass.NORMAL, VolatilityClass.NORMAL, VolatilityClass.CALM, VolatilityClass.VOLATILE]
    silent = np.zeros((2, 4), np.int8), np.zeros((2, 4), np.float32)
    volatility = np.array(kinds, np.int8)
    _, _, trail, *_ = tally(
        *silent, trails, np.full(4, 100.0), regime, volatility, np.array([3.0, 1.0]), True, 0.6, 0.03
    )
    assert trail.tolist() == pytest.approx([0.015 * 1.5, 0.02 * 0.7, 0.03 * 0.5, 0.05])


@pytest.mark.parametrize(("profile", "trail"), [("conservative", 0.014), ("moderate", 0.0105), ("aggressive", 0.01)])
def test_base_trail_stands_in_while_no_agent_has_one(profile: str, trail: float) -> None:
    signals = compute_signals(MARKET[:3], Settings(risk=RiskProfile(profile)))
    assert signals.trail[0] == pytest.approx(trail)
    pinned = compute_signals(MARKET[:3], Settings(trail=TrailSettings(base=0.04)))
    assert pinned.trail[0] == pytest.approx(0.028)


def test_hit_rate_counts_votes_whose_horizon_has_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "bull", _constant(1, 0.8))
    _install(monkeypatch, "bear", _constant(-1, 0.8))
    n = 120
    rising = market_of(np.linspace(100, 200, n))
    bull, bear = compute_signals(rising, _settings("bull", "bear")).agents
    assert (bull.hit_rate, bear.hit_rate) == (1.0, 0.0)
    judged = n - HORIZON_CANDLES
    recent = (1 - DECAY**judged) / (1 - DECAY)
    rate = (recent + 0.5 * PRIOR_VOTES) / (recent + PRIOR_VOTES)
    assert bull.weight == pytest.approx(min(1 + 4 * (rate - 0.5), 2.0))
    assert bear.weight == pytest.approx(max(1 - 4 * (rate - 0.5), 0.25))
    none_judged = compute_signals(rising[:HORIZON_CANDLES], _settings("bull")).agents[0]
    assert (none_judged.hit_rate, none_judged.weight) == (None, 1.0)


def test_an_unchanged_price_judges_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "bull", _constant(1, 0.8))
    (bull,) = compute_signals(market_of(np.full(200, 100.0)), _settings("bull")).agents
    assert (bull.hit_rate, bull.weight, bull.signals) == (None, 1.0, 200)


def test_the_agent_that_was_right_lately_wins_the_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "bull", _constant(1, 0.8))
    _install(monkeypatch, "bear", _constant(-1, 0.81))
    close = np.concatenate((np.linspace(100, 150, 300), np.linspace(150, 75, 700)))
    settings = Settings(signals=SignalSettings(agents=("bull", "bear")), limits=RiskSettings(min_confidence=0.0))
    signals = compute_signals(market_of(close), settings)
    assert signals.action[5] == -1
    assert signals.action[290] == 1
    assert signals.action[-1] == -1
    fixed = compute_signals(market_of(close), settings.model_copy(update={"signals": SignalSettings(
        agents=("bull", "bear"), adapt=False)}))  # fmt: skip
    assert (fixed.action == -1).all()
    assert [agent.weight for agent in fixed.agents] == [1.0, 1.0]


def test_starting_weights_come_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "bull", _constant(1, 0.9))
    _install(monkeypatch, "bear", _constant(-1, 0.9))
    heavy = compute_signals(MARKET, _settings("bull", "bear", weights={"bear": 20.0}, adapt=False))
    assert (heavy.action == -1).all()
    muted = compute_signals(MARKET, _settings("bull", "bear", weights={"bear": 0.0}, adapt=False))
    _same(muted, compute_signals(MARKET, _settings("bull", adapt=False)))


def test_a_weight_for_an_agent_that_does_not_vote_is_refused() -> None:
    with pytest.raises(UsageError, match=r"weights names 'momentom'"):
        compute_signals(MARKET, _settings(weights={"momentom": 2.0}))


def test_without_candles_there_are_no_signals() -> None:
    with pytest.raises(DataError, match="no candles"):
        compute_signals(MARKET[:0], _settings())


def _raise(_: IndicatorSet) -> AgentView:
    raise ZeroDivisionError("broken by design")


def _with(field: str, value: object) -> Callable[[IndicatorSet], AgentView]:
    def view(one: IndicatorSet) -> AgentView:
        good = _constant(1, 0.9, 0.02)(one)
        parts = {name: getattr(good, name) for name in ("action", "confidence", "trail")}
        parts[field] = value(parts[field]) if callable(value) else value
        return AgentView(**parts)

    return view


def _spoil(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def spoilt(values: np.ndarray) -> np.ndarray:
        values[len(values) // 2] = value
        return values

    return spoilt


BROKEN = {
    "raises": (_raise, "raised ZeroDivisionError: broken by design"),
    "answers something else": (lambda _: None, "answered NoneType"),
    "short": (_with("action", lambda values: values[1:]), "action is int8 of shape"),
    "float action": (_with("action", lambda values: values.astype(np.float64)), "action is float64"),
    "double confidence": (_with("confidence", lambda values: values.astype(np.float64)), "confidence is float64"),
    "list": (_with("trail", [0.1]), "trail is list"),
    "unknown action": (_with("action", _spoil(2)), "action runs from 1 to 2"),
    "too sure": (_with("confidence", _spoil(1.5)), "confidence runs from"),
    "unsure": (_with("confidence", _spoil(-0.1)), "confidence runs from"),
    "NaN confidence": (_with("confidence", _spoil(np.nan)), "confidence runs from nan"),
    "NaN trail": (_with("trail", _spoil(np.nan)), "trail runs from nan"),
    "trail of the whole price": (_with("trail", _spoil(1.0)), "trail runs from"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_skipping_an_agent_equals_not_having_it(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    view, reason = BROKEN[fault]
    _install(monkeypatch, "faulty", view)
    signals = compute_signals(MARKET, _settings("momentum", "faulty", "regime", "volatility"))
    report = signals.agents[1]
    assert report.skipped is not None
    assert reason in report.skipped
    assert (report.name, report.view, report.signals, report.weight) == ("faulty", None, 0, 0.0)
    alone = compute_signals(MARKET, _settings("momentum", "regime", "volatility"))
    _same(signals, alone)
    kept = [agent for agent in signals.agents if agent.skipped is None]
    for one, other in zip(kept, alone.agents, strict=True):
        assert (one.name, one.weight, one.hit_rate) == (other.name, other.weight, other.hit_rate)
        assert one.view is not None
        assert other.view is not None
        assert np.array_equal(one.view.action, other.view.action)


def test_a_skipped_agent_is_logged_with_its_code(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _install(monkeypatch, "faulty", _raise)
    compute_signals(MARKET, _settings("faulty", "regime"))
    assert "event=agent_skipped code=E005 agent=faulty" in caplog.text


def test_when_all_agents_fail_the_consensus_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "faulty", _raise)
    signals = compute_signals(MARKET, _settings("faulty"))
    assert (signals.action == 0).all()
    assert (signals.confidence == 0).all()
    assert (signals.disagreement == 0).all()
    assert (signals.trail > 0).all()
    assert np.isfinite(signals.swing_high[-1])
    assert signals.agents[0].skipped is not None


def test_an_agent_over_its_time_budget_is_skipped_only_where_there_is_one() -> None:
    ticks = iter([0.0, 0.04, 1.0, 1.2, 2.0, 2.05])
    settings = _settings("momentum", "volume_profile", "regime")
    limited = compute_signals(MARKET, settings, time_budget_s=0.1, clock=lambda: next(ticks))
    assert [agent.skipped is None for agent in limited.agents] == [True, False, True]
    assert limited.agents[1].skipped is not None
    assert "longer than its budget of 0.1 s" in limited.agents[1].skipped
    _same(limited, compute_signals(MARKET, _settings("momentum", "regime")))

    def never() -> float:
        raise AssertionError("a backtest must not read the clock")

    assert all(agent.skipped is None for agent in compute_signals(MARKET, settings, clock=never).agents)


def test_reports_add_up_with_the_views() -> None:
    signals = compute_signals(MARKET, _settings())
    assert [agent.name for agent in signals.agents] == list(ALL)
    for agent in signals.agents:
        assert agent.view is not None
        votes = agent.view.action != 0
        assert agent.signals == np.count_nonzero(votes)
        assert agent.mean_confidence == pytest.approx(agent.view.confidence[votes].mean(), rel=1e-5)
        judged = [
            (MARKET.close[t + HORIZON_CANDLES] - MARKET.close[t]) * agent.view.action[t] > 0
            for t in np.flatnonzero(votes[:-HORIZON_CANDLES])
            if MARKET.close[t + HORIZON_CANDLES] != MARKET.close[t]
        ]
        assert agent.hit_rate == pytest.approx(np.mean(judged))


def test_same_candles_give_the_same_bits() -> None:
    _same(compute_signals(MARKET, _settings()), compute_signals(MARKET, _settings()))


def test_all_arrays_have_one_value_per_candle_and_the_promised_types() -> None:
    signals = compute_signals(MARKET, _settings())
    types = {
        "action": np.int8, "confidence": np.float32, "trail": np.float32, "regime": np.int8, "volatility": np.int8,
        "swing_high": np.float64, "swing_low": np.float64, "swing_size": np.float32, "disagreement": np.float32,
    }  # fmt: skip
    for name, dtype in types.items():
        values = getattr(signals, name)
        assert values.dtype == dtype, name
        assert values.shape == (len(MARKET),), name
    assert signals.origin_ms == MARKET.timestamp[0]
    assert len(signals) == len(MARKET)


def test_signals_of_real_candles_act_now_and_then(shared_data: object) -> None:
    from trading.market.readers import read_candles

    candles: Candles = read_candles(shared_data / "BTC-USDT-5m.parquet")  # type: ignore[operator]
    signals = compute_signals(candles, _settings())
    assert 0.005 < np.mean(signals.action != 0) < 0.25
    assert set(np.unique(signals.regime)) == {0, 1, 2, 3}
    assert all(agent.signals > 0 and agent.skipped is None for agent in signals.agents)
    assert 0.003 < np.nanmean(signals.swing_size) < 0.1
