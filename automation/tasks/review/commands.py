"""The command ``review``: judge a file, a symbol, the current diff or the whole repository."""

from __future__ import annotations

import time
from collections.abc import Generator

from automation.codebase.scopes import resolve_scope
from automation.tasks.review.checks import Check, run_checks
from automation.tasks.review.complexity import ComplexityCheck
from automation.tasks.review.coverage import CoverageCheck
from automation.tasks.review.dead_code import DeadCodeCheck
from automation.tasks.review.dependencies import DependenciesCheck
from automation.tasks.review.docstrings import DocstringsCheck
from automation.tasks.review.duplication import DuplicationCheck
from automation.tasks.review.ground import Ground
from automation.tasks.review.lint import LintCheck
from automation.tasks.review.remarks import Remarks, ask_for_remarks
from automation.tasks.review.requests import ReviewRequest
from automation.tasks.review.results import ReviewResult
from automation.tasks.review.security import SecurityCheck
from automation.tasks.review.tools import Tools
from automation.tasks.review.type_checks import TypesCheck
from trading.commands import Progress
from trading.setting_sources import data_home


def review(request: ReviewRequest) -> Generator[Progress, None, ReviewResult]:
    """Measure how good code is.

    Parameters
    ----------
    request : ReviewRequest
        What is judged, and how.

    Yields
    ------
    Progress
        While the checks run side by side.

    Returns
    -------
    ReviewResult
        The score and what it is made of.
    """
    began = time.perf_counter()
    yield Progress("reading the code")
    scope = resolve_scope(request.path, request.target, diff=request.diff, home=request.home)
    if not scope.files:
        return ReviewResult(scope.label, 0, 0, (), Remarks(), time.perf_counter() - began, request.fail_under)
    ground = Ground(scope, data_home(request.home) / "review")
    parts = yield from run_checks(all_checks(request), ground, Tools(request.max_minutes * 60))
    yield Progress("asking the model for its remarks")
    remarks = ask_for_remarks(ground, request.model, request.home)
    lines = ground.lines_of(ground.files.values())
    seconds = time.perf_counter() - began
    return ReviewResult(
        scope.label, len(scope.files), lines, parts, remarks, seconds, request.fail_under, request.limit
    )


def all_checks(request: ReviewRequest) -> tuple[Check, ...]:
    """Return the checks of a review, the slow ones first."""
    return (
        TypesCheck(),
        CoverageCheck(request),
        SecurityCheck(),
        LintCheck(),
        ComplexityCheck(),
        DuplicationCheck(),
        DeadCodeCheck(),
        DocstringsCheck(),
        DependenciesCheck(),
    )
