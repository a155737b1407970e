"""Changes are ranked by whether they decide as the session did before it failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from automation.incidents.session_agreement import Agreement, agreements
from automation.incidents.session_records import FailedSession
from automation.incidents.suites import suite_settings
from tests.automation.pipeline.failed_sessions import SETTINGS_TREE, SYMBOL, TIMEFRAME
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.inputs import Input, NewCandle
from trading.sessions.recording import Recording
from trading.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = Settings.model_validate(SETTINGS_TREE)
DECIDER, CANDLE = "trading/sessions/decider.py", "    def _candle(self, item: NewCandle) -> NewCandle:\n"
GRID, LAYING = "trading/engine/grid.py", "(PPM + spacing_ppm)"


@pytest.fixture(scope="module")
def until_a_sale() -> FailedSession:
    """Give a session whose last input led to a sale, with the digest of what was decided before."""
    candles = synthetic_candles(SYMBOL, TIMEFRAME, candles=300, seed=3)
    market = market_for(SYMBOL, candles[:50], SETTINGS.market)
    decider = Decider(SETTINGS, market, TIMEFRAME, Exchange.CANDLES)
    inputs: list[Input] = []
    digests = []
    for one in past_candles(candles):
        inputs.append(NewCandle(one.timestamp, one.open, one.high, one.low, one.close, one.volume))
        if any(fill.side < 0 for fill in decider.apply(inputs[-1]).fills):
            break
        digests.append((len(inputs), decider.digest))
    assert len(inputs) < len(candles)
    recording = Recording("sold", TIMEFRAME, Exchange.CANDLES, SETTINGS, market, tuple(inputs), tuple(digests))
    return FailedSession("sold", recording)


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert old in text
    return {path: text.replace(old, new, 1).encode()}


@pytest.mark.slow
def test_a_change_that_decides_otherwise_or_leaves_out_the_last_sale_is_told_from_one_that_does_not(
    until_a_sale: FailedSession,
) -> None:
    last = getattr(until_a_sale.recording.inputs[-1], "timestamp")  # noqa: B009 - a candle, as all of them
    skipping = f"{CANDLE}        if item.timestamp == {last}:\n            return item\n"
    changes = [
        {GRID: (ROOT / GRID).read_bytes() + b"\nUNUSED = 1\n"},
        changed(GRID, LAYING, "(PPM + 2 * spacing_ppm)"),
        changed(DECIDER, CANDLE, skipping),
        changed(GRID, LAYING, "(PPM + no_such_name)"),
    ]
    settings = suite_settings(ROOT, ROOT, "tests")
    found = agreements(until_a_sale, ROOT, settings, changes, 120)
    assert found == [
        Agreement(as_recorded=True),
        Agreement(as_recorded=False, same_last=False),
        Agreement(as_recorded=True, same_last=False),
        Agreement(as_recorded=False, same_last=False),
    ]


def test_what_cannot_be_told_in_time_is_left_open(until_a_sale: FailedSession) -> None:
    settings = suite_settings(ROOT, ROOT, "tests")
    assert agreements(until_a_sale, ROOT, settings, [{}, {}], 0.0) == [None, None]


def test_another_version_s_recording_is_agreed_with_for_as_long_as_the_code_at_hand_does(
    until_a_sale: FailedSession,
) -> None:
    recording = until_a_sale.recording
    other = replace(recording, digests=tuple((count, b"x" * 32) for count, _ in recording.digests))
    settings = suite_settings(ROOT, ROOT, "tests")
    found = agreements(replace(until_a_sale, recording=other), ROOT, settings, [{}], 120)
    assert found == [Agreement(as_recorded=True)]
