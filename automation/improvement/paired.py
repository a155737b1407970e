"""Paired A/B measurements: interleaved runs, a ratio for each pair, and a bootstrap interval of the improvement."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trading.commands import Progress, result_of
from trading.errors import UsageError

T = TypeVar("T")
Floats = NDArray[np.float64]

MIN_PAIRS = 6
_RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much less B costs than A.

    Parameters
    ----------
    a, b : tuple of float
        Cost of each run, pair by pair, such as seconds.
    improvement : float
        1 minus the median ratio of B to A: 0.05 says that B costs 5% less; negative when it costs more.
    low, high : float
        Bounds of the improvement's bootstrap interval.
    confidence : float
        Of the interval, 0..1.
    """

    a: tuple[float, ...]
    b: tuple[float, ...]
    improvement: float
    low: float
    high: float
    confidence: float

    def accepts(self, minimum: float = 0.01) -> bool:
        """Return whether the whole interval says that B costs at least this share less than A."""
        return self.low >= minimum


def compare(
    run_a: Callable[[], float],
    run_b: Callable[[], float],
    pairs: int,
    seed: int,
    *,
    warmups: int = 1,
    confidence: float = 0.95,
) -> Comparison:
    """Measure two things in turns and compare what they cost.

    Parameters
    ----------
    run_a, run_b : callable
        Does the work once and returns its cost, such as seconds, over 0.
    pairs : int
        How often each is measured, at least 6.
    seed : int
        Of the order and the bootstrap.
    warmups : int
        Runs of each that are not counted.
    confidence : float
        Of the interval, 0..1.

    Returns
    -------
    Comparison
        The improvement of B over A.

    Raises
    ------
    UsageError
        When there are too few pairs or a cost is not a number over 0.
    """
    costs = result_of(interleaved(run_a, run_b, pairs, seed, warmups=warmups))
    return comparison_of([a for a, _ in costs], [b for _, b in costs], seed, confidence=confidence)


def interleaved(
    run_a: Callable[[], T], run_b: Callable[[], T], pairs: int, seed: int, *, warmups: int = 1
) -> Generator[Progress, None, list[tuple[T, T]]]:
    """Run two things in turns, as ABBA or BAAB, so that a steady drift of the machine favours neither.

    Parameters
    ----------
    run_a, run_b : callable
        Does the work once and returns its measurement.
    pairs : int
        How often each is measured, at least 6.
    seed : int
        Decides for each two pairs between ABBA and BAAB.
    warmups : int
        Runs of each that are not counted.

    Yields
    ------
    Progress
        Before each pair.

    Returns
    -------
    list of (T, T)
        The measurements of A and B, pair by pair.

    Raises
    ------
    UsageError
        When there are too few pairs to say anything.
    """
    if pairs < MIN_PAIRS:
        raise UsageError(f"{pairs} pairs are too few to tell noise from improvement; take at least {MIN_PAIRS}")
    for _ in range(warmups):
        yield Progress("warming up", 0, pairs, "pairs")
        run_a()
        run_b()
    measured = []
    for index, a_first in enumerate(_order(pairs, seed)):
        yield Progress("measuring", index, pairs, "pairs")
        if a_first:
            a = run_a()
            b = run_b()
        else:
            b = run_b()
            a = run_a()
        measured.append((a, b))
    return measured


def comparison_of(
    a: Sequence[float], b: Sequence[float], seed: int, *, confidence: float = 0.95, resamples: int = _RESAMPLES
) -> Comparison:
    """Compare costs that were measured in pairs.

    Parameters
    ----------
    a, b : sequence of float
        Costs over 0, pair by pair.
    seed : int
        Of the bootstrap.
    confidence : float
        Of the interval, 0..1.
    resamples : int
        Bootstrap samples of the pairs.

    Returns
    -------
    Comparison
        The median log ratio with its percentile interval (Efron, "Bootstrap Methods", 1979), as an improvement. The
        median, because one run that another program slowed down must not decide.

    Raises
    ------
    UsageError
        When there are too few pairs or a cost is not a number over 0.
    """
    if len(a) < MIN_PAIRS or len(a) != len(b):
        raise UsageError(f"{len(a)} and {len(b)} costs are no {MIN_PAIRS} pairs or more; measure both equally often")
    log_ratios = np.log(_costs(b, "B")) - np.log(_costs(a, "A"))
    draws = np.random.default_rng(seed).integers(0, len(a), (resamples, len(a)))
    medians = np.median(log_ratios[draws], axis=1)
    tail = (1 - confidence) / 2
    # More cost in B is less improvement: the interval turns over.
    high, low = (float(-np.expm1(bound)) for bound in np.quantile(medians, [tail, 1 - tail]))
    return Comparison(tuple(a), tuple(b), float(-np.expm1(np.median(log_ratios))), low, high, confidence)


def _order(pairs: int, seed: int) -> list[bool]:
    first = np.random.default_rng(seed).integers(0, 2, (pairs + 1) // 2).astype(bool)
    return [bool(a_first) for block in first for a_first in (block, not block)][:pairs]


def _costs(values: ArrayLike, name: str) -> Floats:
    costs = np.asarray(values, np.float64)
    if not (np.isfinite(costs) & (costs > 0)).all():
        raise UsageError(f"a run of {name} cost {costs.min()}, which cannot be compared; measure more work in each run")
    return costs
