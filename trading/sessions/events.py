"""What a session tells the world while it runs: one event a line in JSON, one sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """Something that happened in a session.

    Parameters
    ----------
    kind : str
        started, order, fill, reconciled, funded, feed, alert, halted, crashed, resumed, summary or stopped.
    session : str
        The session's name.
    time_ms : int
        The session's clock, milliseconds UTC.
    data : mapping
        What belongs to it, as JSON has it; amounts are exact decimals as text.
    """

    kind: str
    session: str
    time_ms: int
    data: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the event as one flat JSON object."""
        time = datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        named = {"event": self.kind, "session": self.session, "time": time, "time_ms": self.time_ms}
        return named | dict(self.data)

    def as_text(self) -> str:
        """Return one line for people; nothing for what is as it should be, such as books that agree each minute."""
        if self.kind == "reconciled" and not self.data.get("actions") and self.data.get("balances") == "equal":
            return ""
        clock = datetime.fromtimestamp(self.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{clock}  {self.kind:<10} {_WORDS.get(self.kind, _plain)(self.data)}".rstrip()


def _order(data: Mapping[str, object]) -> str:
    price = data.get("price") or "market"
    words = f"{data.get('side')} {data.get('quantity')} at {price}: {data.get('state')} ({data.get('reason')})"
    note = data.get("note")
    return f"{words}, {note}" if note else words


def _fill(data: Mapping[str, object]) -> str:
    verb = "bought" if data.get("side") == "buy" else "sold"
    return f"{verb} {data.get('quantity')} at {data.get('price')}, fee {data.get('fee')} {data.get('fee_asset')}"


def _plain(data: Mapping[str, object]) -> str:
    shown = data.get("reason") or data.get("sentence")
    if shown:
        return str(shown)
    return ", ".join(f"{name} {value}" for name, value in data.items() if not isinstance(value, dict | list))


def _started(data: Mapping[str, object]) -> str:
    what = f"{data.get('mode')} {data.get('symbol')} {data.get('timeframe')} on {data.get('exchange')}"
    if not data.get("recovered"):
        return f"{what}, capital {data.get('capital')}, {data.get('history')} candles seen before"
    return f"{what}, recovered: {data.get('open_orders')} open orders, {data.get('missed_candles')} candles missed"


def _summary(data: Mapping[str, object]) -> str:
    equity, fills = data.get("equity"), data.get("fills")
    if not isinstance(equity, Mapping) or not isinstance(fills, Mapping):
        return _plain(data)
    traded = f"{fills['buys']} buys, {fills['sells']} sells"
    return (
        f"{data.get('day')}: equity {equity['end']} ({equity['change']}), {traded}, "
        f"fees {data.get('fees')}, drawdown {data.get('drawdown'):.2%}"
    )


def _reconciled(data: Mapping[str, object]) -> str:
    actions = data.get("actions")
    done = (
        [f"{one['kind']} {one['client_id']} ({one['reason']})" for one in actions] if isinstance(actions, list) else []
    )
    found = f"{data.get('open_orders')} open orders, balances {data.get('balances')}"
    return "; ".join([f"{data.get('reason')}: {found}", *done])


_WORDS: dict[str, Callable[[Mapping[str, object]], str]] = {
    "order": _order,
    "fill": _fill,
    "started": _started,
    "summary": _summary,
    "reconciled": _reconciled,
}

Listener = Callable[[SessionEvent], None]
