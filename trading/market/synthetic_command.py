"""The command ``data synthetic``."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from trading.commands import Progress
from trading.errors import ExitCode, Refused
from trading.market.candles import COLUMNS, Candles
from trading.market.requests import HomeRequest
from trading.market.sources import home_store
from trading.market.store import CandleStore
from trading.market.synthetic import SyntheticHistory, synthetic_history
from trading.market.synthetic_shape import MarketRegime
from trading.market.times import iso, time_ms

_STORED_AT_ONCE = 50_000


class SyntheticRequest(HomeRequest):
    """A synthetic market to make."""

    symbol: str = Field("SIM/USDT", description="BASE/QUOTE to store it as", json_schema_extra={"positional": True})
    timeframe: str = Field("1m", description="candle length")
    candles: Annotated[int, Field(ge=1, le=20_000_000)] = Field(525_600, description="how many; a year of minutes")
    seed: Annotated[int, Field(ge=0)] = Field(7, description="the same seed gives the same candles")
    start: str = Field("2024-01-01", description="first open time, ISO")
    start_price: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        30_000.0, description="first open, quote currency"
    )


@dataclass(frozen=True, slots=True)
class SyntheticResult:
    """A synthetic market that is in the store.

    Parameters
    ----------
    symbol, timeframe : str
        The series.
    seed : int
        What it was made from.
    candles, added : int
        Candles in all, and how many of them were not stored before.
    start_ms, end_ms : int
        Open times of the first and last candle.
    lowest, highest, last : float
        Prices, quote currency.
    regimes : dict of str to float
        Share of candles by regime.
    """

    symbol: str
    timeframe: str
    seed: int
    candles: int
    added: int
    start_ms: int
    end_ms: int
    lowest: float
    highest: float
    last: float
    regimes: dict[str, float]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return all of it as one object."""
        return {
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "seed": self.seed,
            "candles": self.candles,
            "added": self.added,
            "start": iso(self.start_ms),
            "end": iso(self.end_ms),
            "lowest": self.lowest,
            "highest": self.highest,
            "last": self.last,
            "regimes": self.regimes,
        }

    def as_text(self) -> str:
        """Return three sentences."""
        shares = ", ".join(f"{name.replace('_', ' ')} {share:.1%}" for name, share in self.regimes.items())
        return (
            f"{self.symbol} {self.timeframe}: {self.candles:,} synthetic candles of seed {self.seed} are in the store, "
            f"{self.added:,} of them new, {iso(self.start_ms)} to {iso(self.end_ms)}.\n"
            f"Prices run from {self.lowest:g} to {self.highest:g} and end at {self.last:g}.\n"
            f"Regimes: {shares}."
        )


def synthetic(request: SyntheticRequest) -> Generator[Progress, None, SyntheticResult]:
    """Make a seeded synthetic market and write it into the candle store.

    The same request again changes nothing, and one for more candles goes on where the first ended.

    Parameters
    ----------
    request : SyntheticRequest
        What to make.

    Yields
    ------
    Progress
        Candles stored.

    Returns
    -------
    SyntheticResult
        What is in the store now.

    Raises
    ------
    Refused
        When the store holds other candles of that symbol and timeframe: invented ones never mix with them.
    """
    yield Progress("making candles", 0, request.candles, "candles")
    history = synthetic_history(
        request.symbol, request.timeframe, request.candles, request.seed, time_ms(request.start), request.start_price
    )
    store = home_store(request.home)
    _refuse_mixing(history.candles, store)
    added = 0
    for first in range(0, request.candles, _STORED_AT_ONCE):
        yield Progress("storing candles", first, request.candles, "candles")
        added += store.append(history.candles[first : first + _STORED_AT_ONCE]).added
    return _result(request, history, added)


def _refuse_mixing(made: Candles, store: CandleStore) -> None:
    if store.last_timestamp(made.symbol, made.timeframe) is None:
        return
    stored = store.read(made.symbol, made.timeframe)
    common = min(len(made), len(stored))
    if any(not np.array_equal(getattr(made, name)[:common], getattr(stored, name)[:common]) for name in COLUMNS):
        raise Refused(
            f"the store holds other candles of {made.symbol} {made.timeframe}; synthetic ones are not mixed with them, "
            "so choose another symbol"
        )


def _result(request: SyntheticRequest, history: SyntheticHistory, added: int) -> SyntheticResult:
    candles, regime = history.candles, history.regime
    return SyntheticResult(
        symbol=candles.symbol,
        timeframe=candles.timeframe,
        seed=request.seed,
        candles=len(candles),
        added=added,
        start_ms=int(candles.timestamp[0]),
        end_ms=int(candles.timestamp[-1]),
        lowest=float(candles.low.min()),
        highest=float(candles.high.max()),
        last=float(candles.close[-1]),
        regimes={one.name.lower(): float(np.mean(regime == one)) for one in MarketRegime},
    )
