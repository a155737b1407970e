"""Seeded tapes and books for tests of the core."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np

from trading.engine.codes import NEVER
from trading.engine.loop import step
from trading.engine.parameters import derive_parameters
from trading.engine.state import Book, Records, State, new_state, open_book
from trading.engine.tape import Tape
from trading.market.rules import Market
from trading.settings import Settings

BTC = Market("BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal("0.001"), Decimal("0.001"))
BTC_FEE_IN_BASE = Market(
    "BTC/USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal("0.001"), Decimal("0.001"), fee_in_base=True
)
QUICK = {"signals": {"warmup_candles": 50}, "grid": {"entry_drop": 0.0}}
"""Start to trade after 50 candles, without waiting for a drop."""
MINUTE_MS = 60_000
START_MS = 1_640_995_200_000


def random_tape(
    seed: int, candles: int, *, volatility: float = 0.002, price: float = 50_000.0, thin: bool = False
) -> Tape:
    """Return a random walk with random signals; ``thin`` gives candles too little volume for whole orders."""
    random = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(random.standard_t(4, candles) * volatility))
    # some candles open with a jump
    jump = np.where(random.random(candles) < 0.05, random.normal(0, 3 * volatility, candles), 0.0)
    first = np.concatenate([[price], close[:-1]]) * np.exp(jump)
    high = np.maximum(first, close) * (1 + np.abs(random.normal(0, volatility, candles)))
    low = np.minimum(first, close) * (1 - np.abs(random.normal(0, volatility, candles)))
    held = np.repeat(random.integers(-1, 2, candles // 20 + 1), 20)[:candles]
    volume = random.integers(0, 400, candles) if thin else np.full(candles, NEVER)
    return Tape(
        timestamp=START_MS + np.arange(candles, dtype=np.int64) * MINUTE_MS,
        open=_ticks(first),
        high=_ticks(high),
        low=_ticks(low),
        close=_ticks(close),
        volume=volume.astype(np.int64),
        action=held.astype(np.int8),
        confidence=random.integers(500_000, 1_000_000, candles).astype(np.int32),
        trail=random.integers(0, 20_000, candles).astype(np.int32),
        regime=np.repeat(random.integers(0, 4, candles // 50 + 1), 50)[:candles].astype(np.int8),
        volatility=np.repeat(random.integers(0, 3, candles // 50 + 1), 50)[:candles].astype(np.int8),
        swing_high=_ticks(high * 1.004),
        swing_low=_ticks(low * 0.996),
        swing=np.full(candles, 20_000, np.int32),
    )


def path_tape(prices: list[float], *, action: int = 0, trail: int = 10_000) -> Tape:
    """Return a tape of flat candles, one at each price: the price jumps from one to the next, as ticks do."""
    price = _ticks(np.array(prices))
    n = len(price)
    return Tape(
        timestamp=START_MS + np.arange(n, dtype=np.int64) * MINUTE_MS,
        open=price,
        high=price,
        low=price,
        close=price,
        volume=np.full(n, NEVER),
        action=np.full(n, action, np.int8),
        confidence=np.full(n, 800_000, np.int32),
        trail=np.full(n, trail, np.int32),
        regime=np.zeros(n, np.int8),
        volatility=np.zeros(n, np.int8),
        swing_high=np.zeros(n, np.int64),
        swing_low=np.zeros(n, np.int64),
        swing=np.full(n, 20_000, np.int32),
    )


def book_for(settings: Settings, market: Market = BTC) -> tuple[Book, State, Records]:
    """Return a book on a new state, the state and the parameters."""
    params = derive_parameters(settings, market)
    state = new_state(market.cash_units(settings.capital), int(params[0].pairs))
    return open_book(state, params), state, params


def settings_with(**sections: Mapping[str, object]) -> Settings:
    """Return settings that trade at once, with sections changed."""
    merged = {name: dict(values) for name, values in QUICK.items()}
    for name, values in sections.items():
        merged[name] = merged.get(name, {}) | dict(values) if isinstance(values, Mapping) else values
    return Settings(**merged)


def play(book: Book, tape: Tape, start: int = 0) -> Records:
    """Step every candle of a tape and return the fills made."""
    for candle in range(start, len(tape.timestamp)):
        book.out.intent_count = 0
        step(book, tape, candle)
    return book.fills


def cut(tape: Tape, start: int, stop: int) -> Tape:
    """Return a part of a tape."""
    return Tape(*(column[start:stop] for column in tape))


def _ticks(prices: np.ndarray) -> np.ndarray:
    return np.rint(prices * 100).astype(np.int64)
