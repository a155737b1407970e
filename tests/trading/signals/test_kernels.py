"""The compiled loops do what their Python says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.markets import random_market
from trading.signals import IndicatorSet, kernels, voting
from trading.signals.agents.base import AgentView
from trading.signals.registry import BUILT_IN

CANDLES = random_market(51, 700, gap_every=90, volatility=0.004)
INDICATORS = IndicatorSet(CANDLES)
TYPICAL = (CANDLES.high + CANDLES.low + CANDLES.close) / 3


def _votes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    views: list[AgentView] = [agent().view(INDICATORS) for agent in BUILT_IN.values()]
    return tuple(np.array([getattr(view, name) for view in views]) for name in ("action", "confidence", "trail"))


CALLS: dict[str, tuple[Callable[..., object], tuple[object, ...]]] = {
    "session_vwap": (kernels.session_vwap, (CANDLES.timestamp, TYPICAL, CANDLES.volume, 86_400_000)),
    "rolling_vwap": (kernels.rolling_vwap, (TYPICAL, CANDLES.volume, 40)),
    "value_area": (kernels.value_area, (TYPICAL, CANDLES.volume, 120, 7, 0.7, 48)),
    "average_swing": (kernels.average_swing, (CANDLES.high, CANDLES.low, *INDICATORS.pivots(), 3, 10)),
    "hysteresis": (kernels.hysteresis, (INDICATORS.efficiency_ratio(30), 0.1, 0.15, 0.25, 0.35, 2)),
    "tally": (
        voting.tally,
        (*_votes(), CANDLES.close, INDICATORS.regime(), INDICATORS.volatility_class(), np.ones(5), True, 0.6, 0.015),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_compiled_loop_equals_its_python(name: str) -> None:
    kernel, arguments = CALLS[name]
    # Without numba's compiler (NUMBA_DISABLE_JIT=1) the kernel is its own Python.
    python = getattr(kernel, "py_func", kernel)
    compiled, plain = kernel(*arguments), python(*arguments)
    pairs = zip(compiled, plain, strict=True) if isinstance(compiled, tuple) else [(compiled, plain)]
    for fast, slow in pairs:
        assert fast.dtype == slow.dtype
        if fast.dtype.kind == "f":
            np.testing.assert_allclose(fast, slow, rtol=1e-6 if fast.dtype == np.float32 else 1e-12)
        else:
            assert np.array_equal(fast, slow)
