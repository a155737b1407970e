"""A session on the built-in exchange, killed by SIGKILL again and again, and held against the exchange each time.

``python -m benchmarks.crash`` kills at 1,000 seeded instants in about ten minutes; ``--kinds`` kills once at each kind
of instant instead. Progress goes to stderr, one JSON line to stdout; the exit code is 1 when anything did not agree.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from statistics import fmean, quantiles
from time import monotonic

from tests.trading.sessions.crash_instants import Never
from tests.trading.sessions.crash_rig import CrashRun, crash_run, kill_at_each_kind, kill_at_random, report

_TELL_EVERY = 25


def main(arguments: list[str] | None = None) -> int:
    """Kill, recover, compare, and print what came of it.

    Parameters
    ----------
    arguments : list of str, optional
        None takes the process's own.
    """
    options = _options(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="gridbot-crash-") as folder,
        crash_run(
            Path(folder), options.seed, full=options.kinds, faults=options.faults, streams=options.streams
        ) as run,
    ):
        began = monotonic()
        if options.kinds:
            kill_at_each_kind(run, minutes=60)
        else:
            for killed in kill_at_random(run, options.kills, options.seed):
                _progress(run, killed, options.kills, monotonic() - began)
        run.rest()
        run.live(Never(), 1, cancel_orders=True)
        result = _result(run, options, monotonic() - began)
    sys.stdout.write(json.dumps(result) + "\n")
    return 1 if run.findings else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000, help="how often the session is killed [1000]")
    parser.add_argument("--seed", type=int, default=1, help="of the market and of the instants [1]")
    parser.add_argument("--faults", type=float, default=0.0, help="chance of each fault of the exchange [0]")
    parser.add_argument("--streams", action="store_true", help="listen to the exchange's streams, too")
    parser.add_argument("--kinds", action="store_true", help="kill once at each kind of instant, callers told apart")
    return parser.parse_args(arguments)


def _progress(run: CrashRun, killed: int, kills: int, seconds: float) -> None:
    if killed % _TELL_EVERY == 0 and run.lives[-1].killed_at is not None:
        sys.stderr.write(f"{killed}/{kills} kills, {seconds:.0f} s, {len(run.findings)} findings\n")
        for finding in run.findings[-3:]:
            sys.stderr.write(f"  {finding}\n")


def _result(run: CrashRun, options: argparse.Namespace, seconds: float) -> dict[str, object]:
    told = report(run)
    kills = run.kills
    recoveries = [life.recovered_s for life in run.lives if life.recovered_s is not None]
    tenth = max(1, len(recoveries) // 10)
    return {
        **told,
        "seed": options.seed,
        "faults": options.faults,
        "streams": options.streams,
        "kinds": len({life.killed_at for life in run.lives if life.killed_at is not None}),
        "seconds": round(seconds, 1),
        "kills_per_s": round(kills / seconds, 2),
        "recovery_mean_s": round(fmean(recoveries), 3),
        "recovery_p95_s": round(quantiles(recoveries, n=20)[-1], 3),
        "recovery_first_tenth_s": round(fmean(recoveries[:tenth]), 3),
        "recovery_last_tenth_s": round(fmean(recoveries[-tenth:]), 3),
        "passed": not run.findings,
        "findings": run.findings[:20],
    }


if __name__ == "__main__":
    sys.exit(main())
