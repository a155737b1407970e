"""Two processes never trade one symbol of one account, and a killed one blocks nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from trading.errors import Refused
from trading.sessions.session_lock import Holder, SessionLock, holder_of, is_held

_ROOT = Path(__file__).resolve().parents[3]
_HOLD = """
import sys
from pathlib import Path
from trading.errors import Refused
from trading.sessions.session_lock import SessionLock
home, name, account, symbol = sys.argv[1:]
try:
    with SessionLock(Path(home), name, account, symbol):
        print("held", flush=True)
        sys.stdin.readline()
except Refused as error:
    print(error, flush=True)
"""


class Other:
    """Another process that holds a session until it is told to stop, or is killed."""

    def __init__(self, home: Path, name: str, account: str = "acc", symbol: str = "BTC/USDT") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(home), name, account, symbol],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate("stop\n")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def test_a_second_start_of_a_session_is_refused_with_who_holds_it(tmp_path: Path) -> None:
    with Other(tmp_path, "a") as other:
        assert other.says() == "held"
        lock = SessionLock(tmp_path, "a", "other-account", "ETH/USDT")
        with pytest.raises(
            Refused, match=rf"session a is running already by session a \(process {other.process.pid}\)"
        ):
            lock.acquire()
        other.end()
        with lock:
            assert is_held(tmp_path / "sessions" / "a" / "lock")


def test_the_same_symbol_of_an_account_under_another_name_is_refused(tmp_path: Path) -> None:
    with SessionLock(tmp_path, "a", "acc", "BTC/USDT"), Other(tmp_path, "b") as other:
        told = other.says()
        assert f"by session a (process {os.getpid()})" in told
        assert told.startswith("BTC/USDT of this account is traded already")
        other.end()
        # What the refused one had taken already is free again.
        with SessionLock(tmp_path, "b", "acc", "ETH/USDT"):
            pass


def test_other_symbols_and_other_accounts_run_side_by_side(tmp_path: Path) -> None:
    with (
        SessionLock(tmp_path, "a", "acc", "BTC/USDT"),
        Other(tmp_path, "b", symbol="ETH/USDT") as other_symbol,
        Other(tmp_path, "c", account="second") as other_account,
    ):
        assert other_symbol.says() == "held"
        assert other_account.says() == "held"


def test_a_killed_session_blocks_nobody(tmp_path: Path) -> None:
    with Other(tmp_path, "a") as other:
        assert other.says() == "held"
        own = tmp_path / "sessions" / "a" / "lock"
        assert is_held(own)
        other.kill()
        assert not is_held(own)
        with SessionLock(tmp_path, "a", "acc", "BTC/USDT"):
            assert holder_of(own) == Holder(os.getpid(), "a", "BTC/USDT")


def test_the_same_process_cannot_hold_a_session_twice(tmp_path: Path) -> None:
    with SessionLock(tmp_path, "a", "acc", "BTC/USDT") as lock:
        with pytest.raises(Refused):
            SessionLock(tmp_path, "a", "acc", "BTC/USDT").acquire()
        lock.release()
        lock.release()
        with SessionLock(tmp_path, "a", "acc", "BTC/USDT"):
            pass


def test_asking_who_runs_keeps_no_start_out(tmp_path: Path) -> None:
    own = tmp_path / "sessions" / "a" / "lock"
    for _ in range(20):
        assert not is_held(own)
        with SessionLock(tmp_path, "a", "acc", "BTC/USDT"):
            assert is_held(own)


def test_the_account_is_not_written_anywhere(tmp_path: Path) -> None:
    with SessionLock(tmp_path, "a", "account-hash", "BTC/USDT"):
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(written) == 4
        for path in written:
            assert "account-hash" not in path.name
            assert b"account-hash" not in path.read_bytes()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "session": "a", "symbol": "b"}'])
def test_a_damaged_note_of_the_holder_is_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock.holder").write_text(text)
    assert holder_of(tmp_path / "lock") is None
    assert holder_of(tmp_path / "none") is None
