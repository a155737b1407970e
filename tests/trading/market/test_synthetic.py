"""The synthetic market: the same bytes for the same seed, sound candles, and the shapes that real minutes have."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import UsageError
from trading.market.candles import COLUMNS, Candles
from trading.market.synthetic import scan, synthetic_candles, synthetic_history
from trading.market.synthetic_shape import MarketRegime, RegimeShape, SyntheticMarket

MONTH = 43_200
ROOT = Path(__file__).resolve().parents[3]


def same(one: Candles, other: Candles) -> bool:
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in COLUMNS)


def autocorrelation(values: np.ndarray, lag: int) -> float:
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def hourly(candles: Candles, values: np.ndarray) -> np.ndarray:
    hours = candles.timestamp // 3_600_000 % 24
    return np.array([values[hours == hour].mean() for hour in range(24)])


def statistics(candles: Candles) -> dict[str, float]:
    returns = np.diff(np.log(candles.close))
    sizes = np.abs(returns)
    ranges = (candles.high - candles.low) / candles.close
    log_volume = np.log(candles.volume + 1e-9)
    volumes = hourly(candles, candles.volume)
    return {
        "volatility": float(returns.std() * np.sqrt(525_600)),
        "kurtosis": float(((returns - returns.mean()) ** 4).mean() / returns.var() ** 2 - 3),
        "clustering at 1": autocorrelation(sizes, 1),
        "clustering at 60": autocorrelation(sizes, 60),
        "clustering at 1440": autocorrelation(sizes, 1440),
        "memory of returns": autocorrelation(returns, 1),
        "range over body": float(ranges.mean() / np.abs(np.log(candles.close / candles.open)).mean()),
        "deviation of log volume": float(log_volume.std()),
        "volume and return": float(np.corrcoef(candles.volume[1:], sizes)[0, 1]),
        "log volume and range": float(np.corrcoef(log_volume, np.log(ranges + 1e-6))[0, 1]),
        "busiest hour": float(volumes.max() / volumes.min()),
    }


# Each band holds both real months and every seed tried; a plain random walk falls out of most of them.
BANDS = {
    "volatility": (0.5, 1.0),
    "kurtosis": (6, 120),
    "clustering at 1": (0.18, 0.42),
    "clustering at 60": (0.10, 0.28),
    "clustering at 1440": (0.01, 0.14),
    "memory of returns": (-0.04, 0.04),
    "range over body": (1.7, 1.9),
    "deviation of log volume": (0.9, 1.3),
    "volume and return": (0.35, 0.70),
    "log volume and range": (0.60, 0.80),
    "busiest hour": (2.3, 4.5),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_months_show_the_shapes_of_real_minutes(seed: int) -> None:
    found = statistics(synthetic_candles("SIM/USDT", "1m", 3 * MONTH, seed))
    assert {name: value for name, value in found.items() if not BANDS[name][0] <= value <= BANDS[name][1]} == {}


@pytest.mark.parametrize("file", ["BTC-PERP-1m-2022-01.parquet", "ADA-USDT-1m.parquet"])
def test_real_minutes_lie_in_the_same_bands(shared_data, file: str) -> None:
    table = pq.read_table(shared_data / file)
    columns = {name: table.column(name).to_numpy() for name in COLUMNS}
    found = statistics(Candles.from_columns("REAL/USDT", "1m", columns))
    assert {name: value for name, value in found.items() if not BANDS[name][0] <= value <= BANDS[name][1]} == {}


def test_a_plain_random_walk_lies_outside_the_bands() -> None:
    rng = np.random.default_rng(1)
    close = 30_000 * np.exp(np.cumsum(rng.normal(0, 0.001, MONTH)))
    opened = np.concatenate(([30_000.0], close[:-1]))
    high, low = np.maximum(opened, close) * 1.0003, np.minimum(opened, close) * 0.9997
    walk = Candles("W/U", "1m", np.arange(MONTH) * 60_000, opened, high, low, close, np.exp(rng.normal(size=MONTH)))
    found = statistics(walk)
    outside = {name for name, value in found.items() if not BANDS[name][0] <= value <= BANDS[name][1]}
    assert {"kurtosis", "clustering at 1", "clustering at 60", "volume and return", "busiest hour"} <= outside


def test_same_seed_gives_the_same_bytes() -> None:
    assert same(synthetic_candles("SIM/USDT", "1m", 20_000, 7), synthetic_candles("SIM/USDT", "1m", 20_000, 7))


def test_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; from trading.market.synthetic import synthetic_candles as make; "
        "sys.stdout.buffer.write(make('SIM/USDT', '1m', 9000, 7).columns()['volume'].tobytes())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT).stdout
    assert other == synthetic_candles("SIM/USDT", "1m", 9_000, 7).volume.tobytes()


@given(seed=st.integers(0, 2**32), shorter=st.integers(1, 20_000), longer=st.integers(1, 20_000))
def test_more_candles_begin_with_the_same_ones(seed: int, shorter: int, longer: int) -> None:
    shorter, longer = sorted((shorter, longer))
    assert same(
        synthetic_candles("SIM/USDT", "5m", shorter, seed), synthetic_candles("SIM/USDT", "5m", longer, seed)[:shorter]
    )


def test_another_seed_or_symbol_gives_another_market() -> None:
    markets = [synthetic_candles(*key) for key in (("A/U", "1m", 500, 1), ("A/U", "1m", 500, 2), ("B/U", "1m", 500, 1))]
    assert len({market.close.tobytes() for market in markets}) == 3


@given(
    seed=st.integers(0, 2**63),
    timeframe=st.sampled_from(["1s", "1m", "5m", "1h", "1d", "1w"]),
    start_price=st.floats(1e-7, 1e7),
    volatility=st.floats(0.01, 5.0),
)
def test_candles_are_sound_whatever_the_market(
    seed: int, timeframe: str, start_price: float, volatility: float
) -> None:
    config = SyntheticMarket(volatility=volatility)
    made = synthetic_candles("SIM/USDT", timeframe, 9_000, seed, start_price=start_price, config=config)
    assert len(made) == 9_000
    assert all(np.isfinite(column).all() for column in made.columns().values())
    assert (made.low > 0).all()
    assert (made.volume > 0).all()
    assert (made.low <= np.minimum(made.open, made.close)).all()
    assert (made.high >= np.maximum(made.open, made.close)).all()
    assert (np.diff(made.timestamp) == made.step_ms).all()
    np.testing.assert_array_equal(made.open[1:], made.close[:-1])


def test_prices_are_whole_ticks() -> None:
    made = synthetic_candles("SIM/USDT", "1m", 10_000, 3, config=SyntheticMarket(price_decimals=2))
    for name in ("open", "high", "low", "close"):
        prices = getattr(made, name)
        np.testing.assert_array_equal(prices, np.round(prices, 2))
        assert (prices != np.round(prices, 1)).any()


def test_every_regime_occurs_and_does_what_its_name_says() -> None:
    history = synthetic_history("SIM/USDT", "1m", 300_000, 11)
    returns = np.log(history.candles.close / history.candles.open)
    mean = {one: returns[history.regime == one].mean() for one in MarketRegime}
    deviation = {one: returns[history.regime == one].std() for one in MarketRegime}
    assert set(np.unique(history.regime)) == set(MarketRegime)
    assert mean[MarketRegime.TREND_UP] > 0 > mean[MarketRegime.TREND_DOWN] > mean[MarketRegime.CRASH]
    assert abs(mean[MarketRegime.RANGE]) < mean[MarketRegime.TREND_UP] / 3
    assert deviation[MarketRegime.CRASH] > 1.5 * deviation[MarketRegime.RANGE]


def test_a_range_keeps_near_its_beginning_where_a_walk_strays() -> None:
    def only(reversion: float) -> Candles:
        quiet = RegimeShape(weight=1, mean_candles=1e9, drift=0.0, volatility=1.0, reversion=reversion)
        never = replace(quiet, weight=0)
        return synthetic_candles(
            "SIM/USDT", "1m", MONTH, 5, config=SyntheticMarket(regimes=(quiet, never, never, never))
        )

    spread = [float(np.std(np.log(made.close))) for made in (only(0.004), only(0.0))]
    assert spread[0] < spread[1] / 3


def test_scan_equals_the_recursion_step_by_step() -> None:
    rng = np.random.default_rng(3)
    factors, inputs = rng.uniform(-1, 1, 1_000), rng.normal(size=1_000)
    expected, value = [], 0.7
    for factor, entered in zip(factors, inputs, strict=True):
        value = factor * value + entered
        expected.append(value)
    np.testing.assert_allclose(scan(factors, inputs, 0.7), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("candles", "seed", "price"),
    [(0, 1, 1.0), (10, -1, 1.0), (10, 1, 0.0), (10, 1, float("nan")), (10, 1, float("inf"))],
)
def test_impossible_markets_are_refused(candles: int, seed: int, price: float) -> None:
    with pytest.raises(UsageError, match="a synthetic market needs"):
        synthetic_candles("SIM/USDT", "1m", candles, seed, start_price=price)


def test_constants_that_explode_are_refused() -> None:
    with pytest.raises(UsageError, match="less than 1"):
        SyntheticMarket(garch_news=0.2, garch_memory=0.8)
    with pytest.raises(UsageError, match="4 regimes"):
        SyntheticMarket(regimes=())
