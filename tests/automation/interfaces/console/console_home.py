"""A data home whose sessions, logs and nights were written by the real writers, the same ones every time."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from automation.pipeline.health import Check
from automation.pipeline.nightly_report import NightlyResult, write_nightly
from trading.exchange.clock import Clock
from trading.market.rules import Market
from trading.orders.journal import Journal
from trading.orders.journal_reader import SessionFacts
from trading.sessions.books import market_json
from trading.sessions.catalog import SessionCatalog
from trading.sessions.logs import SessionLog

MINUTE_MS = 60_000
START_MS = 1_700_000_040_000
NOW_MS = START_MS + 600 * MINUTE_MS
MARKET = Market("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(10), Decimal("0.001"), Decimal("0.001"))


def clock() -> int:
    """Ten hours after the first session began."""
    return NOW_MS


def write_session(home: Path, name: str, *, minutes: int = 300, swing: float = 40.0) -> Path:
    """A paper session that ended in order, with an equity that swings; returns its folder."""
    files = SessionCatalog(home).files_of(name)
    facts = SessionFacts(
        name=name, mode="paper", exchange="built-in", symbol=MARKET.symbol, timeframe="1m", capital=Decimal(10_000),
        settings_json="{}", market_json=market_json(MARKET), created_ms=START_MS, origin_ms=START_MS, version="0.1",
        account="paper",
    )  # fmt: skip
    unit = 10**MARKET.cash_decimals
    with Journal.create(files.journal, facts) as journal, journal.transaction():
        for minute in range(minutes):
            equity = 10_000 + swing * math.sin(minute / 40) + swing * minute / 300
            journal.add_equity(
                START_MS + minute * MINUTE_MS, round(equity * unit), 9_000 * unit, 3_200_000_000, 3_025_010 + minute
            )
        journal.note(START_MS + minutes * MINUTE_MS, "stopped", {"reason": "its time is over"})
    return files.folder


class Fixed(Clock):
    """A clock that stands still."""

    def now_ms(self) -> int:
        return NOW_MS


def write_log(folder: Path, session: str) -> Path:
    """A session's log with a record of each level."""
    with SessionLog(folder, session, Fixed(), debug=True) as log:
        log.debug("tick", price="30250.10")
        log.info("order", side="buy", quantity="0.0099", price="30235.70")
        log.warning("feed stale", code="E003", action="asking by REST", seconds=12)
        log.error("order rejected", code="E005", reason="insufficient balance")
        return log.path


def write_night(root: Path) -> Path:
    """A night that could not begin."""
    check = Check("git", ok=False, detail="the git program is not on PATH", hint="install git")
    started = int(datetime(2023, 11, 14, 2, 0, tzinfo=UTC).timestamp() * 1000)
    night = NightlyResult(started, str(root), 60.0, (), problem=f"{check.name}: {check.detail}", seconds=90.0)
    written = write_nightly(night, root / "reports")
    assert written.folder is not None
    return written.folder


def furnish(home: Path, root: Path) -> None:
    """Two sessions, a damaged one, a log and a night."""
    folder = write_session(home, "paper-btc-usdt")
    write_session(home, "older", minutes=120, swing=-25.0)
    write_log(folder, "paper-btc-usdt")
    damaged = SessionCatalog(home).files_of("damaged").journal
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"\x07" * 5_000)
    write_night(root)
