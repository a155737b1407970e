"""A session that failed becomes a small test that fails as it did, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from automation.errors import RepositoryUnusable
from automation.incidents.inside.told_again import Books, Told, told_again
from automation.incidents.session_records import FailedSession, Recipe, failed_session, told_text
from automation.incidents.session_reproduction import SessionFinding, reproduce_session
from automation.incidents.suites import suite_settings
from tests.automation.pipeline.failed_sessions import SETTINGS_TREE, SYMBOL, TIMEFRAME
from trading.errors import DataError, UsageError
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.sessions.decider import Decider, Exchange, past_candles
from trading.sessions.inputs import Input, NewCandle
from trading.sessions.recording import Recording
from trading.settings import Settings

SETTINGS = Settings.model_validate(SETTINGS_TREE)


@pytest.fixture(scope="module")
def healthy() -> Recording:
    """Give the recording of a session that traded and did not fail."""
    candles = synthetic_candles(SYMBOL, TIMEFRAME, candles=300, seed=3)
    market = market_for(SYMBOL, candles[:50], SETTINGS.market)
    inputs: list[Input] = [
        NewCandle(one.timestamp, one.open, one.high, one.low, one.close, one.volume) for one in past_candles(candles)
    ]
    decider = Decider(SETTINGS, market, TIMEFRAME, Exchange.CANDLES)
    digests = []
    for number, item in enumerate(inputs, start=1):
        decider.apply(item)
        if number % 100 == 0:
            digests.append((number, decider.digest))
    return Recording("healthy", TIMEFRAME, Exchange.CANDLES, SETTINGS, market, tuple(inputs), tuple(digests))


def signals_of(recording: Recording) -> tuple[list[object], ...]:
    decider = recording.decider()
    signals = []
    for item in recording.inputs:
        decider.apply(item)
        row = decider.last_signal
        assert row is not None
        signals.append([getattr(row, name) for name in row.__slots__])
    return tuple(signals)


def test_books_kept_beside_a_healthy_session_agree_after_every_input(tmp_path: Path, healthy: Recording) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(told_text(FailedSession("healthy", healthy).told()))
    decider = told_again(file)
    assert decider.digest == healthy.digests[-1][1]
    assert decider.state.core.next_order_id > 10


def test_told_signals_lead_to_the_decisions_that_computed_ones_led_to(tmp_path: Path, healthy: Recording) -> None:
    file = tmp_path / "inputs.json"
    file.write_text(told_text(FailedSession("healthy", healthy).told(Recipe(signals=signals_of(healthy)))))
    assert told_again(file).digest == healthy.digests[-1][1]


def test_every_kind_of_input_comes_back_from_its_text(healthy: Recording) -> None:
    told = Told(json.loads(told_text(FailedSession("healthy", healthy).told(Recipe(kept=(3, 4, 9))))))
    assert told.inputs == [healthy.inputs[number] for number in (3, 4, 9)]
    assert (told.market, told.exchange, told.settings.grid) == (healthy.market, Exchange.CANDLES, SETTINGS.grid)


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("cash", "cash is not what the fills make it"),
        ("position_lots", "the position is not what the fills make it"),
        ("reserved", "reserved money does not add up"),
        ("working", "the count of working orders is off"),
        ("carry_lots", "slots and carry are not the position"),
        ("sold_units", "money got lost"),
    ],
)
def test_the_books_notice_what_the_core_does_not_check(field: str, words: str, healthy: Recording) -> None:
    told = Told(FailedSession("healthy", healthy).told())
    decider = told.decider()
    books = Books(decider)
    for number in range(120):
        told.tell(decider, books, number)
    outcome = decider.apply(told.inputs[120])
    core = decider.state.core
    setattr(core, field, getattr(core, field) + 1)
    with pytest.raises(AssertionError, match=words):
        books.check(told.inputs[120], outcome)


def test_a_core_that_has_stopped_trading_is_not_taken_for_a_repaired_one(tmp_path: Path, healthy: Recording) -> None:
    file = tmp_path / "inputs.json"
    quiet = Recipe(kept=tuple(range(20)), orders=1, fills=1)
    file.write_text(told_text(FailedSession("healthy", healthy).told(quiet)))
    with pytest.raises(AssertionError, match="places no order any more"):
        told_again(file)


def reproduce(recording: Recording, version: str = "") -> SessionFinding:
    root = Path(__file__).resolve().parents[3]

    def quiet(*_: Sequence[object]) -> None:
        return None

    session = FailedSession(recording.session, recording, version)
    return reproduce_session(session, root, suite_settings(root, root, "tests"), 60, quiet)


def test_a_session_that_did_not_fail_leaves_nothing_to_do(healthy: Recording) -> None:
    found = reproduce(healthy)
    assert (found.is_wrong, found.incident, found.reproduction) == (False, None, None)
    assert found.reason == "session healthy did not fail, and its recording holds"


def test_other_decisions_than_recorded_are_told_and_are_no_fault_to_repair(healthy: Recording) -> None:
    from dataclasses import replace

    import trading

    digests = (healthy.digests[0], (200, b"x" * 32))
    found = reproduce(replace(healthy, digests=digests), trading.__version__)
    assert (found.is_wrong, found.reproduction) == (True, None)
    assert "decides otherwise after input 200" in found.reason


@pytest.mark.parametrize(("name", "error"), [("nobody", UsageError), ("../gone.recording", DataError)])
def test_a_session_that_is_not_there_is_said_so(name: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        failed_session(name, tmp_path)


def test_an_exported_recording_is_read_from_its_file(tmp_path: Path, healthy: Recording) -> None:
    path = healthy.write(tmp_path / "healthy.recording")
    session = failed_session(str(path), tmp_path)
    assert (session.name, session.error, session.recording.inputs) == ("healthy", None, healthy.inputs)


def test_a_session_and_a_log_at_once_and_a_folder_without_a_core_are_refused(tmp_path: Path) -> None:
    from automation.pipeline.requests import FixRequest
    from automation.pipeline.session_requests import about_session

    with pytest.raises(UsageError):
        about_session(FixRequest(session="one", log=tmp_path / "log"))
    with pytest.raises(RepositoryUnusable):
        about_session(FixRequest(session="one", path=tmp_path))
