"""A session for many days of one-minute candles on the built-in exchange through real ccxt; prints one JSON line.

``python -m benchmarks.soak`` runs 30 days in lock-step, as fast as session and exchange are (about a quarter of an
hour); ``--days 1`` is the quick run, ``--speed 1000`` lets the exchange's time run by itself. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import tempfile
from pathlib import Path

from tests.trading.sessions.long_run import (
    HISTORY,
    LongRun,
    Sample,
    Watcher,
    exchange_process,
    plan_on,
    run_long,
    write_market,
)

GOALS = {"memory_growth_mb": 10.0, "drift": 0, "speed": 1_000.0}
_DAY = 1_440
_MB = 1e6


def main() -> None:
    """Run the soak and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=30.0, help="days of the market")
    parser.add_argument("--speed", type=float, help="speed of the exchange's time, at most 1000; without it lock-step")
    parser.add_argument("--longest-s", type=float, default=math.inf, help="end in order after so many real seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the market")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.ERROR)
    minutes = round(options.days * _DAY)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        market = write_market(home / "BTCUSDT_1m.csv", HISTORY + minutes + 120, options.seed)
        with exchange_process(home, market, speed=options.speed) as exchange:
            watcher = Watcher(exchange, longest_s=options.longest_s, progress=Progress(minutes))
            report = report_of(run_long(plan_on(exchange.url, home, minutes), watcher), minutes)
    print(json.dumps({"benchmark": "soak", "goals": GOALS, "days": options.days, "seed": options.seed, **report}))


class Progress:
    """Tells on stderr how far a run is.

    Parameters
    ----------
    candles : int
        Of the whole run.
    """

    def __init__(self, candles: int) -> None:
        self._candles = candles
        self._told = 0

    def __call__(self, sample: Sample) -> None:
        """Tell of every thousandth candle or so."""
        if sample.candle >= self._told + 1_000 or self._told == 0:
            self._told = sample.candle
            print(
                f"{max(0, sample.candle - HISTORY):,} of {self._candles:,} candles in {sample.seconds:,.0f} s; session "
                f"{sample.rss / _MB:.1f} MB, exchange {sample.exchange_rss / _MB:.1f} MB, {sample.files} files",
                file=sys.stderr,
                flush=True,
            )


def report_of(run: LongRun, minutes: int) -> dict[str, object]:
    """Return what a run came to; memory is measured from when a tenth of it, a day at most, has passed."""
    watcher, samples = run.watcher, run.watcher.samples
    first, last = samples[0], samples[-1]
    warm = watcher.after(min(_DAY, minutes // 10))
    candles = last.candle - first.candle
    stretch = max(60, candles // 10)
    early, late = (watcher.after(at) for at in (stretch, max(stretch, candles - stretch)))
    return {
        "candles": candles,
        "candles_per_s": candles / (last.seconds - first.seconds),
        "speed": 60 * candles / (last.seconds - first.seconds),
        "ms_per_candle": {"first_tenth": _pace(first, early), "last_tenth": _pace(late, last)},
        "session_cpu_ms_per_candle": {"first_tenth": _cpu(first, early), "last_tenth": _cpu(late, last)},
        "memory_growth_mb": (last.rss - warm.rss) / _MB,
        "memory_peak_growth_mb": (max(one.rss for one in samples if one.candle >= warm.candle) - warm.rss) / _MB,
        "exchange_memory_growth_mb": (last.exchange_rss - warm.exchange_rss) / _MB,
        "memory_mb": last.rss / _MB,
        "open_files": {"warm": warm.files, "end": last.files, "most": max(one.files for one in samples)},
        "orders": run.orders,
        "fills": run.fills,
        "drift": len(run.drift),
        "drift_found": run.drift[:10],
        "events": dict(watcher.events),
        "problems": watcher.problems[:10],
        "unhandled": run.errors[:10],
        "end": run.end.reason,
        "exit_code": int(run.end.exit_code),
    }


def _pace(first: Sample, last: Sample) -> float | None:
    candles = last.candle - first.candle
    return 1_000 * (last.seconds - first.seconds) / candles if candles else None


def _cpu(first: Sample, last: Sample) -> float | None:
    candles = last.candle - first.candle
    return 1_000 * (last.cpu_s - first.cpu_s) / candles if candles else None


if __name__ == "__main__":
    main()
