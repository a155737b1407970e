"""Whether a change makes the workload faster: paired runs, an interval, and as many looks as are needed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
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

Files = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Timing:
    """What paired runs of a workload say about a change.

    Parameters
    ----------
    comparison : Comparison
        Of processor seconds, all pairs.
    minimum : float
        Least improvement that is accepted, share.
    reason : str
        Why the measuring ended.
    """

    comparison: Comparison
    minimum: float
    reason: str

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

    def run(files: Files) -> Callable[[], float]:
        job = {"mode": "time", "workload": workload}
        return lambda: max(1e-9, float(str(told(server.submit(job, files).result(), "timed")["cpu_s"])))

    looks = _looks(pairs)
    a: list[float] = []
    b: list[float] = []
    for number, until in enumerate(looks):
        warm = 1 if number == 0 else 0
        steps = interleaved(run(before), run(after), max(MIN_PAIRS, until - len(a)), seed + number, warmups=warm)
        costs = yield from _shown(steps, label, len(a), pairs)
        a += [cost for cost, _ in costs]
        b += [cost for _, cost in costs]
        found = comparison_of(a, b, seed, confidence=1 - _ERROR / len(looks))
        if found.accepts(minimum):
            return Timing(found, minimum, "it is faster")
        if found.high < minimum or (number and found.improvement < minimum):
            return Timing(found, minimum, "it is not faster by enough")
        if monotonic() > deadline:
            return Timing(found, minimum, "the time is spent and the pairs do not tell")
    return Timing(found, minimum, f"{len(a)} pairs do not tell it from noise")


def _looks(pairs: int) -> list[int]:
    looks = [min(pairs, max(_FIRST_LOOK, MIN_PAIRS))]
    while looks[-1] + MIN_PAIRS <= pairs:
        looks.append(min(pairs, 2 * looks[-1]))
    return looks


def _shown(
    steps: Generator[Progress, None, list[tuple[float, float]]], label: str, done: int, total: int
) -> Generator[Progress, None, list[tuple[float, float]]]:
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            costs: list[tuple[float, float]] = end.value
            return costs
        yield Progress(label, done + step.done, total, "pairs")
