"""Tests: the share of statements in functions that the tests run."""

from __future__ import annotations

import ast
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from automation.codebase.limits import Limits
from automation.codebase.workspaces import close_workspace, open_workspace, work_folder
from automation.errors import AutomationError
from automation.incidents.suites import run_suite, suite_settings
from automation.tasks.review.findings import CheckSkipped, Finding, Findings, Severity, share_score
from automation.tasks.review.ground import Ground, ParsedFile, decorator_word, outer_functions
from automation.tasks.review.requests import ReviewRequest
from automation.tasks.review.tools import Tools
from trading.setting_sources import data_home

Lines = Mapping[str, frozenset[int]]
_BITS = 8
# No measurement sees inside what numba compiled.
_COMPILED = frozenset({"njit", "jit", "vectorize", "guvectorize", "cfunc"})


@dataclass(frozen=True, slots=True)
class CoverageCheck:
    """What the tests run, from a fresh coverage file, or from a run of them in the sandbox.

    Parameters
    ----------
    request : ReviewRequest
        Says whether, and how, they are run.
    """

    request: ReviewRequest
    name: str = "tests"
    weight: float = 2.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Measure the scope's functions that are no tests."""
        files = ground.require_product()
        ran, source = _by_running(ground, self.request) if self.request.with_tests else _by_file(ground)
        bare: list[Finding] = []
        good = total = 0
        for file in files.values():
            seen = ran.get(file.path, frozenset())
            for function in _seen_functions(file):
                wanted = [each for each in _statements(function) if ground.scope.holds(file.path, each[0])]
                missed = [first for first, last in wanted if not any(line in seen for line in range(first, last + 1))]
                total += len(wanted)
                good += len(wanted) - len(missed)
                if missed:
                    bare.append(_finding(file, function, len(missed), len(wanted)))
        if not total:
            raise CheckSkipped("it holds no function that a test could run")
        figure = f"{good / total:.0%} of {total:,} statements in functions are run ({source})"
        return Findings(self.name, self.weight, figure, share_score(good, total), ground.inside(bare))


def _by_file(ground: Ground) -> tuple[Lines, str]:
    run = ground.tool("coverage").get("run")
    named = run.get("data_file") if isinstance(run, dict) else None
    file = ground.root / (named if isinstance(named, str) else ".coverage")
    advice = "measure anew with `coverage run -m pytest`, or review --with-tests"
    if not file.is_file():
        raise CheckSkipped(f"there is no coverage file; {advice}")
    made = file.stat().st_mtime
    later = [path for path in ground.product if (ground.root / path).stat().st_mtime > made]
    if later:
        raise CheckSkipped(f"{file.name} is older than {later[0]} and {len(later) - 1} other files; {advice}")
    try:
        return _recorded(ground, file), file.name
    except sqlite3.Error as error:
        raise CheckSkipped(f"{file.name} cannot be read: {error}; {advice}") from error


def _recorded(ground: Ground, file: Path) -> Lines:
    """Read a coverage file, whose tables coverage.py documents ("The database schema")."""
    found: dict[str, set[int]] = {}
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
        paths = {number: ground.relative(path) for number, path in database.execute("SELECT id, path FROM file")}
        for number, bits in database.execute("SELECT file_id, numbits FROM line_bits"):
            found.setdefault(paths[number], set()).update(_numbers(bits))
        for number, start, end in database.execute("SELECT file_id, fromno, tono FROM arc"):
            found.setdefault(paths[number], set()).update(line for line in (start, end) if line > 0)
    return {path: frozenset(lines) for path, lines in found.items()}


def _numbers(bits: bytes) -> Iterator[int]:
    for place, byte in enumerate(bits):
        yield from (place * _BITS + bit for bit in range(_BITS) if byte & (1 << bit))


def _by_running(ground: Ground, request: ReviewRequest) -> tuple[Lines, str]:
    home = data_home(request.home)
    wall_s = request.max_minutes * 60
    try:
        workspace = open_workspace(ground.root, work_folder(home, f"review-{uuid4().hex[:12]}"))
        try:
            limits = Limits(wall_s=wall_s, cpu_s=max(1, round(wall_s)))
            settings = suite_settings(workspace.tree, ground.root, request.tests, request.python, limits=limits)
            report = run_suite(workspace.tree, settings, trace={"lines": True, "values": False, "only": None})
        finally:
            close_workspace(workspace)
    except AutomationError as error:
        raise CheckSkipped(f"the tests were not run: {error}") from error
    if report.problem or not report.tests:
        raise CheckSkipped(f"the tests were not run: {report.problem or 'none was collected'}")
    found: dict[str, set[int]] = {}
    for test in report.tests:
        for path, lines in test.lines.items():
            found.setdefault(path, set()).update(lines)
    ended = f"{len(report.passed)} of {len(report.tests)} tests passed"
    cut = "" if report.complete else ", stopped early"
    return {path: frozenset(lines) for path, lines in found.items()}, ended + cut


def _seen_functions(file: ParsedFile) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for function in outer_functions(file.tree):
        if not _COMPILED.intersection(map(decorator_word, function.decorator_list)):
            yield function


def _statements(function: ast.AST) -> Iterator[tuple[int, int]]:
    """Yield the first and last line of each statement's own part: a block counts by its header."""
    for child in ast.iter_child_nodes(function):
        if isinstance(child, ast.stmt) and not _is_silent(child):
            body = getattr(child, "body", None)
            last = body[0].lineno - 1 if isinstance(body, list) and body else child.end_lineno or child.lineno
            if not isinstance(child, ast.Try | ast.TryStar):
                yield child.lineno, max(child.lineno, last)
        yield from _statements(child)


def _is_silent(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Pass | ast.Global | ast.Nonlocal):
        return True
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _finding(file: ParsedFile, function: ast.FunctionDef | ast.AsyncFunctionDef, missed: int, wanted: int) -> Finding:
    never = missed == wanted
    message = (
        f"no test runs {function.name}" if never else f"tests miss {missed} of {wanted} statements of {function.name}"
    )
    severity = Severity.WARNING if never else Severity.INFO
    end = function.end_lineno or function.lineno
    return Finding(file.path, function.lineno, function.col_offset + 1, severity, message, "coverage", end_line=end)
