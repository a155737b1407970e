"""Whether a change makes the workload faster: paired runs, an interval, and as many looks as are needed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import monotonic

from automation.codebase.fork_server import ForkServer
from automation.improvement.paired import MIN_PAIRS, Comparison, comparison_of, interleaved
from automation.tasks.optimize.workloads import told
from trading.commands import Progress

# Looking at growing numbers of pairs and stopping when they please would find what is not there; so each look is
# allowed its part of the error only (Bonferroni).
_ERROR = 0.05
_FIRST_LOOK = 8

# A clock that goes in steps must go many of them, or its steps are what is measured.
_LEAST_TICKS = 50

Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of one run by the processor's clock and by the wall's, and the step of the former."""

    cpu_s: float
    wall_s: float
    tick_s: float


@dataclass(frozen=True, slots=True)
class Timing:
    """What paired runs of a workload say about a change.

    Parameters
    ----------
    comparison : Comparison
        Of seconds, all pairs.
    clock : str
        ``processor``, or ``wall`` where the processor's clock is too coarse for the workload.
    minimum : float
        Least improvement that is accepted, share.
    reason : str
        Why the measuring ended.
    """

    comparison: Comparison
    minimum: float
    reason: str
    clock: str = "processor"

    @property
    def accepted(self) -> bool:
        """Whether the whole interval lies above the minimum."""
        return self.comparison.accepts(self.minimum)

    def as_json(self) -> dict[str, object]:
        """Return the medians, the interval and the number of pairs."""
        found = self.comparison
        return {
            "before_s": round(median(found.a), 6),
            "after_s": round(median(found.b), 6),
            "improvement": round(found.improvement, 4),
            "low": round(found.low, 4),
            "high": round(found.high, 4),
            "confidence": round(found.confidence, 4),
            "pairs": len(found.a),
            "clock": self.clock,
        }

    @property
    def text(self) -> str:
        """The interval in words."""
        found = self.comparison
        return f"{found.improvement:+.1%} ({found.low:+.1%} to {found.high:+.1%}, {len(found.a)} pairs)"


def measured(
    server: ForkServer,
    workload: Mapping[str, object],
    before: Files,
    after: Files,
    *,
    pairs: int,
    minimum: float,
    seed: int,
    deadline: float,
    label: str,
) -> Generator[Progress, None, Timing]:
    """Run a workload without and with a change in turns until it is clear which way it goes.

    Parameters
    ----------
    server : ForkServer
        Runs ``workload_run.py`` over the private copy.
    workload : mapping
        Its job.
    before, after : mapping of str to bytes or None
        Files of the two versions that differ from the copy's.
    pairs : int
        Most pairs.
    minimum : float
        Least improvement to accept, share.
    seed : int
        Of the order and the bootstrap.
    deadline : float
        By the monotonic clock; a look is not begun after it.
    label : str
        For a person.

    Returns
    -------
    Timing
        Of all pairs that were run.

    Raises
    ------
    Refused
        When the workload fails.
    """

    def run(files: Files) -> Callable[[], Run]:
        job = {"mode": "time", "workload": workload}
        return lambda: timed_run(server, job, files)

    looks = _looks(pairs)
    runs: list[tuple[Run, Run]] = []
    for number, until in enumerate(looks):
        warm = 1 if number == 0 else 0
        steps = interleaved(run(before), run(after), max(MIN_PAIRS, until - len(runs)), seed + number, warmups=warm)
        costs = yield from _shown(steps, label, len(runs), pairs)
        runs += costs
        timing = _timing(runs, seed, 1 - _ERROR / len(looks), minimum)
        found = timing.comparison
        if found.accepts(minimum):
            return replace(timing, reason="it is faster")
        if found.high < minimum or (number and found.improvement < minimum):
            return replace(timing, reason="it is not faster by enough")
        if monotonic() > deadline:
            return replace(timing, reason="the time is spent and the pairs do not tell")
    return replace(timing, reason=f"{len(runs)} pairs do not tell it from noise")


def timed_run(server: ForkServer, job: Mapping[str, object], files: Files) -> Run:
    """Run a workload once, in a process of its own, and return what its clocks say."""
    record = told(server.submit(job, files).result(), "timed")
    return Run(*(float(str(record[name])) for name in ("cpu_s", "wall_s", "tick_s")))


def _timing(runs: Sequence[tuple[Run, Run]], seed: int, confidence: float, minimum: float) -> Timing:
    flat = [run for pair in runs for run in pair]
    coarse = min(run.cpu_s for run in flat) < _LEAST_TICKS * median(run.tick_s for run in flat)
    clock = "wall" if coarse else "processor"
    a, b = ([(run.wall_s if coarse else run.cpu_s) for run in side] for side in zip(*runs, strict=True))
    return Timing(comparison_of(a, b, seed, confidence=confidence), minimum, "", clock)


def _looks(pairs: int) -> list[int]:
    looks = [min(pairs, max(_FIRST_LOOK, MIN_PAIRS))]
    while looks[-1] + MIN_PAIRS <= pairs:
        looks.append(min(pairs, 2 * looks[-1]))
    return looks


def _shown(
    steps: Generator[Progress, None, list[tuple[Run, Run]]], label: str, done: int, total: int
) -> Generator[Progress, None, list[tuple[Run, Run]]]:
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            costs: list[tuple[Run, Run]] = end.value
            return costs
        yield Progress(label, done + step.done, total, "pairs")
