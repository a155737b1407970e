"""A session's core, market and candles as its journal keeps them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from trading.errors import StateCorrupt
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.orders.journal import Journal
from trading.orders.journal_reader import JournalReader
from trading.orders.journal_rows import SessionFacts
from trading.sessions.decider import Decider, Exchange
from trading.sessions.inputs import NewCandle, PastCandle, decoded
from trading.settings import Settings


def decider_of(journal: JournalReader, exchange: Exchange) -> Decider:
    """Return a session's core as its journal has it.

    Raises
    ------
    StateCorrupt
        When neither the current state nor any checkpoint can be trusted, or the recording does not lead to what was
        recorded.
    """
    facts = journal.facts
    settings = Settings.model_validate_json(facts.settings_json)
    decider = Decider(settings, market_of(facts), facts.timeframe, exchange)
    if not journal.has_core():
        return decider
    state, done = journal.restore() if isinstance(journal, Journal) else _saved(journal)
    past: list[PastCandle | NewCandle] = []
    number = 0
    for batch in journal.inputs():
        for item in decoded(batch.frames):
            if number < done:
                if isinstance(item, PastCandle | NewCandle):
                    past.append(item)
                number += 1
                if number == done:
                    _recall(decider, past, state, facts)
                continue
            decider.apply(item)
            number += 1
        if number > done and decider.digest != batch.outputs:
            raise StateCorrupt(f"session {facts.name}: its recording leads to other orders than it recorded")
    if done == 0:
        _recall(decider, past, state, facts)
    return decider


def _saved(journal: JournalReader) -> tuple[bytes, int]:
    saved = journal.core()
    if saved is None:
        raise StateCorrupt(f"{journal.path} has no state of its core; start the session once to restore it")
    return saved


def _recall(decider: Decider, past: list[PastCandle | NewCandle], state: bytes, facts: SessionFacts) -> None:
    decider.recall(candles_of(past, facts.symbol, facts.timeframe))
    decider.restore(state)


def candles_of(rows: list[PastCandle | NewCandle], symbol: str, timeframe: str) -> Candles:
    """Return recorded candles as a series."""
    names = ("timestamp", "open", "high", "low", "close", "volume")
    columns = {name: np.array([getattr(row, name) for row in rows]) for name in names}
    if not rows:
        return Candles.empty(symbol, timeframe)
    return Candles(symbol, timeframe, **columns, filled=np.array([row.filled for row in rows]))


def market_of(facts: SessionFacts) -> Market:
    """Return a session's market rules as its journal keeps them."""
    return market_of_json(facts.market_json)


def market_of_json(text: str) -> Market:
    """Return market rules from what `market_json` made of them."""
    kept: dict[str, Any] = json.loads(text)
    exact = {"tick_size", "lot_size", "min_notional", "maker_fee", "taker_fee", "spread"}
    values: dict[str, Any] = {name: Decimal(value) if name in exact else value for name, value in kept.items()}
    return Market(**values)


def market_json(market: Market) -> str:
    """Return market rules as JSON text, amounts as exact decimals."""
    names = (
        "symbol",
        "tick_size",
        "lot_size",
        "min_notional",
        "maker_fee",
        "taker_fee",
        "fee_in_base",
        "spread",
        "source",
        "least_cash_decimals",
    )
    values = {name: getattr(market, name) for name in names}
    return json.dumps({name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()})
