"""What a session tells the world while it runs: one event a line in JSON, one sentence for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

_DECIMAL = re.compile(r"-?\d+\.\d+")


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
        """Return one line for people; nothing for what another line says, or what is as it should be."""
        if _goes_without_saying(self.kind, self.data):
            return ""
        clock = datetime.fromtimestamp(self.time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{clock}  {self.kind:<10} {self.sentence()}".rstrip()

    def sentence(self) -> str:
        """Return what happened, without when."""
        return _WORDS.get(self.kind, _plain)(self.data)


def plain_amount(text: object) -> str:
    """Return an exact decimal as people write it: without zeros at its end; anything else as it is.

    Parameters
    ----------
    text : object
        A decimal as text, such as ``0.01006000``.
    """
    said = str(text)
    return said.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(said) else said


def _goes_without_saying(kind: str, data: Mapping[str, object]) -> bool:
    if kind == "reconciled":
        return not data.get("actions") and data.get("balances") == "equal"
    # An order on its way is told once it has its answer, and one that fills by the fill.
    on_its_way = data.get("state") == "pending" and data.get("command") != "unresolved"
    return kind == "order" and (on_its_way or data.get("state") in ("partial", "filled"))


def _order(data: Mapping[str, object]) -> str:
    state = str(data.get("state"))
    done = "no answer yet" if state == "pending" else "placed" if state == "submitted" else state
    price = f"at {plain_amount(data['price'])}" if data.get("price") else "at the market's price"
    words = f"{done}: {data.get('side')} {plain_amount(data.get('quantity'))} {price} ({data.get('reason')})"
    filled, note = plain_amount(data.get("filled")), str(data.get("note") or "")
    parts = [words, f"{filled} of it filled" if filled not in ("0", "None") else "", "" if state in note else note]
    return ", ".join(part for part in parts if part)


def _fill(data: Mapping[str, object]) -> str:
    verb = "bought" if data.get("side") == "buy" else "sold"
    quantity, price, fee = (plain_amount(data.get(name)) for name in ("quantity", "price", "fee"))
    return f"{verb} {quantity} at {price}, fee {fee} {data.get('fee_asset')}"


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
        f"{data.get('day')}: equity {_money(equity['end'])} ({_money(equity['change'], '+')}), {traded}, "
        f"fees {_money(data.get('fees'))}, drawdown {data.get('drawdown'):.2%}"
    )


def _money(amount: object, sign: str = "") -> str:
    exact = Decimal(str(amount))
    # a currency such as BTC has its worth behind the point
    return f"{exact:{sign},.2f}" if exact == 0 or abs(exact) >= 1 else f"{exact:{sign}.8f}".rstrip("0")


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
