"""Rank the lines and functions that may hold a fault: spectrum, tracebacks, recent changes and structure together."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from automation.codebase.sources import read_source
from automation.codebase.suite_files import is_test_path
from automation.errors import EditRefused
from automation.incidents.records import Outcome, TestReport, TestResult
from automation.repair import traces
from automation.repair.reach import called_by_tests, constants_read, shared, unrun_branches
from automation.repair.records import Place
from automation.repair.spectrum import Counts, suspicion
from automation.repair.statements import Statement, by_line, statements_of

MOST_PLACES = 400

# The parts of a score. A traceback says much, but the line that raised is often only where the fault came out.
_SPECTRUM, _TRACEBACK, _RECENT, _NAMED = 0.55, 0.28, 0.12, 0.05
_LATER = 0.03
_AT_IMPORT = 0.3


@dataclass(frozen=True, slots=True)
class FunctionRank:
    """A function under suspicion.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    function : str
        Dotted name, ``""`` for module level.
    score : float
        0..1.
    lines : tuple of int
        Its suspicious lines, most suspicious first.
    """

    path: str
    function: str
    score: float
    lines: tuple[int, ...]


def localise(
    report: TestReport, tree: Path, recent: Mapping[str, Mapping[int, float]], targets: Collection[str]
) -> tuple[Place, ...]:
    """Rank the lines that may hold the fault behind failing tests.

    Parameters
    ----------
    report : TestReport
        A run with line traces; passing tests sharpen the ranking but none is needed.
    tree : Path
        The repository as it was when the report was made.
    recent : mapping of str to mapping of int to float
        Path and line to how recently it changed, 0..1.
    targets : collection of str
        Node ids of the failing tests that belong to this fault.

    Returns
    -------
    tuple of Place
        At most `MOST_PLACES`, most suspicious first, the top score being 1. A line's score is the weighted sum of
        `suspicion` over the traced tests, the tracebacks, recent changes and whether a failing test calls its
        function by name, times the weight of its kind of statement. Conditions and assignments that a suspicious
        statement depends on, constants and defaults that a suspicious function reads, and branches that were never
        taken get a share.
    """
    failing = [test for test in report.tests if test.node_id in targets and test.failed]
    if not failing:
        return ()
    broken = traces.unparsable(failing, tree)
    if broken:
        return _ranked([Place(path, line, "", score, ("does not parse",)) for (path, line), score in broken.items()])
    modules = dict(_modules(_paths(failing, tree), tree))
    passing = [test for test in report.tests if test.outcome is Outcome.PASSED and test.lines]
    named = called_by_tests(failing, tree)
    pointed = traces.traced_back(failing)
    pointed.update(traces.hanging_loops(failing, {path: module.tree for path, module in modules.items()}))
    for path, module in modules.items():
        _score(module, _Seen(failing, passing, pointed, recent.get(path, {}), named))
    _spread(modules)
    for path, name in traces.missing_names(failing, tree):
        _near_misses(modules, path, name)
    if not any(score for module in modules.values() for score in module.scores):
        _by_name(modules, named)
    return _ranked([place for module in modules.values() for place in module.places()])


def functions(places: Sequence[Place]) -> tuple[FunctionRank, ...]:
    """Rank functions by their lines.

    Parameters
    ----------
    places : sequence of Place
        From `localise`.

    Returns
    -------
    tuple of FunctionRank
        Most suspicious first; a score is 0.7 of its best line plus 0.3 of the mean of its best three.
    """
    groups: dict[tuple[str, str], list[Place]] = {}
    for place in places:
        groups.setdefault((place.path, place.function), []).append(place)
    ranks = []
    for (path, function), group in groups.items():
        group.sort(key=lambda place: (-place.score, place.line))
        best = group[:3]
        score = 0.7 * best[0].score + 0.3 * sum(place.score for place in best) / len(best)
        ranks.append(FunctionRank(path, function, score, tuple(place.line for place in group)))
    return tuple(sorted(ranks, key=lambda rank: (-rank.score, rank.path, rank.lines[0])))


@dataclass(slots=True)
class _Module:
    path: str
    text: str
    tree: ast.Module
    statements: tuple[Statement, ...]
    scores: list[float] = field(default_factory=list)
    reasons: list[list[str]] = field(default_factory=list)
    ran: list[bool] = field(default_factory=list)

    def raise_to(self, index: int, score: float, reason: str) -> None:
        if score > self.scores[index]:
            self.scores[index] = score
            self.reasons[index].append(reason)

    def places(self) -> Iterator[Place]:
        spans: dict[str, list[int]] = {}
        for statement in self.statements:
            spans.setdefault(statement.function, []).append(statement.first)
        for statement, score, reasons in zip(self.statements, self.scores, self.reasons, strict=True):
            if score <= 0:
                continue
            lines = spans[statement.function]
            later = (statement.first - lines[0]) / max(1, lines[-1] - lines[0])
            worth = score * statement.weight * (1 - _LATER + _LATER * later)
            for line in range(statement.first, statement.last + 1):
                yield Place(self.path, line, statement.function, worth, tuple(reasons))


@dataclass(frozen=True, slots=True)
class _Seen:
    failing: Sequence[TestResult]
    passing: Sequence[TestResult]
    pointed: traces.Lines
    recent: Mapping[int, float]
    named: frozenset[str]


def _paths(failing: Sequence[TestResult], tree: Path) -> list[str]:
    paths = {path for test in failing for path in test.lines}
    paths |= {frame.path for test in failing for raised in test.chain for frame in traces.own_frames(raised.frames)}
    paths |= {path for path, _ in traces.missing_names(failing, tree)}
    for path in sorted(paths) or [test.node_id.split("::")[0] for test in failing]:
        paths |= set(_imported(tree, path))
    return sorted(path for path in paths if not is_test_path(path))


def _imported(tree: Path, path: str) -> Iterator[str]:
    try:
        module = ast.parse((tree / path).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(module):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = Path(path).parts[: -node.level] if node.level <= len(Path(path).parts) else ()
                base = ".".join([*package, *([base] if base else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)] if base else []
        for name in names:
            found = traces.module_path(tree, name) if name else None
            if found is not None:
                yield found


def _modules(paths: Sequence[str], tree: Path) -> Iterator[tuple[str, _Module]]:
    for path in paths:
        try:
            text = read_source(tree, path).text
            statements = statements_of(text)
        except (OSError, SyntaxError, ValueError, EditRefused):
            continue
        count = len(statements)
        yield (
            path,
            _Module(
                path, text, ast.parse(text), statements, [0.0] * count, [[] for _ in range(count)], [False] * count
            ),
        )


def _score(module: _Module, seen: _Seen) -> None:
    where = by_line(module.statements)
    failed = [_ran(test, module.path, where) for test in seen.failing]
    passed = [_ran(test, module.path, where) for test in seen.passing]
    for index, statement in enumerate(module.statements):
        failed_ran = sum(index in ran for ran in failed)
        passed_ran = sum(index in ran for ran in passed)
        module.ran[index] = failed_ran > 0
        counts = Counts(failed_ran, len(failed) - failed_ran, passed_ran, len(passed) - passed_ran)
        # Import-time lines run for whichever test imports first, so that their spectrum says little.
        at_import = not statement.function or statement.kind == "header"
        share = _SPECTRUM * _AT_IMPORT if at_import else _SPECTRUM
        parts = share * suspicion(counts)
        if failed_ran:
            module.reasons[index].append(
                f"ran in {failed_ran} of {len(failed)} failing tests, {passed_ran} of {len(passed)} passing"
            )
        lines = range(statement.first, statement.last + 1)
        pointed = max((seen.pointed.get((module.path, line), 0.0) for line in lines), default=0.0)
        if pointed:
            parts += _TRACEBACK * pointed
            module.reasons[index].append("traceback")
        if parts:
            parts += _beside(module, index, seen, lines)
        module.scores[index] = parts


def _beside(module: _Module, index: int, seen: _Seen, lines: range) -> float:
    recency = max((seen.recent.get(line, 0.0) for line in lines), default=0.0)
    if recency:
        module.reasons[index].append("changed recently")
    statement = module.statements[index]
    if statement.kind != "header" and statement.function and statement.function.rsplit(".", 1)[-1] in seen.named:
        module.reasons[index].append("its function is called by a failing test")
        return _RECENT * recency + _NAMED
    return _RECENT * recency


def _ran(test: TestResult, path: str, where: Mapping[int, Sequence[int]]) -> frozenset[int]:
    return frozenset(index for line in test.lines.get(path, ()) for index in where.get(line, ()))


def _spread(modules: Mapping[str, _Module]) -> None:
    base = {path: tuple(module.scores) for path, module in modules.items()}
    for path, module in modules.items():
        for share in shared(module.statements, base[path]):
            module.raise_to(share.index, share.score, share.reason)
        for share in unrun_branches(module.statements, base[path], module.ran):
            module.raise_to(share.index, share.score, share.reason)
    readers = {path: (module.statements, base[path]) for path, module in modules.items()}
    for path, module in modules.items():
        for share in constants_read(path, readers):
            module.raise_to(share.index, share.score, share.reason)


def _near_misses(modules: Mapping[str, _Module], path: str, name: str) -> None:
    module = modules.get(path)
    if module is None:
        return
    for index, statement in enumerate(module.statements):
        close = difflib.get_close_matches(name, {*statement.writes, statement.function}, 1, 0.6)
        if statement.function == "" or close:
            module.raise_to(index, 0.5 if close else 0.2, f"{path} lacks {name}")


def _by_name(modules: Mapping[str, _Module], named: frozenset[str]) -> None:
    for module in modules.values():
        for index, statement in enumerate(module.statements):
            if statement.function.rsplit(".", 1)[-1] in named:
                module.raise_to(index, 0.3, "its function is called by a failing test")
            elif statement.function:
                module.raise_to(index, 0.1, "its module is imported by a failing test")


def _ranked(places: Sequence[Place]) -> tuple[Place, ...]:
    top = max((place.score for place in places), default=0.0)
    if top <= 0:
        return ()
    best: dict[tuple[str, int], Place] = {}
    for place in places:
        key = (place.path, place.line)
        if key not in best or best[key].score < place.score:
            best[key] = place
    ordered = sorted(best.values(), key=lambda place: (-place.score, place.path, place.line))[:MOST_PLACES]
    return tuple(Place(place.path, place.line, place.function, place.score / top, place.reasons) for place in ordered)
