"""Recordings as files: small, whole or not at all, and what is no recording is told apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trading.sessions.recorded import venue_session
from tests.trading.sessions.running import SYMBOL, journal, plan_at
from trading.errors import DataError, Refused, StateCorrupt
from trading.orders.journal import Journal
from trading.orders.journal_rows import SessionFacts
from trading.sessions.books import market_json
from trading.sessions.recording import Recording, read_recording, recording_of


@pytest.fixture
def venue_recording(own_home: Path) -> Recording:
    """What a session at a venue was told, over a stop and a gap."""
    with journal(venue_session(own_home)) as books:
        return recording_of(books)


def test_a_file_that_is_damaged_or_no_recording_is_told_apart(tmp_path: Path, venue_recording: Recording) -> None:
    path = venue_recording.write(tmp_path / "deep" / "kept.gbr")
    assert len(path.read_bytes()) < 40 * len(venue_recording.inputs)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(StateCorrupt, match="damaged"):
        read_recording(path)
    path.write_bytes(b"something else")
    with pytest.raises(DataError, match="no recording"):
        read_recording(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_recording(tmp_path / "nowhere.gbr")


def test_a_recording_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path, venue_recording: Recording) -> None:
    (tmp_path / "taken").write_text("a file where a folder has to be")
    with pytest.raises(Refused, match="choose another place"):
        venue_recording.write(tmp_path / "taken" / "kept.gbr")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["taken"]


def test_nothing_recorded_is_refused(tmp_path: Path, own_home: Path, venue_recording: Recording) -> None:
    plan = plan_at("http://127.0.0.1:1", own_home)
    facts = SessionFacts(
        name="empty", mode="paper", exchange="binance", symbol=SYMBOL, timeframe="1m", capital=plan.settings.capital,
        settings_json=plan.settings.model_dump_json(exclude={"home"}), market_json=market_json(venue_recording.market),
        created_ms=0, origin_ms=0, version="0", account="nobody",
    )  # fmt: skip
    with Journal.create(tmp_path / "empty.sqlite", facts) as books, pytest.raises(DataError, match="recorded nothing"):
        recording_of(books)
