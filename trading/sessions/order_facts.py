"""What facts make of an order's record, and how orders and trades are told as JSON."""

from __future__ import annotations

from dataclasses import replace

from trading.engine.codes import FillReason, Rule
from trading.errors import StateCorrupt
from trading.market.rules import Market
from trading.orders.records import (
    Accepted,
    CancelFailed,
    CancelSent,
    Closed,
    Fact,
    OrderRecord,
    Refused,
    Sent,
    Silent,
)
from trading.orders.states import FINAL_STATES, CommandState, OrderState
from trading.orders.venue import VenueFill
from trading.sessions.inputs import Input, OrderEnded, OrderRefused, OrderRests


def order_data(record: OrderRecord, market: Market) -> dict[str, object]:
    """Return an order as JSON has it: exact decimals as text, the venue's state or what is known of the command."""
    command = record.command.value if record.command is not None else "planned"
    return {
        "client_id": record.client_id,
        "exchange_id": record.exchange_id,
        "side": "buy" if record.side > 0 else "sell",
        "quantity": str(market.quantity(record.lots)),
        "price": str(market.price(record.limit_ticks)) if record.limit_ticks else None,
        "filled": str(market.quantity(record.filled_lots)),
        "state": record.state.value,
        "command": command,
        "reason": FillReason(record.why).name.lower(),
        "note": record.note,
    }


def fill_data(record: OrderRecord, trade: VenueFill) -> dict[str, object]:
    """Return a trade as JSON has it."""
    return {
        "trade_id": trade.trade_id,
        "client_id": record.client_id,
        "exchange_id": trade.exchange_id,
        "side": "buy" if record.side > 0 else "sell",
        "quantity": str(trade.quantity),
        "price": str(trade.price),
        "fee": str(trade.fee),
        "fee_asset": trade.fee_asset,
        "trade_time_ms": trade.time_ms,
    }


def state_after(record: OrderRecord, filled: int) -> OrderState:
    """Return an order's state at the venue after a trade.

    Parameters
    ----------
    record : OrderRecord
        Before the trade.
    filled : int
        Lots filled in all.
    """
    if record.state is OrderState.REJECTED:
        # it had arrived after all: what it still does at the venue is cancelled by the reconciliation
        return OrderState.CANCELLED
    if record.state in FINAL_STATES and record.state is not OrderState.FILLED:
        return record.state
    return OrderState.FILLED if filled >= record.lots else OrderState.PARTIAL


def changed(record: OrderRecord, fact: Fact) -> tuple[OrderRecord, Input | None]:
    """Return an order after a fact about it, and what the core is to be told; None when it need not know.

    Raises
    ------
    StateCorrupt
        When the fact is none that changes an order by itself.
    """
    after = record
    item: Input | None = None
    match fact:
        case Sent(_, time_ms):
            command = record.command or CommandState.SENT
            after = replace(record, command=command, sends=record.sends + 1, sent_ms=time_ms, checks=0)
        case Accepted(_, exchange_id, resting):
            state = OrderState.SUBMITTED if record.state is OrderState.PENDING else record.state
            after = replace(record, command=CommandState.CONFIRMED, state=state, exchange_id=exchange_id, checks=0)
            item = OrderRests(record.core_id) if resting else None
        case Silent(_, reason, asked):
            checks = record.checks + asked
            after = replace(record, command=CommandState.UNRESOLVED, checks=checks, note=reason)
        case Refused(_, reason, code, denied):
            command = CommandState.DENIED if denied else CommandState.REJECTED
            after = replace(record, command=command, state=OrderState.REJECTED, note=reason)
            item = OrderRefused(record.core_id, Rule.VENUE_FUNDS if code == "E002" else Rule.VENUE)
        case CancelSent():
            after = replace(record, command=CommandState.CANCEL_PENDING, cancel_wanted=True)
        case CancelFailed(_, reason):
            after = replace(record, command=CommandState.CONFIRMED, note=reason)
        case Closed(_, state, reason):
            # what it was asked to do, it has done
            done = CommandState.CONFIRMED if record.command is CommandState.CANCEL_PENDING else record.command
            after = replace(record, command=done, state=state, note=reason or record.note)
            item = OrderEnded(record.core_id) if record.filled_lots < record.lots else None
        case _:
            raise StateCorrupt(f"{type(fact).__name__} is no fact that changes order {record.client_id}")
    return after, item
