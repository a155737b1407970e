"""Speed of the core and of whole backtests; prints one JSON line.

``python benchmarks/engine.py`` takes two to three minutes; ``--quick`` leaves out the largest size.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tracemalloc
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time

import numba
import numpy as np
from numpy.typing import NDArray

from trading.engine.parameters import derive_parameters
from trading.engine.simulation import simulate
from trading.engine.tape import Tape, pack_tape
from trading.market.candles import Candles
from trading.market.rule_tables import market_for
from trading.market.synthetic import synthetic_candles
from trading.sessions.backtest import backtest
from trading.settings import Settings
from trading.signals.records import Signals

SIZES = (100_000, 1_000_000, 10_000_000)
YEAR_OF_MINUTES = 525_600
STRETCH = 100_000
REPEATS = 3
GOALS = {"core.candles_per_s": 12e6, "backtest.year_s": 0.6, "core.bytes_per_candle": 300, "core.growth_exponent": 1.0}
MODERATE = Settings(
    risk="moderate",
    # a halted run would be timed standing still
    limits={"max_drawdown": 1.0, "daily_loss": 0.9},
)
GRID_40 = Settings(
    grid={"buy_levels": 20, "sell_levels": 20, "entry_drop": 0.0},
    # every rule is on and checked; the limits are far, so that the run is not halted half way
    limits={"max_drawdown": 1.0, "daily_loss": 0.9, "stop_loss": 0.2, "take_profit": 0.1},
)


def main() -> None:
    """Measure everything and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the largest size")
    parser.add_argument("--memory-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of is not None:
        print(peak_of_backtest(options.memory_of))
        return
    sizes = SIZES[:2] if options.quick else SIZES
    report: dict[str, object] = {"benchmark": "engine", "goals": GOALS}
    core = {size: core_speed(size) for size in sizes}
    largest = core[sizes[-1]]
    report["core.candles_per_s"] = core[1_000_000]["candles_per_s"]
    report["core.by_size"] = core
    report["core.growth_exponent"] = growth_exponent({size: row["seconds"] for size, row in core.items()})
    report["core.fills_per_1000_candles"] = largest["fills_per_1000_candles"]
    report["bare_loop.candles_per_s"] = bare_loop_speed(1_000_000)
    report["core.ratio_to_bare_loop"] = report["core.candles_per_s"] / report["bare_loop.candles_per_s"]  # type: ignore[operator]
    whole = {size: backtest_speed(size) for size in (*sizes, YEAR_OF_MINUTES)}
    report["backtest.by_size"] = whole
    report["backtest.year_s"] = whole[YEAR_OF_MINUTES]["seconds"]
    report["core.bytes_per_candle"] = core_bytes_per_candle(1_000_000)
    report["backtest.bytes_per_candle"] = backtest_bytes_per_candle(1_000_000, 4_000_000)
    report |= peers()
    print(json.dumps(report))


def market_of(size: int) -> Candles:
    """Return one-minute candles: one synthetic stretch forwards, backwards, forwards…, so that all sizes are alike."""
    stretch = synthetic_candles("BTC/USDT", "1m", candles=STRETCH, seed=11, start_price=50_000.0)
    back = {"open": stretch.close[::-1], "close": stretch.open[::-1]}
    back |= {name: getattr(stretch, name)[::-1] for name in ("high", "low", "volume")}
    columns: dict[str, NDArray[np.generic]] = {
        "timestamp": 1_700_000_000_000 + 60_000 * np.arange(size, dtype=np.int64)
    }
    for name, backwards in back.items():
        both = np.concatenate([getattr(stretch, name), backwards])
        columns[name] = np.resize(both, size)
    return Candles.from_columns(stretch.symbol, "1m", columns)


def hold_signals(size: int) -> Signals:
    """Return signals that let every slot trail all the time."""
    return Signals(
        action=np.zeros(size, np.int8),
        confidence=np.full(size, 0.6, np.float32),
        trail=np.full(size, 0.01, np.float32),
        regime=np.zeros(size, np.int8),
        volatility=np.ones(size, np.int8),
        swing_high=np.full(size, np.nan),
        swing_low=np.full(size, np.nan),
        swing_size=np.full(size, 0.02, np.float32),
        disagreement=np.zeros(size, np.float32),
        origin_ms=0,
        agents=(),
    )


def core_inputs(size: int) -> tuple[Tape, NDArray[np.void], int]:
    """Return tape, parameters and capital of the timed grid."""
    candles = market_of(size)
    market = market_for(candles.symbol, candles[:300], GRID_40.market)
    tape = pack_tape(candles, hold_signals(size), market, volume_share=0.0, warmup=300)
    return tape, derive_parameters(GRID_40, market), market.cash_units(GRID_40.capital)


def core_speed(size: int) -> dict[str, float]:
    """Time the 40-level trailing grid with all risk rules on; refuse a grid that does not really trade."""
    tape, params, capital = core_inputs(size)
    simulate(Tape(*(column[:2_000] for column in tape)), params, capital)
    best = math.inf
    for _ in range(REPEATS):
        began = process_time()
        outcome = simulate(tape, params, capital)
        best = min(best, process_time() - began)
    core = outcome.state.core
    fills_per_1000 = 1_000 * len(outcome.fills) / size
    if fills_per_1000 < 2 or core.halts or not core.recentres:
        raise SystemExit(
            f"not a fair grid: {fills_per_1000} fills per 1000 candles, {core.halts} halts, {core.recentres} recentres"
        )
    return {
        "candles_per_s": size / best,
        "seconds": best,
        "fills_per_1000_candles": fills_per_1000,
        "recentres": int(core.recentres),
    }


def backtest_speed(size: int) -> dict[str, float]:
    """Time a whole moderate backtest with five agents, after compilation."""
    candles = market_of(size)
    backtest(candles[:20_000], MODERATE)
    best, timing = math.inf, {}
    for _ in range(REPEATS if size < SIZES[-1] else 1):
        began = perf_counter()
        result = backtest(candles, MODERATE)
        seconds = perf_counter() - began
        if seconds < best:
            best, timing = seconds, dict(result.timing)
    if result.halted:
        raise SystemExit(f"not a fair backtest: halted, {result.halted}")
    return {"seconds": best, "candles_per_s": size / best, "fills": len(result.fills), **timing}


def growth_exponent(seconds: dict[int, float]) -> float:
    """Return the slope of log time over log size: 1 is linear."""
    sizes, times = np.log(list(seconds)), np.log(list(seconds.values()))
    return float(np.polyfit(sizes, times, 1)[0])


def core_bytes_per_candle(size: int) -> float:
    """Return the peak of what one run of the core allocates (state, fills, equity), by candle."""
    tape, params, capital = core_inputs(size)
    tracemalloc.start()
    simulate(tape, params, capital)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / size


def backtest_bytes_per_candle(small: int, large: int) -> float:
    """Return how much the peak memory of a whole process grows with each candle of its backtest, inputs included."""
    return (_peak_of_child(large) - _peak_of_child(small)) / (large - small)


def _peak_of_child(size: int) -> int:
    done = subprocess.run(
        [sys.executable, __file__, "--memory-of", str(size)], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def peak_of_backtest(size: int) -> int:
    """Return this process's peak resident memory after one backtest, bytes (Linux; not what a fork inherits)."""
    backtest(market_of(size), MODERATE)
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@numba.njit(cache=True)
def bare_grid(high: NDArray[np.int64], low: NDArray[np.int64], levels: NDArray[np.int64], lots: int) -> tuple[int, int]:
    """Trade the simplest grid there is: buy at a level, sell one level up; no trailing, no fees, no risk rules."""
    held = np.zeros(len(levels) - 1, np.bool_)
    cash, fills = 0, 0
    for candle in range(len(high)):
        for i in range(len(levels) - 1):
            if held[i]:
                if high[candle] > levels[i + 1]:
                    held[i] = False
                    cash += levels[i + 1] * lots
                    fills += 1
            elif low[candle] < levels[i]:
                held[i] = True
                cash -= levels[i] * lots
                fills += 1
    return cash, fills


def bare_loop_speed(size: int) -> float:
    """Return candles/s of the bare grid over the same candles."""
    tape, _, _ = core_inputs(size)
    centre = float(np.median(tape.close))
    levels = np.rint(centre * 1.005 ** np.arange(-20.0, 21.0)).astype(np.int64)
    bare_grid(tape.high[:1_000], tape.low[:1_000], levels, 10)
    best = math.inf
    for _ in range(REPEATS):
        began = process_time()
        bare_grid(tape.high, tape.low, levels, 10)
        best = min(best, process_time() - began)
    return size / best


def peers() -> dict[str, object]:
    """Time other frameworks on a crossing grid of the same levels, where they are installed."""
    from peers import crossing_grid as installed

    timed = {"vectorbt": installed.vectorbt_speed, "backtesting": installed.backtesting_speed}
    candles = market_of(100_000)
    return {
        f"peer.{name}.candles_per_s": measure(candles) if find_spec(name) else "not installed"
        for name, measure in timed.items()
    }


if __name__ == "__main__":
    main()
