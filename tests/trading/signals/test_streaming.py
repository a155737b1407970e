"""A stream of signals says at each candle what the batch over all candles so far says, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.markets import random_market
from tests.trading.signals.streams import KINDS, appended, arguments, differences, nasty, new_stream
from trading.errors import DataError, UsageError
from trading.market.candles import Candles
from trading.settings import RiskProfile, RiskSettings, Settings, SignalSettings, TrailSettings
from trading.signals import SignalRow, SignalStream, compute_signals
from trading.signals.registry import BUILT_IN

MARKET = random_market(71, 1_200, "5m", gap_every=61, volatility=0.003)[5:]
MARKETS = {
    "1m": random_market(72, 2_600, "1m", volatility=0.002)[3:],
    "1m with gaps": random_market(73, 2_000, "1m", gap_every=47, volatility=0.002)[3:],
    "5m with gaps": MARKET,
    "5m partly made up": replace(
        random_market(74, 1_300, "5m", volatility=0.003)[1:],
        filled=np.random.default_rng(9).random(1_299) < np.where(np.arange(1_299) % 60 < 14, 0.9, 0.01),
    ),
    "15m": random_market(75, 1_200, "15m", gap_every=83, volatility=0.004)[1:],
    "1h with gaps": random_market(76, 1_200, "1h", gap_every=83, volatility=0.006)[2:],
    "4h": random_market(77, 900, "4h", volatility=0.01),
    "1d": random_market(78, 700, "1d", volatility=0.02),
    "7m, which makes no hour": random_market(79, 900, "7m", gap_every=50),
}


@pytest.mark.parametrize("market", MARKETS)
def test_every_row_is_the_batchs(market: str) -> None:
    candles = MARKETS[market]
    stream = new_stream(candles, Settings())
    assert stream.incremental
    rows = appended(stream, candles, range(len(candles)))
    assert differences(rows, compute_signals(candles, Settings())) == []
    assert any(row.action for row in rows)
    assert (stream.signals_seen, stream.origin_ms, stream.last) == (len(candles), candles.timestamp[0], rows[-1])


def test_every_row_is_the_last_one_of_its_own_prefix() -> None:
    candles = MARKETS["1h with gaps"][:400]
    stream = new_stream(candles, Settings())
    for row in range(len(candles)):
        got = stream.append(*arguments(candles, row))  # type: ignore[arg-type]
        if row < 40 or row % 17 == 0:
            assert repr(got) == repr(SignalRow.of(compute_signals(candles[: row + 1], Settings()), -1)), row


@given(
    seed=st.integers(0, 2**32 - 1),
    timeframe=st.sampled_from(["1m", "3m", "5m", "7m", "15m", "30m", "1h", "2h", "4h", "12h", "1d", "1w"]),
    gap_every=st.none() | st.integers(2, 120),
    first=st.integers(0, 60),
    n=st.integers(1, 1_000),
    exponent=st.floats(-6, -1.3),
    kind=st.sampled_from(sorted(KINDS)),
    data=st.data(),
)
def test_every_row_is_the_batchs_for_any_market_and_settings(
    seed: int,
    timeframe: str,
    gap_every: int | None,
    first: int,
    n: int,
    exponent: float,
    kind: str,
    data: st.DataObject,
) -> None:
    candles = random_market(seed, first + n, timeframe, gap_every, 10.0**exponent)[first:]
    candles = nasty(candles, kind, seed)
    agents = tuple(data.draw(st.lists(st.sampled_from(sorted(BUILT_IN)), min_size=1, max_size=5, unique=True)))
    chosen = Settings(
        risk=data.draw(st.sampled_from(list(RiskProfile))),
        signals=SignalSettings(
            agents=agents,
            weights=data.draw(st.dictionaries(st.sampled_from(agents), st.sampled_from([0.0, 0.3, 2.7, 1e6]))),
            adapt=data.draw(st.booleans()),
        ),
        limits=RiskSettings(min_confidence=data.draw(st.none() | st.floats(0, 0.99))),
        trail=TrailSettings(base=data.draw(st.none() | st.floats(0, 0.1))),
    )
    start = data.draw(st.integers(0, n - 1))
    stream = new_stream(candles, chosen)
    stream.extend(candles[:start])
    rows = appended(stream, candles, range(start, n))
    assert stream.incremental
    with np.errstate(all="ignore"):
        assert differences(rows, compute_signals(candles, chosen), start) == []


@settings(max_examples=8)
@given(stops=st.lists(st.integers(1, len(MARKET) - 1), min_size=1, max_size=4, unique=True))
def test_a_stream_rebuilt_from_history_goes_on_as_if_never_stopped(stops: list[int]) -> None:
    whole = appended(new_stream(MARKET, Settings()), MARKET, range(len(MARKET)))
    rows: list[SignalRow] = []
    for stop, end in zip([0, *sorted(stops)], [*sorted(stops), len(MARKET)], strict=True):
        stream = new_stream(MARKET, Settings())
        stream.extend(MARKET[:stop])
        if stop:
            assert repr(stream.last) == repr(whole[stop - 1])
        rows += appended(stream, MARKET, range(stop, end))
    assert repr(rows) == repr(whole)


def test_history_may_come_in_pieces() -> None:
    whole, pieces = new_stream(MARKET, Settings()), new_stream(MARKET, Settings())
    whole.extend(MARKET)
    for first, last in ((0, 0), (0, 1), (1, 700), (700, len(MARKET))):
        pieces.extend(MARKET[first:last])
    assert (repr(pieces.last), pieces.votes()) == (repr(whole.last), whole.votes())


@pytest.mark.parametrize("adapt", [True, False])
def test_votes_are_those_of_the_batchs_reports(adapt: bool) -> None:
    names = ("regime", "momentum", "volatility", "volume_profile", "market_structure")
    chosen = Settings(signals=SignalSettings(agents=names, weights={"momentum": 2.0}, adapt=adapt))
    stream, voted = new_stream(MARKET, chosen), 0
    assert stream.votes() == ()
    for row in range(len(MARKET)):
        stream.append(*arguments(MARKET, row))  # type: ignore[arg-type]
        if row % 97:
            continue
        reports = compute_signals(MARKET[: row + 1], chosen).agents
        for vote, report in zip(stream.votes(), reports, strict=True):
            assert report.view is not None
            expected = (report.name, report.view.action[-1], report.view.confidence[-1], report.view.trail[-1])
            assert (vote.name, vote.action, vote.confidence, vote.trail) == expected
            assert (vote.weight, vote.skipped) == (report.weight, None)
            voted += vote.action != 0
    assert voted > 5


def test_reasons_are_the_agents_own_words_about_the_last_candle() -> None:
    stream = new_stream(MARKET, Settings())
    stream.extend(MARKET)
    reasons = stream.reasons()
    assert list(reasons) == list(Settings().signals.agents)
    assert any("RSI is" in line for line in reasons["momentum"])


def test_an_agent_that_had_to_be_skipped_is_not_heard_at_that_candle_only() -> None:
    without = Settings(signals=SignalSettings(agents=("volatility", "volume_profile", "market_structure")))
    full, less = compute_signals(MARKET, Settings()), compute_signals(MARKET, without)
    stream = new_stream(MARKET, Settings())
    stream.extend(MARKET[:600])
    told_apart = 0
    for row in range(600, len(MARKET)):
        skips = frozenset({"momentum", "regime"}) if row % 3 == 0 else frozenset()
        got = stream.append(*arguments(MARKET, row), forced_skips=skips)  # type: ignore[arg-type]
        assert repr(got) == repr(SignalRow.of(less if skips else full, row))
        assert {vote.name for vote in stream.votes() if vote.skipped} == stream.skipped() == skips
        told_apart += repr(SignalRow.of(less, row)) != repr(SignalRow.of(full, row))
    assert told_apart > 100


def test_when_all_agents_had_to_be_skipped_the_row_holds() -> None:
    stream = new_stream(MARKET, Settings())
    stream.extend(MARKET[:-1])
    everyone = frozenset(Settings().signals.agents)
    row = stream.append(*arguments(MARKET, len(MARKET) - 1), forced_skips=everyone)  # type: ignore[arg-type]
    assert (row.action, row.confidence, row.disagreement) == (0, 0.0, 0.0)
    assert row.trail > 0
    assert all(vote.weight == 0 and "recording" in str(vote.skipped) for vote in stream.votes())
    assert stream.reasons()["regime"] == [stream.votes()[-1].skipped]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({1: 0.0}, "open is 0.0"),
        ({2: float("nan")}, "high is nan"),
        ({3: -1.0}, "low is -1.0"),
        ({4: float("inf")}, "close is inf"),
        ({5: -0.5}, "volume is -0.5"),
        ({0: int(MARKET.timestamp[599])}, "not later"),
        ({0: int(MARKET.timestamp[0])}, "not later"),
    ],
)
def test_a_candle_that_is_refused_leaves_no_trace(change: dict[int, float], words: str) -> None:
    stream = new_stream(MARKET, Settings())
    stream.extend(MARKET[:600])
    faulty = [change.get(place, value) for place, value in enumerate(arguments(MARKET, 600))]
    with pytest.raises(DataError, match=words):
        stream.append(*faulty)  # type: ignore[arg-type]
    assert stream.signals_seen == 600
    rows = appended(stream, MARKET, range(600, 700))
    assert differences(rows, compute_signals(MARKET[:700], Settings()), 600) == []
    assert stream.incremental


def test_history_that_does_not_fit_is_refused() -> None:
    stream = new_stream(MARKET, Settings())
    stream.extend(MARKET[:10])
    spoilt = replace(MARKET[10:20], close=np.full(10, np.nan))
    for candles, words in (
        (MARKET[5:20], "not later"),
        (replace(MARKET[10:20], symbol="OTHER/USDT"), "same series"),
        (replace(MARKET[10:20], timeframe="1m"), "same series"),
        (spoilt, "close is nan"),
    ):
        with pytest.raises(DataError, match=words):
            stream.extend(candles)
    assert stream.signals_seen == 10
    stream.extend(MARKET[10:20])
    assert repr(stream.last) == repr(SignalRow.of(compute_signals(MARKET[:20], Settings()), -1))


def test_wrong_use_is_told() -> None:
    empty = new_stream(MARKET, Settings())
    for ask in (lambda: empty.last, lambda: empty.origin_ms, empty.reasons):
        with pytest.raises(UsageError, match="no candle yet"):
            ask()
    with pytest.raises(UsageError, match="there is no agent"):
        new_stream(MARKET, Settings(signals=SignalSettings(agents=("nobody",))))
    with pytest.raises(UsageError, match="does not vote"):
        new_stream(MARKET, Settings(signals=SignalSettings(agents=("regime",), weights={"momentum": 1.0})))
    with pytest.raises(UsageError, match="forced_skips names nobody"):
        empty.append(*arguments(MARKET, 0), forced_skips=frozenset({"nobody"}))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="is not a timeframe"):
        SignalStream(Settings(), "TEST/USDT", "soon")
    assert empty.signals_seen == 0


def test_real_candles_of_a_long_time_give_the_batchs_rows(shared_data: object) -> None:
    from trading.market.readers import read_candles

    candles: Candles = read_candles(shared_data / "BTC-USDT-5m.parquet")  # type: ignore[operator]
    candles = candles[:40_000]
    rows = appended(new_stream(candles, Settings()), candles, range(len(candles)))
    assert differences(rows, compute_signals(candles, Settings())) == []


@pytest.mark.slow
def test_a_year_of_minutes_gives_the_batchs_rows() -> None:
    candles = random_market(80, 525_600, "1m", gap_every=9_001, volatility=0.0008)
    rows = appended(new_stream(candles, Settings()), candles, range(len(candles)))
    assert differences(rows, compute_signals(candles, Settings())) == []
