"""What the session commands answer, as JSON and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trading.errors import ExitCode
from trading.orders.journal_reader import JournalReader
from trading.sessions.books import market_of
from trading.sessions.catalog import SessionEntry
from trading.sessions.events import SessionEvent, plain_amount
from trading.sessions.figures import fee_of, holdings, realised
from trading.sessions.order_facts import fill_data, order_data

_NEWEST = 15
_TELLING = ("unresolved", "denied", "cancel_pending")
_STATUS_KEYS = ("symbol", "price", "equity", "position", "open_orders", "feed")
_STATUS_NUMBERS = ("price", "equity", "position", "orders")


def _exact(amount: Decimal) -> str:
    return f"{amount:f}"


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", no_wrap=name in right)
    return table


@dataclass(frozen=True, slots=True)
class SessionList:
    """The sessions of a data home."""

    entries: tuple[SessionEntry, ...]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the sessions."""
        return {"sessions": [_entry(entry) for entry in self.entries]}

    def as_text(self) -> RenderableType:
        """Return a table, or how to start one."""
        if not self.entries:
            return "there are no sessions yet; `gridbot paper --symbol BTC/USDT` starts one"
        table = _table("session", "mode", "exchange", "symbol", "candles", "state", right=())
        for entry in self.entries:
            facts = entry.facts
            words = [facts.mode, facts.exchange, facts.symbol, facts.timeframe] if facts is not None else ["-"] * 4
            table.add_row(entry.name, *words, _state(entry))
        return table


def _state(entry: SessionEntry) -> str:
    return entry.problem or ("running" if entry.running else "stopped")


def _entry(entry: SessionEntry) -> dict[str, object]:
    facts = entry.facts
    known: dict[str, object] = {}
    if facts is not None:
        known = {
            "mode": facts.mode,
            "exchange": facts.exchange,
            "symbol": facts.symbol,
            "timeframe": facts.timeframe,
            "capital": str(facts.capital),
            "created_ms": facts.created_ms,
        }
    return {"session": entry.name, "running": entry.running, "problem": entry.problem or None, **known}


@dataclass(frozen=True, slots=True)
class StatusResult:
    """How every running session is.

    Parameters
    ----------
    entries : tuple of SessionEntry
        All sessions.
    running : mapping of str to mapping
        What each running one answered.
    """

    entries: tuple[SessionEntry, ...]
    running: Mapping[str, Mapping[str, object]]

    @property
    def exit_code(self) -> ExitCode:
        """DONE; HALTED when a running session is halted."""
        halted = any(answer.get("halted") for answer in self.running.values())
        return ExitCode.HALTED if halted else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the answers by session."""
        return {"running": dict(self.running), "stopped": [one.name for one in self.entries if not one.running]}

    def as_text(self) -> RenderableType:
        """Return one row for each running session."""
        if not self.running:
            count = len(self.entries)
            if not count:
                return "no session is running, and none ever was; `gridbot paper` starts one"
            return f"no session is running; {count} {'is' if count == 1 else 'are'} stopped"
        table = _table("session", "symbol", "price", "equity", "position", "orders", "feed", right=_STATUS_NUMBERS)
        notes = []
        for name, answer in self.running.items():
            table.add_row(name, *(_shown(answer.get(key)) for key in _STATUS_KEYS))
            said = {"halted": answer.get("halted"), "no answer": answer.get("error"), "state": answer.get("state")}
            notes += [Text(f"{name} {kind}: {words}", style="yellow") for kind, words in said.items() if words]
        return Group(table, *notes)


@dataclass(frozen=True, slots=True)
class StopResult:
    """How a stop went."""

    session: str
    how: str
    stopped: bool

    @property
    def exit_code(self) -> ExitCode:
        """DONE when it runs no more."""
        return ExitCode.DONE if self.stopped else ExitCode.FAILED

    def as_json(self) -> dict[str, object]:
        """Return the outcome."""
        return {"session": self.session, "stopped": self.stopped, "how": self.how}

    def as_text(self) -> RenderableType:
        """Return the outcome in words."""
        return f"session {self.session}: {self.how}"


@dataclass(frozen=True, slots=True)
class SessionShown:
    """One session: orders, fills, position, balances and profit.

    Parameters
    ----------
    data : mapping
        All of it, as JSON has it.
    """

    data: Mapping[str, object]

    @property
    def exit_code(self) -> ExitCode:
        """Always done."""
        return ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return all of it."""
        return dict(self.data)

    def as_text(self) -> RenderableType:
        """Return the figures, and the newest orders, fills and events."""
        data, quote = self.data, self.data["currency"]
        units = {"position": str(data["symbol"]).partition("/")[0], "halted": ""}
        head = Table.grid(padding=(0, 2))
        for name in ("state", "mode", "exchange", "symbol", "timeframe"):
            head.add_row(Text(name, style="dim"), str(data[name]))
        for name in ("capital", "equity", "profit", "realised", "fees", "cash", "position", "halted"):
            unit = units.get(name, quote)
            head.add_row(Text(name, style="dim"), f"{_shown(data[name])} {unit}".rstrip())
        orders = [{**row, "state": _standing(row)} for row in _rows(data["orders"])]
        parts: list[RenderableType] = [Text(str(data["session"]), style="bold"), head]
        parts += _newest("orders", orders, ("client_id", "side", "quantity", "price", "filled", "state", "reason"))
        parts += _newest("fills", _rows(data["fills"]), ("trade_id", "side", "quantity", "price", "fee", "fee_asset"))
        parts += _newest("events", _told(str(data["session"]), _rows(data["events"])), ("time", "event", "what"))
        return Group(*parts)


