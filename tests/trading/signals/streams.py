"""Feeding signal streams candle by candle, and holding their rows against the batch's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, fields, replace

import numpy as np

from trading.market.candles import PRICE_COLUMNS, Candles
from trading.settings import Settings
from trading.signals import SignalRow, Signals, SignalStream

FIELDS = tuple(field.name for field in fields(SignalRow))
COLUMNS = (*PRICE_COLUMNS, "volume")


def arguments(candles: Candles, row: int) -> tuple[object, ...]:
    """Return one candle as `SignalStream.append` takes it."""
    prices = (float(getattr(candles, name)[row]) for name in COLUMNS)
    made_up = candles.filled is not None and bool(candles.filled[row])
    return int(candles.timestamp[row]), *prices, made_up


def new_stream(candles: Candles, settings: Settings, **options: object) -> SignalStream:
    """Return a stream for candles of this series, before the first."""
    return SignalStream(settings, candles.symbol, candles.timeframe, **options)  # type: ignore[arg-type]


def appended(stream: SignalStream, candles: Candles, rows: Iterable[int]) -> list[SignalRow]:
    """Append some of the candles, one by one."""
    return [stream.append(*arguments(candles, row)) for row in rows]  # type: ignore[arg-type]


def differences(rows: list[SignalRow], signals: Signals, first: int = 0) -> list[str]:
    """Return where rows differ in any bit from a batch, ``first`` being the batch's row of the first one."""
    found = []
    columns = np.array([astuple(row) for row in rows], dtype=np.float64).reshape(len(rows), len(FIELDS)).T
    for name, values in zip(FIELDS, columns, strict=True):
        expected = getattr(signals, name)[first : first + len(rows)].astype(np.float64)
        wrong = np.flatnonzero(~((values == expected) | (np.isnan(values) & np.isnan(expected))))
        if len(wrong):
            row = int(wrong[0])
            found.append(f"{name} at {first + row}: {values[row]!r}, batch {expected[row]!r}; {len(wrong)} in all")
    return found


def nasty(candles: Candles, kind: str, seed: int) -> Candles:
    """Return the candles made hard to carry: see the names of the kinds in `KINDS`."""
    rng, n = np.random.default_rng(seed), len(candles)
    return KINDS[kind](candles, rng, n)


def _scaled(candles: Candles, factor: np.ndarray | float) -> Candles:
    return replace(candles, **{name: getattr(candles, name) * factor for name in PRICE_COLUMNS})


def _standing(candles: Candles, rng: np.random.Generator, n: int) -> Candles:
    # Long stretches at one price without volume, mostly made up, between leaps.
    still = rng.random(n) < 0.97
    last = np.maximum.accumulate(np.where(still, 0, np.arange(n)))
    flat = dict.fromkeys(PRICE_COLUMNS, candles.close[last])
    return replace(candles, **flat, volume=np.where(still, 0.0, candles.volume), filled=still)


def _on_coarse_ticks(candles: Candles, rng: np.random.Generator, n: int) -> Candles:
    return replace(candles, **{name: np.round(getattr(candles, name)) for name in PRICE_COLUMNS})


def _leaping(candles: Candles, rng: np.random.Generator, n: int) -> Candles:
    return _scaled(candles, 10.0 ** rng.integers(-3, 4, n).cumsum().clip(-8, 8))


KINDS = {
    "plain": lambda candles, rng, n: candles,
    "coarse ticks": _on_coarse_ticks,
    "tiny prices": lambda candles, rng, n: _scaled(candles, 1e-12),
    "huge prices": lambda candles, rng, n: _scaled(candles, 1e12),
    "leaps": _leaping,
    "standing": _standing,
    "no volume here and there": lambda candles, rng, n: replace(
        candles, volume=np.where(rng.random(n) < 0.7, 0.0, candles.volume)
    ),
    "bursts of volume": lambda candles, rng, n: replace(
        candles, volume=candles.volume * 10.0 ** rng.integers(-9, 12, n)
    ),
    "partly made up": lambda candles, rng, n: replace(candles, filled=rng.random(n) < rng.random()),
}
