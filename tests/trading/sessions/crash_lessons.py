"""One session through the crashes that cost users of other systems money; what each left is told as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.trading.sessions.crash_instants import AtKind, Killer, Never
from tests.trading.sessions.crash_rig import CrashRun, Life
from trading.orders.journal_reader import JournalReader
from trading.orders.records import OrderRecord
from trading.sessions.books import decider_of
from trading.sessions.decider import Exchange

Told = dict[str, Any]

_TRIES = 6
_AWAY_MS = 1_200_000


def tell_lessons(run: CrashRun) -> dict[str, Told]:
    """Return what each scene came to, by its name; the session of the run goes through all of them."""
    return {
        "lost_answer": _lost_answer(run),
        "lost_cancel": _lost_cancel(run),
        "trade_half_booked": _trade_half_booked(run),
        "filled_while_dead": _filled_while_dead(run),
        "killed_while_stopping": _killed_while_stopping(run),
    }


def _lost_answer(run: CrashRun) -> Told:
    # the answer to an order is there and was not read
    def is_it() -> bool:
        return any(record.is_unresolved and record.client_id in _venue_orders(run) for record in _records(run))

    _until(run, lambda: AtKind("woken", "CcxtBroker.place > CcxtBroker.place.<locals>.send > ClientResponse"), is_it)
    lost = [one.client_id for one in _records(run) if one.is_unresolved and one.client_id in _venue_orders(run)]
    run.live(Never(), 2)
    told = run.exchange.ask("/sim/audit")
    arrived = [one["client_id"] for one in _rows(told, "received") if one["kind"] == "place"]
    return {
        "lost": lost,
        "sends": [arrived.count(name) for name in lost],
        "written_sends": [record.sends for record in _records(run) if record.client_id in lost],
        "still_unresolved": [record.client_id for record in _records(run) if record.is_unresolved],
    }


def _lost_cancel(run: CrashRun) -> Told:
    def pending() -> list[str]:
        open_ones = {name for name, one in _venue_orders(run).items() if one["status"] in ("NEW", "PARTIALLY_FILLED")}
        return [one.client_id for one in _records(run) if one.command == "cancel_pending" and one.client_id in open_ones]

    # written down, and not sent
    _until(run, lambda: AtKind("after", "SessionKeeper.apply(CancelSent)"), lambda: bool(pending()))
    lost = pending()
    run.live(Never(), 2)
    orders = _venue_orders(run)
    return {"lost": lost, "at_venue": [orders[name]["status"] for name in lost]}


def _trade_half_booked(run: CrashRun) -> Told:
    # the core has taken the trade, the journal is about to
    points = ("write", "before")
    seen = [_until(run, lambda p=point: AtKind(p, "SessionKeeper.apply(Filled)"), lambda: True) for point in points]
    behind = len(_executions(run)) - _fill_count(run)
    warm = run.live(Never(), 1)
    cold = run.live(Never(), 1)
    return {
        "killed_at": [life.killed_at for life in seen],
        "behind": behind,
        "ended": [warm.exit_code, cold.exit_code],
        "booked": _fill_count(run),
        "executed": len(_executions(run)),
    }


def _filled_while_dead(run: CrashRun) -> Told:
    open_before = {one.client_id: one for one in _records(run) if not one.is_final}
    seen = len(_executions(run))
    for _ in range(_TRIES):
        run.exchange.ask("/sim/advance", {"ms": _AWAY_MS})
        if any(one["client_id"] in open_before for one in _executions(run)[seen:]):
            break
    filled = {one["client_id"] for one in _executions(run)[seen:]} & set(open_before)
    known = {record.client_id for record in _records(run)}
    held_dead = _held(run)
    run.live(Never(), 2)
    after = [record for record in _records(run) if record.client_id not in known]
    whole = [name for name in filled if _venue_orders(run)[name]["status"] == "FILLED"]
    return {
        "filled": sorted(filled),
        "same_again": [
            new.client_id
            for name in whole
            for new in after[:1]
            if (new.slot, new.side, new.limit_ticks) == _place_of(open_before[name]) and not _moved(run, held_dead)
        ],
        "states": [record.state.value for record in _records(run) if record.client_id in whole],
        "held": [held_dead, _held(run)],
        "signed": sum(_signed(one) for one in _executions(run)[seen:] if one["client_id"] in filled) != 0,
    }


def _killed_while_stopping(run: CrashRun) -> Told:
    request = AtKind("after", "SessionKeeper.apply(CancelSent)")
    life = run.live(request, 1, cancel_orders=True)
    left = [one.client_id for one in _records(run) if not one.is_final]
    run.live(Never(), 1, cancel_orders=True)
    opened = [one["status"] for one in _venue_orders(run).values() if one["status"] in ("NEW", "PARTIALLY_FILLED")]
    return {"killed_at": life.killed_at, "left": left, "open_after": opened}


def _until(run: CrashRun, killer: Any, happened: Any) -> Life:
    for _ in range(_TRIES):
        made: Killer = killer()
        life = run.live(made, 60)
        if life.killed_at is not None and happened():
            break
    return life


def _records(run: CrashRun) -> list[OrderRecord]:
    with JournalReader.read(run.journal) as journal:
        return journal.orders()


def _fill_count(run: CrashRun) -> int:
    with JournalReader.read(run.journal) as journal:
        return journal.fill_count()


def _held(run: CrashRun) -> int:
    with JournalReader.read(run.journal) as journal:
        return decider_of(journal, Exchange.VENUE).position_microlots


def _rows(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return list(told[name])


def _venue_orders(run: CrashRun) -> dict[str, dict[str, Any]]:
    return {one["client_id"]: one for one in _rows(run.exchange.ask("/sim/audit"), "orders")}


def _executions(run: CrashRun) -> list[dict[str, Any]]:
    return _rows(run.exchange.ask("/sim/audit"), "executions")
