"""How suspicious a statement is from which tests ran it: Ochiai and DStar."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Over the traced tests, how often one element ran.

    Parameters
    ----------
    failed_ran, failed_not : int
        Failing tests that ran it and that did not.
    passed_ran, passed_not : int
        Passing tests that ran it and that did not.
    """

    failed_ran: int
    failed_not: int
    passed_ran: int
    passed_not: int = 0


def ochiai(counts: Counts) -> float:
    """Return Ochiai's coefficient.

    Parameters
    ----------
    counts : Counts
        Of one element.

    Returns
    -------
    float
        0..1; 0 where the coefficient is undefined because no failing test ran the element.

    Notes
    -----
    ``ef / sqrt((ef + nf) (ef + ep))``: R. Abreu, P. Zoeteweij, A. van Gemund, "An Evaluation of Similarity
    Coefficients for Software Fault Localization" (2006) and "On the Accuracy of Spectrum-based Fault
    Localization" (2007).
    """
    if counts.failed_ran == 0:
        return 0.0
    failed = counts.failed_ran + counts.failed_not
    return counts.failed_ran / math.sqrt(failed * (counts.failed_ran + counts.passed_ran))


def dstar(counts: Counts, star: int = 2) -> float:
    """Return DStar, which weighs agreement with failing tests more the larger ``star`` is.

    Parameters
    ----------
    counts : Counts
        Of one element.
    star : int
        The exponent; 2 is the authors' choice.

    Returns
    -------
    float
        From 0; infinite when every failing test and no passing test ran the element, 0 when no failing test did.

    Notes
    -----
    ``ef^star / (ep + nf)``: W. Wong, V. Debroy, R. Gao, Y. Li, "The DStar Method for Effective Software Fault
    Localization" (2014).
    """
    if counts.failed_ran == 0:
        return 0.0
    against = counts.passed_ran + counts.failed_not
    return math.inf if against == 0 else counts.failed_ran**star / against


def suspicion(counts: Counts) -> float:
    """Return both measures as one number.

    Parameters
    ----------
    counts : Counts
        Of one element.

    Returns
    -------
    float
        0..1: the mean of Ochiai and of ``d / (d + F)`` with ``d`` = DStar and ``F`` failing tests, a monotone map of
        DStar onto 0..1 that sends infinity to 1.
    """
    star = dstar(counts)
    failed = counts.failed_ran + counts.failed_not
    bounded = 1.0 if math.isinf(star) else star / (star + failed) if failed else 0.0
    return (ochiai(counts) + bounded) / 2
