"""One session through the crashes that cost users of other systems money; what each left is told as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.trading.sessions.crash_instants import AtKind, Killer, Never
from tests.trading.sessions.crash_rig import CrashRun, Life
from trading.orders.journal_reader import JournalReader
from trading.orders.records import OrderRecord

Told = dict[str, Any]

_TRIES = 6
_MOST_MINUTES = 90


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
    # the order has left, and the first waits after that bring no answer yet
    def arrived() -> list[str]:
        return [one.client_id for one in _records(run) if one.is_unresolved and one.client_id in _venue_orders(run)]

    instant = "CcxtBroker.place > CcxtBroker.place.<locals>.send > ClientResponse"
    _until(run, lambda number: AtKind("woken", instant, number + 1), lambda: bool(arrived()))
    lost = arrived()
    run.live(Never(), 2)
    told = run.exchange.ask("/sim/audit")
    placed = [one["client_id"] for one in _rows(told, "received") if one["kind"] == "place"]
    return {
        "lost": lost,
        "sends": [placed.count(name) for name in lost],
        "written_sends": [record.sends for record in _records(run) if record.client_id in lost],
        "still_unresolved": [record.client_id for record in _records(run) if record.is_unresolved],
    }


def _lost_cancel(run: CrashRun) -> Told:
    def pending() -> list[str]:
        open_ones = {name for name, one in _venue_orders(run).items() if one["status"] in ("NEW", "PARTIALLY_FILLED")}
        return [
            one.client_id for one in _records(run) if one.command == "cancel_pending" and one.client_id in open_ones
        ]

    # written down, and not sent
    _until(run, lambda _: AtKind("after", "SessionKeeper.apply(CancelSent)"), lambda: bool(pending()))
    lost = pending()
    run.live(Never(), 2)
    orders = _venue_orders(run)
    return {"lost": lost, "at_venue": [orders[name]["status"] for name in lost]}


def _trade_half_booked(run: CrashRun) -> Told:
    # the core has taken the trade, the journal is about to
    filled = "SessionKeeper.apply(Filled)"
    written = _until(run, lambda _: AtKind("write", filled, 2), lambda: True)
    due = _until(run, lambda _: AtKind("before", filled), lambda: True)
    behind = len(_executions(run)) - _fill_count(run)
    warm = run.live(Never(), 1)
    cold = run.live(Never(), 1)
    return {
        "killed_at": [written.killed_at, due.killed_at],
        "behind": behind,
        "ended": [warm.exit_code, cold.exit_code],
        "booked": _fill_count(run),
        "executed": len(_executions(run)),
    }


def _filled_while_dead(run: CrashRun) -> Told:
    before = {one.client_id: one for one in _records(run) if not one.is_final}
    seen = len(_executions(run))
    filled: list[str] = []
    for _ in range(_MOST_MINUTES):
        run.exchange.ask("/sim/advance", {"ms": 60_000})
        orders = _venue_orders(run)
        filled = [name for name in before if orders[name]["status"] == "FILLED"]
        if filled:
            break
    ours = {_trade(one) for one in _executions(run)[seen:]}
    life = run.live(Never(), 5)
    records = _records(run)
    known = {record.client_id: record for record in records}
    newer = [record for record in records[records.index(known[filled[-1]]) + 1 :] if record.sends] if filled else []
    answers = {name: [new.side for new in newer if new.slot == before[name].slot][:1] for name in filled}
    return {
        "filled": filled,
        "states": [known[name].state.value for name in filled],
        "same_side_again": [name for name, sides in answers.items() if before[name].side in sides],
        "not_booked": len(ours - _booked(run)),
        "exit_code": life.exit_code,
    }


def _killed_while_stopping(run: CrashRun) -> Told:
    for minutes in range(1, _TRIES + 1):
        life = run.live(AtKind("after", "SessionKeeper.apply(CancelSent)"), minutes, cancel_orders=True)
        if life.killed_at is not None:
            break
    left = [one.client_id for one in _records(run) if not one.is_final]
    run.live(Never(), 1, cancel_orders=True)
    opened = [one["status"] for one in _venue_orders(run).values() if one["status"] in ("NEW", "PARTIALLY_FILLED")]
    return {"killed_at": life.killed_at, "left": left, "open_after": opened}


def _until(run: CrashRun, killer: Callable[[int], Killer], happened: Callable[[], bool]) -> Life:
    for number in range(1, _TRIES + 1):
        life = run.live(killer(number), 60)
        if life.killed_at is not None and happened():
            break
    return life


def _records(run: CrashRun) -> list[OrderRecord]:
    with JournalReader.read(run.journal) as journal:
        return journal.orders()


def _fill_count(run: CrashRun) -> int:
    with JournalReader.read(run.journal) as journal:
        return journal.fill_count()


def _booked(run: CrashRun) -> set[tuple[str, str]]:
    with JournalReader.read(run.journal) as journal:
        return {(one.fill.trade_id, one.client_id) for one in journal.fills()}


def _trade(one: Mapping[str, Any]) -> tuple[str, str]:
    return str(one["trade_id"]), str(one["client_id"])


def _rows(told: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return list(told[name])


def _venue_orders(run: CrashRun) -> dict[str, dict[str, Any]]:
    return {one["client_id"]: one for one in _rows(run.exchange.ask("/sim/audit"), "orders")}


def _executions(run: CrashRun) -> list[dict[str, Any]]:
    return _rows(run.exchange.ask("/sim/audit"), "executions")
