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
from trading.sessions.figures import MICROLOTS, fee_of, realised
from trading.sessions.keeper import fill_data, order_data

_NEWEST = 15


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
            return f"no session is running; {len(self.entries)} are stopped"
        table = _table("session", "symbol", "price", "equity", "position", "orders", "feed", "halted")
        for name, answer in self.running.items():
            if "error" in answer:
                table.add_row(name, str(answer["error"]))
                continue
            shown = [
                answer.get(key) for key in ("symbol", "price", "equity", "position", "open_orders", "feed", "halted")
            ]
            table.add_row(name, *(str(value) if value is not None else "-" for value in shown))
        return table


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
        data = self.data
        head = Table.grid(padding=(0, 2))
        for name in ("state", "mode", "exchange", "symbol", "timeframe", "capital"):
            head.add_row(Text(name, style="dim"), str(data[name]))
        for name in ("equity", "profit", "realised", "fees", "cash", "position", "halted"):
            value = data[name]
            head.add_row(Text(name, style="dim"), "-" if value is None else str(value))
        parts: list[RenderableType] = [Text(str(data["session"]), style="bold"), head]
        for title, rows, names in (
            (
                "orders",
                data["orders"],
                ("client_id", "side", "quantity", "price", "filled", "state", "command", "reason"),
            ),
            ("fills", data["fills"], ("trade_id", "side", "quantity", "price", "fee", "fee_asset")),
            ("events", data["events"], ("time", "event", "reason")),
        ):
            parts += _newest(title, rows, names)
        return Group(*parts)


def _newest(title: str, rows: object, names: tuple[str, ...]) -> list[RenderableType]:
    found = rows if isinstance(rows, list) else []
    if not found:
        return [Text(f"\nno {title}", style="dim")]
    table = _table(*names, right=("quantity", "price", "filled", "fee"))
    for row in found[-_NEWEST:]:
        table.add_row(*("-" if row.get(name) is None else str(row.get(name)) for name in names))
    older = f", the newest {_NEWEST}" if len(found) > _NEWEST else ""
    return [Text(f"\n{len(found):,} {title}{older}", style="dim"), table]


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
    last = journal.last_equity()
    equity = market.money(last.equity_units) if last is not None else facts.capital
    events = [
        {"time": _time(event.time_ms), "time_ms": event.time_ms, "event": event.kind, **_brief(event.data)}
        for event in journal.events()
    ]
    held = last.position_microlots if last is not None else 0
    position = Decimal(held) / MICROLOTS * market.lot_size
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
        "cash": _exact(market.money(last.cash_units)) if last is not None else str(facts.capital),
        "position": _exact(position),
        "balances": {
            market.quote: _exact(market.money(last.cash_units)) if last is not None else str(facts.capital),
            market.base: _exact(position),
        },
        "equity": _exact(equity),
        "profit": _exact(equity - _money_in(journal, facts.capital)),
        "realised": _exact(round(realised(orders, fills, market), 8)),
        "fees": _exact(round(sum((fee_of(fill, market) for fill in fills), Decimal(0)), 8)),
        "halted": journal.meta("halted") or None,
        "events": events,
    }
    return SessionShown(data)


def _money_in(journal: JournalReader, capital: Decimal) -> Decimal:
    came = (event.data for event in journal.events() if event.kind == "funded" and "units" in event.data)
    return capital + sum((Decimal(str(data["amount"])) for data in came), Decimal(0))


def _brief(data: Mapping[str, object]) -> dict[str, object]:
    # what broke a session is in its recording; here its sentence is enough
    return {name: value for name, value in data.items() if name not in ("frames", "traceback", "kind")} | (
        {"reason": data["error"]} if "error" in data else {}
    )
