"""Comparing values on whole candles with values on candles that end early."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from trading.market.candles import Candles

Measure = Callable[[Candles], dict[str, np.ndarray]]


def changed_pasts(measure: Measure, candles: Candles, cuts: Iterable[int]) -> list[str]:
    """Return what differs, exactly, between the past of the whole and the same candles cut short."""
    whole = measure(candles)
    changed = []
    for cut in cuts:
        for name, values in measure(candles[:cut]).items():
            expected = whole[name][:cut]
            floating = values.dtype.kind == "f"
            if values.dtype != expected.dtype or not np.array_equal(values, expected, equal_nan=floating):
                changed.append(f"{name} cut at {cut}")
    return changed


def arrays(answer: object) -> dict[str, np.ndarray]:
    """Return an indicator's arrays by name."""
    if isinstance(answer, np.ndarray):
        return {"values": answer}
    return dict(answer._asdict())  # type: ignore[attr-defined]
