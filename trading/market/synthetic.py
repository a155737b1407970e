"""A seeded synthetic market: regimes, clustered volatility, jumps and volume, shaped after crypto minutes."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.errors import UsageError
from trading.market.candles import Candles
from trading.market.synthetic_shape import SyntheticMarket
from trading.market.timeframes import timeframe_ms

# Candles are made in blocks of one size, whatever is asked for: so that a longer market begins with the shorter one.
_BLOCK = 8_192
_YEAR_MS = 31_536_000_000
_DAY_MS = 86_400_000
_HOUR_MS = 3_600_000
# A squared shock above this counts no further in GARCH: a jump says little about the volatility of the next minutes.
_LOUDEST_NEWS = 12.0
_SIGNIFICANT_DIGITS = 6
_VOLUME_DECIMALS = 5

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SyntheticHistory:
    """Synthetic candles, and the regime that each was made in.

    Parameters
    ----------
    candles : Candles
        The market.
    regime : ndarray of int8, shape (n,)
        Values of `MarketRegime`.
    """

    candles: Candles
    regime: NDArray[np.int8]


def synthetic_candles(
    symbol: str,
    timeframe: str,
    candles: int,
    seed: int,
    start_ms: int = 1_704_067_200_000,
    start_price: float = 30_000.0,
    config: SyntheticMarket | None = None,
) -> Candles:
    """Return a synthetic market; see `synthetic_history`, which also tells the regimes."""
    return synthetic_history(symbol, timeframe, candles, seed, start_ms, start_price, config).candles


def synthetic_history(
    symbol: str,
    timeframe: str,
    candles: int,
    seed: int,
    start_ms: int = 1_704_067_200_000,
    start_price: float = 30_000.0,
    config: SyntheticMarket | None = None,
) -> SyntheticHistory:
    """Return a synthetic market: the same arguments give the same bytes, more candles begin with the same ones.

    Log returns are regime drift + volatility x shock. Volatility is the product of the regime's, of a GARCH(1,1) part
    (Bollerslev 1986), of a slow log-normal autoregression and of the hour of the day; shocks are normal with rare jumps
    (Merton 1976). Highs and lows are extremes of a Brownian bridge between open and close, drawn from their exact
    distribution P(max > m) = exp(-2 (m - open) (m - close) / variance). The recursions are linear with coefficients
    known beforehand, so they are scanned in log2(n) vector steps (Hillis and Steele 1986).

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``; goes into the seed, so two symbols of one seed differ.
    timeframe : str
        Candle length.
    candles : int
        How many.
    seed : int
        Not negative.
    start_ms : int
        First open time, ms UTC.
    start_price : float
        First open, quote currency.
    config : SyntheticMarket, optional
        Constants; None takes the calibrated ones.

    Raises
    ------
    UsageError
        When a number is out of range.
    """
    step_ms = timeframe_ms(timeframe)
    if candles < 1 or seed < 0 or not (math.isfinite(start_price) and start_price > 0):
        raise UsageError(
            f"a synthetic market needs candles >= 1, a seed >= 0 and a start price > 0, "
            f"not {candles}, {seed} and {start_price}"
        )
    maker = _Maker(symbol, step_ms, seed, start_ms, start_price, config or SyntheticMarket())
    blocks = [maker.block() for _ in range(-(-candles // _BLOCK))]
    columns = np.concatenate([prices_and_volume for prices_and_volume, _ in blocks], axis=1)[:, :candles]
    regime = np.concatenate([regime for _, regime in blocks])[:candles]
    timestamp = start_ms + step_ms * np.arange(candles, dtype=np.int64)
    return SyntheticHistory(Candles(symbol, timeframe, timestamp, *columns), regime)


class _Maker:
    def __init__(
        self, symbol: str, step_ms: int, seed: int, start_ms: int, start_price: float, config: SyntheticMarket
    ) -> None:
        self._config = config
        self._step_ms = step_ms
        self._time_ms = start_ms
        streams = np.random.SeedSequence([seed, zlib.crc32(symbol.encode())]).spawn(2)
        self._numbers, self._switches = (np.random.Generator(np.random.PCG64(stream)) for stream in streams)
        self._weights = np.array([regime.weight for regime in config.regimes], dtype=np.float64)
        self._weights /= self._weights.sum()
        self._sigma = config.volatility * math.sqrt(step_ms / _YEAR_MS) / _volatility_gain(config)
        digits = _SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(start_price))
        self._decimals = digits if config.price_decimals is None else config.price_decimals
        self._volume = config.daily_turnover * step_ms / _DAY_MS / start_price
        self._regime, self._left = 0, 0
        self._variance = 1.0
        self._news = 1.0
        self._slow = config.slow_deviation * float(self._numbers.standard_normal())
        self._mood = config.volume_deviation * float(self._numbers.standard_normal())
        self._log_price = math.log(start_price)
        self._within = 0.0
        self._close = self._rounded(np.array([start_price]))[0]

    def block(self) -> tuple[Series, NDArray[np.int8]]:
        config = self._config
        regime, begins = self._regimes()
        season = self._season()
        shape = {
            name: np.array([getattr(one, name) for one in config.regimes])[regime]
            for name in ("drift", "volatility", "reversion", "activity")
        }
        deviation = self._sigma * shape["volatility"] * np.exp(config.season_volatility * season)
        shocks = self._shocks()
        deviation *= np.exp(self._slow_part()) * np.sqrt(self._garch(shocks))
        pushes = shape["drift"] * self._sigma + deviation * shocks
        returns = self._returns(pushes, 1.0 - shape["reversion"], begins)
        logs = self._log_price + np.cumsum(returns)
        before = np.concatenate(([self._log_price], logs[:-1]))
        self._log_price = float(logs[-1])
        high, low = self._extremes(before, logs, deviation * config.wick)
        volume = self._volumes(high - low, season) * shape["activity"]
        close = self._rounded(np.exp(logs))
        opened = np.concatenate(([self._close], close[:-1]))
        self._close = close[-1]
        highest = np.maximum(self._rounded(np.exp(high)), np.maximum(opened, close))
        lowest = np.minimum(self._rounded(np.exp(low)), np.minimum(opened, close))
        self._time_ms += _BLOCK * self._step_ms
        return np.stack([opened, highest, lowest, close, volume]), regime

    def _regimes(self) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        regime = np.empty(_BLOCK, dtype=np.int8)
        begins = np.zeros(_BLOCK, dtype=bool)
        row = 0
        while row < _BLOCK:
            if self._left == 0:
                self._regime = int(self._switches.choice(len(self._weights), p=self._weights))
                self._left = int(self._switches.geometric(1 / self._config.regimes[self._regime].mean_candles))
                begins[row] = True
            count = min(self._left, _BLOCK - row)
            regime[row : row + count] = self._regime
            row, self._left = row + count, self._left - count
        return regime, begins

    def _season(self) -> Series:
        if self._step_ms >= _DAY_MS:
            return np.zeros(_BLOCK)
        hours = (self._time_ms + self._step_ms * np.arange(_BLOCK)) / _HOUR_MS
        angle: Series = (hours - self._config.season_peak_h) * (2 * math.pi / 24)
        return np.cos(angle)

    def _slow_part(self) -> Series:
        memory, deviation = self._config.slow_memory, self._config.slow_deviation
        noise = self._numbers.standard_normal(_BLOCK) * (deviation * math.sqrt(1 - memory**2))
        path = scan(np.full(_BLOCK, memory), noise, self._slow)
        self._slow = float(path[-1])
        slow: Series = path - deviation**2
        return slow

    def _shocks(self) -> Series:
        draw = self._numbers.standard_normal((2, _BLOCK))
        jumps = self._numbers.random(_BLOCK) < self._config.jump_rate
        shocks: Series = draw[0] + np.where(jumps, self._config.jump_size * draw[1], 0.0)
        return shocks

    def _garch(self, shocks: Series) -> Series:
        config = self._config
        squares = np.minimum(shocks**2, _LOUDEST_NEWS)
        news = np.concatenate(([self._news], squares[:-1]))
        rest = 1.0 - config.garch_news - config.garch_memory
        variance = scan(config.garch_news * news + config.garch_memory, np.full(_BLOCK, rest), self._variance)
        self._variance, self._news = float(variance[-1]), float(squares[-1])
        return variance

    # What reverts is the distance from the price at the regime's beginning; a new regime forgets it.
    def _returns(self, pushes: Series, memory: Series, begins: NDArray[np.bool_]) -> Series:
        within = scan(np.where(begins, 0.0, memory), pushes, self._within)
        before = np.concatenate(([self._within], within[:-1]))
        self._within = float(within[-1])
        returns: Series = within - np.where(begins, 0.0, before)
        return returns

    def _extremes(self, before: Series, after: Series, deviation: Series) -> tuple[Series, Series]:
        uniform = self._numbers.random((2, _BLOCK))
        reach = (after - before) ** 2 - 2 * deviation**2 * np.log1p(-uniform)
        middle = (before + after) / 2
        return middle + np.sqrt(reach[0]) / 2, middle - np.sqrt(reach[1]) / 2

    def _volumes(self, log_range: Series, season: Series) -> Series:
        config = self._config
        draw = self._numbers.standard_normal((2, _BLOCK))
        push = draw[0] * (config.volume_deviation * math.sqrt(1 - config.volume_memory**2))
        mood = scan(np.full(_BLOCK, config.volume_memory), push, self._mood)
        self._mood = float(mood[-1])
        noise = mood + config.volume_noise * draw[1]
        relative = (log_range / (1.6 * self._sigma)) ** config.volume_from_range
        mean = math.exp((config.volume_deviation**2 + config.volume_noise**2) / 2)
        volume: Series = self._volume / mean * relative * np.exp(noise + config.season_volume * season)
        rounded: Series = np.maximum(np.round(volume, _VOLUME_DECIMALS), 10.0**-_VOLUME_DECIMALS)
        return rounded

    def _rounded(self, prices: Series) -> Series:
        rounded: Series = np.maximum(np.round(prices, self._decimals), 10.0**-self._decimals)
        return rounded


def scan(coefficients: Series, inputs: Series, start: float) -> Series:
    """Return y of the recursion y[t] = coefficients[t] * y[t-1] + inputs[t], with y[-1] = start.

    Parameters
    ----------
    coefficients, inputs : ndarray of float64, shape (n,)
        Known beforehand.
    start : float
        The value before the first.

    Returns
    -------
    ndarray of float64, shape (n,)
        Found by doubling, the parallel scan of Hillis and Steele (1986).
    """
    factor, total = coefficients.copy(), inputs.copy()
    total[0] += factor[0] * start
    distance = 1
    while distance < len(total):
        total[distance:] += factor[distance:] * total[:-distance]
        factor[distance:] *= factor[:-distance]
        distance *= 2
    return total


def _volatility_gain(config: SyntheticMarket) -> float:
    # What regimes, jumps and the parts of volatility add to the deviation of a plain normal return.
    shares = np.array([one.weight * one.mean_candles for one in config.regimes])
    squares = np.array([one.volatility**2 + one.drift**2 for one in config.regimes])
    jumps = 1 + config.jump_rate * config.jump_size**2
    season = float(np.i0(2 * config.season_volatility))
    return math.sqrt(float(shares @ squares / shares.sum()) * jumps * season)
