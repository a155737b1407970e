"""What trading needs: the candle store, sound journals, keys that only their owner reads, an exchange and its time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from ccxt.base.errors import BaseError

from automation.pipeline.health import Check
from automation.tasks.health.requests import HealthRequest
from trading.errors import GridBotError
from trading.exchange.client import open_exchange
from trading.exchange.clock import SystemClock
from trading.exchange.failures import quote
from trading.exchange.keys import key_store, keys_in_environment
from trading.exchange.offset import clock_offset_ms
from trading.market.sources import home_store
from trading.sessions.catalog import SessionCatalog

_MOST_OFFSET_MS = 1_000
_FEW = 3


def trading_checks(request: HealthRequest, home: Path) -> Iterator[Check]:
    """Look at store, journals, other databases and keys, and ask the exchange for its time."""
    yield _store(home)
    yield _journals(home)
    yield _databases(home)
    yield _keys(home)
    if not request.offline:
        yield from _exchange(request)


def _store(home: Path) -> Check:
    try:
        series = home_store(home).contents()
    except GridBotError as error:
        return Check("candle store", False, str(error), hint="`gridbot data import` fills a store anew")
    symbols = len({each.symbol for each in series})
    return Check("candle store", True, f"{len(series)} series of {symbols} symbols", needed=False)


def _journals(home: Path) -> Check:
    entries = SessionCatalog(home).list()
    broken = [f"{each.name}: {each.problem or damage}" for each in entries if (damage := _damage(each.files.journal))]
    broken += [f"{each.name}: {each.problem}" for each in entries if each.problem and not _damage(each.files.journal)]
    running = sum(each.running for each in entries)
    if broken:
        hint = "do not start these sessions; restore the journal from a backup in its folder"
        return Check("journals", False, "; ".join(broken[:_FEW]), hint=hint)
    detail = (
        f"{len(entries)} {'session' if len(entries) == 1 else 'sessions'}, {running} running; every journal is sound"
    )
    return Check("journals", True, detail)


def _databases(home: Path) -> Check:
    files = sorted([*home.glob("*.db"), *home.glob("*.sqlite"), *home.glob("runs/*.db")])
    broken = [f"{file.name}: {damage}" for file in files if (damage := _damage(file))]
    hint = "move the file away; GridBot makes a new one, and what was in it is lost"
    return Check("databases", not broken, "; ".join(broken) or f"{len(files)} files are sound", needed=False, hint=hint)


def _damage(file: Path) -> str:
    if not file.is_file():
        return ""
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
            answer = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        return "" if "locked" in str(error) else str(error)
    return "" if answer == "ok" else answer


def _keys(home: Path) -> Check:
    try:
        store = key_store(home)
        found = store.exchanges()
        place = store.source.place
    except GridBotError as error:
        return Check("keys", False, str(error), needed=False, hint="`gridbot keys list` says where keys are kept")
    inherited = ""
    with suppress(GridBotError):
        inherited = ", and one pair in the environment" if keys_in_environment() else ""
    detail = f"{place}: {', '.join(found)}" if found else "none are kept; only real trading needs them"
    return Check("keys", True, detail + inherited, needed=False)


def _exchange(request: HealthRequest) -> Iterator[Check]:
    hint = "check the network, or look without it: gridbot health --offline"
    try:
        offset = asyncio.run(_offset(request))
    except (GridBotError, BaseError, TimeoutError, OSError) as error:
        reason = quote(error) if str(error) else f"no answer within {request.timeout:g} s"
        yield Check("exchange", False, f"{request.exchange}: {reason}", needed=False, hint=hint)
        return
    yield Check("exchange", True, f"{request.exchange} answers", needed=False)
    detail = f"{abs(offset):,} ms {'behind' if offset > 0 else 'ahead of'} {request.exchange}"
    hint = "let the system keep its clock by NTP: signed calls are refused when it is far off"
    yield Check("clock", abs(offset) <= _MOST_OFFSET_MS, detail, needed=False, hint=hint)


async def _offset(request: HealthRequest) -> int:
    exchange = open_exchange(request.exchange, request.rest_url, timeout_ms=round(request.timeout * 1_000))
    try:
        async with asyncio.timeout(request.timeout):
            return await clock_offset_ms(exchange.fetch_time, SystemClock().now_ms)
    finally:
        await exchange.close()
