"""How often a session looks around on each kind of clock, and whether it is alone on its account."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from trading.exchange.clock import LockstepClock, ScaledClock, SystemClock
from trading.sessions.capital_budget import CapitalBudget, Claim
from trading.sessions.rhythm import Rhythm
from trading.sessions.venues import Solitude, rhythm_of

ACCOUNT = "account-hash"


class CountedBudget(CapitalBudget):
    """A budget that counts how often it is read."""

    looks = 0

    def claims(self, account: str) -> list[Claim]:
        self.looks += 1
        return super().claims(account)


@pytest.fixture
def budget(tmp_path: Path) -> CountedBudget:
    budget = CountedBudget(tmp_path, lambda session: session != "dead")
    budget.claim(ACCOUNT, "mine", "USDT", Decimal(100), Decimal(1_000))
    return budget


def test_a_lone_session_is_alone_and_the_file_is_read_once(budget: CountedBudget) -> None:
    alone = Solitude(budget, ACCOUNT, "mine")

    assert [alone() for _ in range(5)] == [True] * 5
    assert budget.looks == 1


def test_a_session_that_comes_is_seen_and_one_that_goes_too(budget: CountedBudget) -> None:
    alone = Solitude(budget, ACCOUNT, "mine")
    assert alone()
    other = CapitalBudget(budget.path.parent, lambda session: True)

    other.claim(ACCOUNT, "other", "USDT", Decimal(100), Decimal(1_000))
    assert not alone()
    other.release(ACCOUNT, "other")
    assert alone()


def test_a_session_that_died_is_not_company(budget: CountedBudget) -> None:
    budget.claim(ACCOUNT, "dead", "USDT", Decimal(100), Decimal(1_000))

    assert Solitude(budget, ACCOUNT, "mine")()


def test_a_claim_that_is_still_in_the_write_ahead_file_is_seen(budget: CountedBudget) -> None:
    alone = Solitude(budget, ACCOUNT, "mine")
    assert alone()
    with closing(sqlite3.connect(budget.path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO claims VALUES (?, 'other', 'USDT', '5')", (ACCOUNT,))

        assert not alone()


@pytest.mark.parametrize(("timeframe", "trades_s"), [("1m", 15.0), ("5m", 60.0), ("1h", 60.0)])
def test_in_lock_step_looks_are_counted_by_the_candle(timeframe: str, trades_s: float) -> None:
    async def advance(milliseconds: int) -> int:
        return milliseconds

    rhythm = rhythm_of(LockstepClock(0, advance), timeframe)

    # the market stands still until the session waits, so that it must never wait by the machine's clock
    assert (rhythm.look_s, rhythm.trades_s, rhythm.reconcile_s) == (0, trades_s, 60.0)


@pytest.mark.parametrize("speed", [0.5, 10.0, 300.0, 1_000.0])
def test_on_a_fast_clock_a_session_does_not_look_around_all_the_time(speed: float) -> None:
    rhythm = rhythm_of(ScaledClock(0, speed), "1m")
    real_s = {"look": rhythm.look_s, "trades": rhythm.trades_s / speed, "reconcile": rhythm.reconcile_s / speed}

    assert real_s["look"] >= 0.01
    assert real_s["trades"] >= 0.01
    assert real_s["reconcile"] >= 0.06
    assert rhythm.trades_s >= Rhythm().trades_s


def test_on_the_machines_clock_nothing_is_stretched() -> None:
    assert rhythm_of(SystemClock(), "1m") == Rhythm()