def _rows(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []


def _shown(value: object) -> str:
    return "-" if value is None else plain_amount(value)


def _standing(order: Mapping[str, object]) -> str:
    state, command = str(order["state"]), str(order["command"])
    return f"{state}, {command}" if command in _TELLING else state


def _told(session: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    events = [SessionEvent(str(row["event"]), session, int(str(row["time_ms"])), row) for row in rows]
    return [
        {"time": row["time"], "event": row["event"], "what": event.sentence()}
        for row, event in zip(rows, events, strict=True)
        if event.as_text()
    ]


def _newest(title: str, rows: list[dict[str, object]], names: tuple[str, ...]) -> list[RenderableType]:
    if not rows:
        return [Text(f"\nno {title}", style="dim")]
    table = _table(*names, right=("quantity", "price", "filled", "fee"))
    for row in rows[-_NEWEST:]:
        table.add_row(*(_shown(row.get(name)) for name in names))
    older = f", the newest {_NEWEST}" if len(rows) > _NEWEST else ""
    return [Text(f"\n{len(rows):,} {title}{older}", style="dim"), table]


def shown(journal: JournalReader, *, is_running: bool) -> SessionShown:
    """Return a session as its journal has it.

    Parameters
    ----------
    journal : JournalReader
        Open for reading.
    is_running : bool
        Whether it trades now.
    """
    facts, market = journal.facts, market_of(journal.facts)
    orders = journal.orders()
    by_id = {order.client_id: order for order in orders}
    fills = journal.fills()
    has = holdings(journal, market)
    events = [
        {"time": _time(event.time_ms), "time_ms": event.time_ms, "event": event.kind, **_brief(event.data)}
        for event in journal.events()
    ]
    data = {
        "session": facts.name,
        "state": "running" if is_running else "stopped",
        "mode": facts.mode,
        "exchange": facts.exchange,
        "symbol": facts.symbol,
        "timeframe": facts.timeframe,
        "capital": str(facts.capital),
        "currency": market.quote,
        "created_ms": facts.created_ms,
        "orders": [{**order_data(order, market), "created_ms": order.created_ms} for order in orders],
        "fills": [fill_data(by_id[fill.client_id], fill.fill) for fill in fills],
        "cash": _exact(has.cash),
        "position": _exact(has.position),
        "balances": {market.quote: _exact(has.cash), market.base: _exact(has.position)},
        "equity": _exact(has.equity),
        "profit": _exact(has.equity - has.paid_in),
        "realised": _exact(round(realised(orders, fills, market), 8)),
        "fees": _exact(round(sum((fee_of(fill, market) for fill in fills), Decimal(0)), 8)),
        "halted": journal.meta("halted") or None,
        "events": events,
    }
    return SessionShown(data)


def _brief(data: Mapping[str, object]) -> dict[str, object]:
    # what broke a session is in its recording; here its sentence is enough
    return {name: value for name, value in data.items() if name not in ("frames", "traceback", "kind")} | (
        {"reason": data["error"]} if "error" in data else {}
    )
