"""A session in a storm of faults on the built-in exchange, through real ccxt and its streams; prints one JSON line.

``python -m benchmarks.storm``: every fault of the exchange falls on 5% of what it can fall on, for 10,000 one-minute
candles; the exit code is 1 when a fill was lost, an order is not where the journal says, or the session did not live to
its end. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import sys
import tempfile
from pathlib import Path

from benchmarks.soak import Progress, report_of
from tests.trading.sessions.long_run import HISTORY, Watcher, exchange_process, plan_on, run_long, write_market
from tests.trading.sessions.storm_weather import CALM_CANDLES, STORM, Weather

GOALS = {"drift": 0, "unhandled": 0, "memory_growth_mb": 10.0}


def main() -> int:
    """Run the storm, print one JSON line and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candles", type=int, default=10_000, help="length of the storm")
    parser.add_argument("--speed", type=float, help="speed of the exchange's time, at most 1000; without it lock-step")
    parser.add_argument("--longest-s", type=float, default=math.inf, help="end in order after so many real seconds")
    parser.add_argument("--seed", type=int, default=3, help="of market and faults")
    options = parser.parse_args()
    logging.getLogger().setLevel(logging.CRITICAL)
    # candles that come too late in a storm are not decided on
    minutes = 2 * (options.candles + CALM_CANDLES)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        market = write_market(home / "BTCUSDT_1m.csv", HISTORY + minutes + 120, options.seed)
        with exchange_process(home, market, speed=options.speed, faults={"seed": options.seed}) as exchange:
            weather = Weather(exchange, options.candles)
            watcher = Watcher(
                exchange, longest_s=options.longest_s, progress=Progress(options.candles), on_candle=weather
            )
            plan = plan_on(exchange.url, home, minutes, ws_url=exchange.ws_url)
            run = run_long(plan, watcher, before_audit=weather.calm)
    report = report_of(run, options.candles)
    alive = run.end.exit_code == 0 and not run.errors
    told = {"faults": weather.counts, "alive_at_the_end": alive, "storm": dict(STORM)}
    print(json.dumps({"benchmark": "storm", "goals": GOALS, "seed": options.seed, **report, **told}))
    return 0 if alive and not run.drift else 1


if __name__ == "__main__":
    sys.exit(main())
