"""Sessions are shown whatever state they are in: running, halted, silent, stopped, died, damaged."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from automation.interfaces.console.data.sessions import SessionReader, Standing
from tests.automation.interfaces.console.console_home import furnish, write_session
from trading.errors import GridBotError
from trading.sessions.catalog import SessionCatalog
from trading.sessions.control import ControlRequest, ControlServer
from trading.sessions.control_address import Address, write_address
from trading.sessions.session_lock import SessionLock


def test_stopped_and_damaged_sessions_are_told_with_their_books_or_their_problem(tmp_path: Path) -> None:
    furnish(tmp_path, tmp_path)
    first, second, third = SessionReader(tmp_path).read()
    assert (first.name, first.standing) == ("paper-btc-usdt", Standing.STOPPED)
    assert first.equity == Decimal("10077.02834214")
    assert first.profit == Decimal("77.02834214")
    assert (first.position, first.price) == (Decimal("0.032"), Decimal("30253.09"))
    assert len(first.points) == 300
    assert second.name == "older"
    assert (third.standing, third.profit) == (Standing.UNREADABLE, None)
    assert "damaged" in third.note


def test_books_are_read_anew_only_when_the_journal_changed(tmp_path: Path) -> None:
    write_session(tmp_path, "one")
    reader = SessionReader(tmp_path)
    before = reader.read()[0]
    assert reader.read()[0].points is before.points
    (SessionCatalog(tmp_path).files_of("one").journal).unlink()
    write_session(tmp_path, "one", minutes=10)
    assert len(reader.read()[0].points) == 10


def test_a_long_day_is_thinned_out_and_ends_with_the_newest_candle(tmp_path: Path) -> None:
    write_session(tmp_path, "long", minutes=1_700)
    one = SessionReader(tmp_path).read()[0]
    assert len(one.points) <= 500
    assert one.equity is not None
    assert one.points[-1] == pytest.approx(float(one.equity))


def test_a_session_that_died_is_not_taken_for_one_that_ended(tmp_path: Path) -> None:
    folder = write_session(tmp_path, "one")
    write_address(folder, Address(pid=1, path=folder / "control.sock"))
    one = SessionReader(tmp_path).read()[0]
    assert one.standing is Standing.DIED
    assert "recovers" in one.note


def test_a_journal_under_an_exclusive_lock_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    write_session(tmp_path, "free")
    write_session(tmp_path, "one")
    holder = sqlite3.connect(SessionCatalog(tmp_path).files_of("one").journal, isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    holder.execute("INSERT OR REPLACE INTO meta VALUES ('held', 'yes')")
    try:
        found = {one.name: one for one in SessionReader(tmp_path).read()}
    finally:
        holder.close()
    assert found["free"].standing is Standing.STOPPED
    assert (found["one"].standing, found["one"].note != "") == (Standing.UNREADABLE, True)


@pytest.mark.parametrize(
    ("answer", "standing", "note"),
    [
        ({"equity": "10050.5", "price": "30300", "position": "0.05", "open_orders": 7, "feed": "live"}, "running", ""),
        ({"equity": "9000", "open_orders": 0, "halted": "drawdown limit"}, "halted", "drawdown limit"),
        (GridBotError("the venue is away"), "silent", "the venue is away"),
    ],
)
def test_a_running_session_answers_for_itself(
    tmp_path: Path, answer: Mapping[str, object] | GridBotError, standing: str, note: str
) -> None:
    folder = write_session(tmp_path, "one")

    async def handler(_: ControlRequest) -> Mapping[str, object]:
        if isinstance(answer, GridBotError):
            raise answer
        return answer

    async def ask() -> None:
        async with ControlServer(folder, handler):
            with SessionLock(tmp_path, "one", "account", "BTC/USDT"):
                one = (await asyncio.to_thread(SessionReader(tmp_path).read))[0]
        assert (one.standing.value, note in one.note) == (standing, True)
        if not isinstance(answer, GridBotError):
            assert one.equity == Decimal(str(answer["equity"]))
            assert one.open_orders == answer["open_orders"]

    asyncio.run(ask())
