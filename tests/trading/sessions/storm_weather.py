"""Everything that the built-in exchange can do wrong, at once, for most of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.trading.sessions.long_run import HISTORY, ExchangeProcess

SHARE = 0.05
CALM_CANDLES = 10
STORM: Mapping[str, float] = {
    "latency": SHARE,
    "latency_ms": 20,
    "drop_before": SHARE,
    "drop_after": SHARE,
    "error_500": SHARE,
    "error_502": SHARE,
    "error_503": SHARE,
    "error_504": SHARE,
    "garbage": SHARE,
    "too_many": SHARE,
    "too_many_s": 3,
    "stale": SHARE,
    "duplicate": SHARE,
    "reorder": SHARE,
    "disconnect": SHARE,
    "maintenance": SHARE,
    "maintenance_s": 5,
    "clock_skew": SHARE,
    "clock_skew_s": 5,
    "clock_skew_ms": 15_000,
    # these two end trading, for a while or in a slot, and leave little to be tried out by the others
    "insufficient_funds": 0.01,
    "delisting": 0.001,
    "delisting_s": 60,
}
"""Shares of requests, messages or orders; windows of trouble as short as many."""


@dataclass
class Weather:
    """Begins a storm when the session has begun, and ends it, and some candles later the session.

    Parameters
    ----------
    exchange : ExchangeProcess
        Where it storms.
    candles : int
        How long.
    """

    exchange: ExchangeProcess
    candles: int
    counts: dict[str, int] = field(default_factory=dict)
    _began: int | None = None
    _over: bool = False

    def __call__(self, candle: int) -> bool:
        """Look at how many candles the session has decided on, and return whether that is enough."""
        if self._began is None:
            self._began = max(candle, HISTORY)
            self.exchange.ask("/sim/faults", STORM)
        elif not self._over and candle >= self._began + self.candles:
            self._over = True
            self.calm()
        return self._over and self._began is not None and candle >= self._began + self.candles + CALM_CANDLES

    def calm(self) -> None:
        """End it, and note what it did."""
        told = self.exchange.ask("/sim/faults", dict.fromkeys((name for name in STORM if not name.endswith("_s")), 0))
        counts = told["counts"]
        assert isinstance(counts, dict)
        self.counts = {str(name): int(count) for name, count in counts.items()}
