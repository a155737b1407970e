"""A session in words: its line, its money, its tables' rows, its agents' votes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.text import Text

from automation.interfaces.console.data.trading_records import (
    Decision,
    OwnOrder,
    SessionRow,
    SessionView,
    Slot,
    Standing,
)
from automation.interfaces.console.theme import Palette
from automation.interfaces.console.widgets.candle_drawing import level_colour
from automation.interfaces.console.widgets.row_table import Cell, Column
from automation.interfaces.console.widgets.wording import age, clock, money, percent, quantity

ORDER_COLUMNS = (
    Column("side"),
    Column("price", right=True),
    Column("quantity", right=True),
    Column("filled", right=True),
    Column("age", right=True),
    Column("state"),
    Column("reason"),
)
LEVEL_COLUMNS = (
    Column("#", right=True),
    Column("buys at", right=True),
    Column("sells at", right=True),
    Column("holds", right=True),
    Column("paid", right=True),
    Column("gain", right=True),
    Column("state"),
)
FILL_COLUMNS = (
    Column("time"),
    Column("side"),
    Column("price", right=True),
    Column("quantity", right=True),
    Column("fee", right=True),
)
_SIDES = {1: "buy", -1: "sell"}
_VOTES = {1: "▲ trail a buy", -1: "▼ trail a sale", 0: "■ hold"}
_BAR = 8
Rows = list[tuple[str, Sequence[Cell]]]


def side_text(side: int, palette: Palette) -> Text:
    """Return a side in its colour."""
    return Text(_SIDES[side], palette.buy if side > 0 else palette.sell)


def session_line(view: SessionView, rows: Sequence[SessionRow], palette: Palette) -> Text:
    """Return what a session is and whether it runs, and which of how many it is."""
    text = Text(no_wrap=True, overflow="ellipsis")
    running = view.running
    text.append(f"{view.name}", f"bold {palette.ink}")
    text.append(" ● running" if running else " ○ stopped", palette.good if running else palette.quiet)
    text.append(f"  {view.mode} {view.symbol} {view.timeframe} on {view.exchange}", palette.quiet)
    if view.live is not None and view.live.feed not in ("", "live"):
        text.append(f"  feed {view.live.feed}", palette.warn)
    if view.live is not None and view.live.gate not in ("", "open"):
        text.append(f"  gate {view.live.gate}", palette.warn)
    if len(rows) > 1:
        place = next((number for number, row in enumerate(rows, 1) if row.name == view.name), 0)
        text.append(f"  {place} of {len(rows)}", palette.quiet)
    return text


def money_text(view: SessionView, palette: Palette) -> Text:
    """Return price, balances and profit in two lines."""
    has, quote = view.money, view.quote
    gain = palette.good if has.profit >= 0 else palette.bad
    text = Text(no_wrap=True, overflow="ellipsis")

    def told(name: str, value: str, style: str = "") -> None:
        text.append(f"{name} ", palette.quiet)
        text.append(f"{value}  ", style or palette.ink)

    price = "–" if view.price is None else f"{view.price:,.{view.price_places}f}"
    told("price", price, f"bold {palette.price}")
    told("equity", f"{money(has.equity)} {quote}", f"bold {palette.ink}")
    share = has.profit_share
    told("profit", f"{money(has.profit, '+')}{f' ({percent(share)})' if share is not None else ''}", gain)
    text.append("\n")
    told("cash", money(has.cash))
    told("position", f"{quantity(has.position)} {view.base}")
    told("realised", money(has.realised, "+"), palette.good if has.realised >= 0 else palette.bad)
    told("fees", money(has.fees))
    return text


def order_rows(view: SessionView, palette: Palette) -> Rows:
    """Return the own orders as a book: sales above the price, buys below it, and then those that ended."""
    book = sorted((one for one in view.orders if one.is_open), key=lambda one: _rests_at(one, view), reverse=True)
    rows: Rows = [_order_row(order, view, palette) for order in book if _is_above(order, view)]
    if view.price is not None:
        price = Text(f"{view.price:.{view.price_places}f}", f"bold {palette.price}")
        rows.append((":price", (Text("now", palette.price), price, "", "", "", "", "")))
    rows += [_order_row(order, view, palette) for order in book if not _is_above(order, view)]
    rows += [_order_row(order, view, palette) for order in view.orders if not order.is_open]
    return rows


def level_rows(view: SessionView, palette: Palette) -> Rows:
    """Return the pairs of levels, highest first, with what those that hold something gained."""
    return [(str(slot.number), _level_row(slot, view, palette)) for slot in view.slots]


def fill_rows(view: SessionView, palette: Palette) -> Rows:
    """Return the newest own trades, newest first."""
    return [
        (
            f"{fill.trade_id} {fill.side}",
            (
                Text(clock(fill.time_ms, view.now_ms), palette.quiet),
                side_text(fill.side, palette),
                f"{fill.price:.{view.price_places}f}",
                quantity(fill.quantity),
                f"{quantity(fill.fee)} {fill.fee_asset}",
            ),
        )
        for fill in reversed(view.fills)
    ]


def votes_text(decision: Decision | None, palette: Palette) -> Text:
    """Return what the agents said about the newest candle, each with its reasons."""
    if decision is None:
        return Text("working out the votes …", palette.quiet)
    text = Text()
    text.append("together ", palette.quiet)
    _append_vote(text, decision.action, decision.confidence, palette)
    text.append(f"\ntrail {decision.trail:.2%}, market {decision.regime}, volatility {decision.volatility}")
    text.append(f", disagreement {decision.disagreement:.2f}, candle {clock(decision.candle_ms, 0)} UTC", palette.quiet)
    for vote in decision.votes:
        text.append(f"\n{vote.agent} ", f"bold {palette.ink}")
        if vote.skipped:
            text.append(f"left out: {vote.skipped}", palette.warn)
            continue
        _append_vote(text, vote.action, vote.confidence, palette)
        text.append(f"\n  {'; '.join((f'weight {vote.weight:.2f}', *vote.reasons))}", palette.quiet)
    return text


def _append_vote(text: Text, action: int, confidence: float, palette: Palette) -> None:
    colour = {1: palette.buy, -1: palette.sell}.get(action, palette.quiet)
    text.append(_VOTES[action], f"bold {colour}")
    filled = round(confidence * _BAR)
    text.append(f" {confidence:.2f} ")
    text.append("━" * filled, colour)
    text.append("━" * (_BAR - filled), palette.frame)


def _rests_at(order: OwnOrder, view: SessionView) -> Decimal:
    # one that takes any price stands beside the price
    return order.price if order.price is not None else view.price or Decimal(0)


def _is_above(order: OwnOrder, view: SessionView) -> bool:
    price = _rests_at(order, view)
    return order.side < 0 if view.price is None or price == view.price else price > view.price


def _order_row(order: OwnOrder, view: SessionView, palette: Palette) -> tuple[str, Sequence[Cell]]:
    price = "market" if order.price is None else f"{order.price:.{view.price_places}f}"
    state = order.state
    cells: tuple[Cell, ...] = (
        side_text(order.side, palette),
        price,
        quantity(order.quantity),
        f"{order.filled / order.quantity:.0%}" if order.filled else "",
        age(view.now_ms - order.created_ms),
        state,
        order.reason,
    )
    if not order.is_open:
        cells = tuple(Text(cell.plain if isinstance(cell, Text) else cell, palette.quiet) for cell in cells)
    elif state in ("unresolved", "cancel pending", "planned"):
        cells = (*cells[:5], Text(state, palette.warn), *cells[6:])
    return order.client_id, cells


def _level_row(slot: Slot, view: SessionView, palette: Palette) -> Sequence[Cell]:
    places = view.price_places
    gained: Cell = ""
    if slot.paid is not None and view.price is not None:
        gain = (view.price - slot.paid) * slot.held
        gained = Text(money(gain, "+"), palette.good if gain >= 0 else palette.bad)
    colour = level_colour(slot.standing, palette) if slot.standing is not Standing.FLAT else palette.quiet
    words = slot.state.replace("_", " ") + (f": {slot.reason}" if slot.reason else "")
    return (
        Text(str(slot.number), palette.quiet),
        f"{slot.buy:.{places}f}",
        f"{slot.sell:.{places}f}",
        quantity(slot.held) if slot.held else "",
        f"{slot.paid:.{places}f}" if slot.paid is not None else "",
        gained,
        Text(words, colour),
    )
