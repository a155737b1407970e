"""The shape of a synthetic market: its regimes and constants, and how near they come to real minutes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from trading.errors import UsageError


class MarketRegime(IntEnum):
    """What a synthetic market is doing."""

    RANGE = 0
    TREND_UP = 1
    TREND_DOWN = 2
    CRASH = 3


@dataclass(frozen=True, slots=True)
class RegimeShape:
    """How prices move in one regime.

    Parameters
    ----------
    weight : float
        Relative frequency of the regime's beginning.
    mean_candles : float
        Mean length; the length is geometric.
    drift : float
        Mean return of a candle, in units of the market's volatility per candle.
    volatility : float
        Multiple of the market's volatility.
    reversion : float
        Share of the distance to the price at the regime's beginning that a candle takes back.
    activity : float
        Multiple of the volume, beside what follows from the candle's range.
    """

    weight: float
    mean_candles: float
    drift: float
    volatility: float
    reversion: float = 0.0
    activity: float = 1.0


@dataclass(frozen=True, slots=True)
class SyntheticMarket:
    """Constants of a synthetic market.

    The defaults were set by hand so that statistics of one-minute candles come near those measured on two real months:
    BTC perpetual in January 2022 (45,031 candles) and ADA/USDT spot in June 2025 (43,200 candles). No data of either is
    kept here. Of the model, means over seeds 1 to 8 with 131,072 candles each:

    ==================================================  ============  ============  =============
    statistic of one-minute candles                      BTC 2022-01   ADA 2025-06   this model
    ==================================================  ============  ============  =============
    annualised volatility                                0.72          0.72          0.75
    excess kurtosis of returns                           23            14            21 (9 to 59)
    autocorrelation of absolute returns, lag 1           0.33          0.22          0.33
    the same, lag 10                                     0.24          0.15          0.27
    the same, lag 60                                     0.18          0.13          0.19
    the same, lag 1,440                                  0.08          0.06          0.05
    autocorrelation of returns, lag 1                    0.02          -0.01         0.00
    mean range over mean absolute open-to-close          1.83          1.73          1.81
    standard deviation of log volume                     1.16          1.24          1.01
    autocorrelation of log volume, lag 1                 0.63          0.46          0.62
    correlation of volume and absolute return            0.61          0.42          0.48
    correlation of log volume and log range              0.77          0.64          0.68
    busiest over quietest hour, volume                   3.3           3.1           3.2
    busiest over quietest hour, absolute return          1.8           1.7           1.8
    ==================================================  ============  ============  =============

    Regimes, drifts and GARCH memory count candles, so longer timeframes show the same shapes, stretched.

    Parameters
    ----------
    volatility : float
        Annual standard deviation of log returns that the candles aim at.
    regimes : tuple of RegimeShape
        In the order of `MarketRegime`. The defaults' drifts cancel out in the long run.
    garch_news, garch_memory : float
        Weights of the last squared shock and of the last variance; their sum is under 1.
    slow_memory, slow_deviation : float
        Autocorrelation and standard deviation of the slow, log-normal part of volatility.
    jump_rate : float
        Jumps per candle.
    jump_size : float
        Standard deviation of a jump, in units of the candle's volatility.
    wick : float
        Width of the path between open and close, as a share of a Brownian bridge's.
    daily_turnover : float
        Mean traded value of a day at the starting price, quote currency.
    volume_from_range : float
        Exponent of a candle's relative range in its volume.
    volume_memory, volume_deviation, volume_noise : float
        Autocorrelation and standard deviation of the persistent part of log volume, and deviation of its noise.
    season_peak_h : float
        Hour UTC of greatest activity.
    season_volatility, season_volume : float
        Amplitude over the day of log volatility, and of log volume beside that.
    price_decimals : int, optional
        Decimals of the tick; None takes six significant digits of the starting price.
    """

    volatility: float = 0.72
    regimes: tuple[RegimeShape, ...] = (
        RegimeShape(weight=0.50, mean_candles=700, drift=0.0, volatility=0.85, reversion=0.004),
        RegimeShape(weight=0.26, mean_candles=500, drift=0.035, volatility=1.0),
        RegimeShape(weight=0.20, mean_candles=500, drift=-0.030, volatility=1.05),
        RegimeShape(weight=0.04, mean_candles=60, drift=-0.646, volatility=2.6, activity=1.6),
    )
    garch_news: float = 0.11
    garch_memory: float = 0.82
    slow_memory: float = 0.9988
    slow_deviation: float = 0.4
    jump_rate: float = 0.001
    jump_size: float = 6.0
    wick: float = 0.86
    daily_turnover: float = 1e9
    volume_from_range: float = 1.0
    volume_memory: float = 0.97
    volume_deviation: float = 0.5
    volume_noise: float = 0.5
    season_peak_h: float = 16.0
    season_volatility: float = 0.25
    season_volume: float = 0.3
    price_decimals: int | None = None

    def __post_init__(self) -> None:
        if len(self.regimes) != len(MarketRegime):
            raise UsageError(f"a synthetic market has {len(MarketRegime)} regimes, not {len(self.regimes)}")
        if not 0 <= self.garch_news + self.garch_memory < 1:
            raise UsageError("garch_news and garch_memory of a synthetic market must sum to less than 1")
