"""Sessions, orders and fills to write down, and everything that a journal holds in one comparable value."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

from trading.orders.journal import Journal, JournalReader, SessionFacts
from trading.orders.journal_connection import CommitHook
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import VenueFill

FACTS = SessionFacts(
    name="paper-btc-usdt",
    mode="paper",
    exchange="binance",
    symbol="BTC/USDT",
    timeframe="1m",
    capital=Decimal("1000.50"),
    settings_json='{"grid":{"levels":5}}',
    market_json='{"tick":"0.01"}',
    created_ms=1_700_000_000_000,
    origin_ms=1_699_999_980_000,
    version="0.1",
    account="0f3a",
)


def new_journal(path: Path, hook: CommitHook | None = None) -> Journal:
    return Journal.create(path, FACTS, on_commit=hook)


def order(number: int, **changes: object) -> OrderRecord:
    values: dict[str, object] = {
        "client_id": f"s-{number}",
        "core_id": number,
        "slot": number % 7,
        "side": 1 if number % 2 else -1,
        "lots": 10,
        "limit_ticks": 1000 + number,
        "taker": False,
        "why": 1,
        "created_ms": 60_000 * number,
    }
    return OrderRecord(**{**values, **changes})


def rests(number: int, **changes: object) -> OrderRecord:
    return order(
        number,
        **{"state": OrderState.SUBMITTED, "command": CommandState.CONFIRMED, "exchange_id": f"x{number}", **changes},
    )


def is_done(number: int, **changes: object) -> OrderRecord:
    return rests(number, **{"state": OrderState.FILLED, "filled_lots": 10, **changes})


def trade(number: int, client_id: str = "s-1", side: int = 1, time_ms: int = 5) -> VenueFill:
    return VenueFill(
        trade_id=f"t{number}",
        exchange_id="x1",
        client_id=client_id,
        symbol="BTC/USDT",
        side=side,
        price=Decimal("10.01"),
        quantity=Decimal("0.0030"),
        fee=Decimal("0.000003"),
        fee_asset="BTC",
        time_ms=time_ms,
        is_maker=True,
    )


def book(journal: Journal, fill: VenueFill, client_id: str = "s-1", lots: int = 3, candle: int = 2) -> bool:
    return journal.add_fill(
        client_id, fill, side=fill.side, price_ticks=1001, lots=lots, fee_units=0, fee_microlots=3000, candle=candle
    )


def step(journal: Journal, number: int) -> None:
    """Write down one candle of a session: an order ends, another begins, and the core and recording move on."""
    with journal.transaction():
        sequence = journal.next_client_seq()
        journal.add_order(order(sequence))
        if number:
            journal.update_order(is_done(sequence - 1))
            assert book(journal, trade(sequence - 1, f"s-{sequence - 1}"), f"s-{sequence - 1}", lots=10)
        state = hashlib.sha256(str(number).encode()).digest() * 40
        journal.add_inputs(number, 1, f"candle {number}".encode(), hashlib.sha256(state).digest())
        journal.save_core(state, number + 1)
        if number % 3 == 2:
            journal.checkpoint(60_000 * number, number)
        journal.add_equity(60_000 * number, 1000 + number, 900, 30, 1001)
        journal.note(60_000 * number, "candle", {"number": number})
        journal.set_meta("last", str(number))


def contents(journal: JournalReader) -> dict[str, object]:
    """Return all that a journal holds."""
    return {
        "orders": journal.orders(),
        "open": journal.open_records(),
        "fills": journal.fills(),
        "core": journal.core(),
        "inputs": list(journal.inputs()),
        "checkpoints": [(info, journal.checkpoint_state(info)) for info in journal.checkpoints()],
        "events": journal.events(),
        "equity": journal.equity(),
        "last": journal.meta("last"),
    }


def crash(journal: Journal) -> None:
    """Let go of the file as a killed process does: nothing is finished, nothing is marked as closed."""
    journal._connection.close()
