"""What suspicion reaches beyond the lines that ran: dependences, branches not taken, constants, calls by tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.incidents.records import TestResult
from automation.repair.statements import Statement, function_named

_GOVERNOR, _DEFINITION, _NOT_TAKEN, _CONSTANT, _DEFAULT = 0.7, 0.65, 0.3, 0.35, 0.4


@dataclass(frozen=True, slots=True)
class Share:
    """A score that a statement gets for another's sake.

    Parameters
    ----------
    index : int
        Of the statement.
    score : float
        0..1.
    reason : str
        For people.
    """

    index: int
    score: float
    reason: str


def shared(statements: Sequence[Statement], scores: Sequence[float]) -> Iterator[Share]:
    """Yield what a suspicious statement hands to the header that governs it and to the definitions it reads.

    Parameters
    ----------
    statements : sequence of Statement
        Of one module.
    scores : sequence of float
        Their own scores.

    Yields
    ------
    Share
        0.7 of the score for the governing header, 0.65 for the latest earlier assignment in the same function to
        each name that the statement reads.
    """
    for index, statement in enumerate(statements):
        if scores[index] <= 0:
            continue
        if statement.governor >= 0:
            yield Share(statement.governor, _GOVERNOR * scores[index], f"decides whether line {statement.first} runs")
        wanted = set(statement.reads)
        for before in range(index - 1, -1, -1):
            earlier = statements[before]
            if not wanted or not statement.function:
                break
            if earlier.function == statement.function and earlier.writes & wanted:
                wanted -= earlier.writes
                yield Share(before, _DEFINITION * scores[index], f"sets what line {statement.first} reads")


def unrun_branches(statements: Sequence[Statement], scores: Sequence[float], ran: Sequence[bool]) -> Iterator[Share]:
    """Yield statements that no failing test ran although the condition above them was evaluated.

    Parameters
    ----------
    statements : sequence of Statement
        Of one module.
    scores : sequence of float
        Their own scores.
    ran : sequence of bool
        Whether a failing test ran each.
    """
    for index, statement in enumerate(statements):
        above = statement.governor
        if above >= 0 and not ran[index] and ran[above] and statement.function:
            yield Share(index, _NOT_TAKEN * scores[above], f"not taken from line {statements[above].first}")


def constants_read(path: str, modules: Mapping[str, tuple[Sequence[Statement], Sequence[float]]]) -> Iterator[Share]:
    """Yield the constants and defaults of a module that suspicious functions read.

    Parameters
    ----------
    path : str
        The module whose constants are looked at.
    modules : mapping of str to (sequence of Statement, sequence of float)
        Every module's statements and scores; another module's functions read a constant by its name.

    Yields
    ------
    Share
        0.35 of the reader's score for module and class level assignments, 0.4 of the function's best for its
        defaults.
    """
    reading: dict[str, float] = {}
    best: dict[str, float] = {}
    for where, (statements, scores) in modules.items():
        for statement, score in zip(statements, scores, strict=True):
            if score > 0 and statement.function:
                for name in statement.reads:
                    reading[name] = max(reading.get(name, 0.0), score)
                if where == path:
                    best[statement.function] = max(best.get(statement.function, 0.0), score)
    for index, statement in enumerate(modules[path][0]):
        if statement.kind == "header":
            yield Share(index, _DEFAULT * best.get(statement.function, 0.0), "a default of a suspicious function")
        elif not statement.function:
            names = statement.writes | {f".{name}" for name in statement.writes}
            score = max((reading.get(name, 0.0) for name in names), default=0.0)
            yield Share(index, _CONSTANT * score, "a constant that a suspicious function reads")


def called_by_tests(tests: Sequence[TestResult], tree: Path) -> frozenset[str]:
    """Return the last parts of the names that failing tests call in their own text.

    Parameters
    ----------
    tests : sequence of TestResult
        Failing ones; a parametrised id is its function's.
    tree : Path
        The repository.
    """
    found: set[str] = set()
    parsed: dict[str, ast.Module] = {}
    for test in tests:
        path, _, inside = test.node_id.partition("::")
        if path not in parsed:
            try:
                parsed[path] = ast.parse((tree / path).read_bytes())
            except (OSError, SyntaxError, ValueError):
                parsed[path] = ast.Module([], [])
        span = function_named(parsed[path], inside.split("[")[0].replace("::", "."))
        for node in ast.walk(span.node if span is not None else parsed[path]):
            if isinstance(node, ast.Call):
                found |= _called(node.func)
    return frozenset(found)


def _called(function: ast.expr) -> set[str]:
    if isinstance(function, ast.Attribute):
        return {function.attr}
    if isinstance(function, ast.Name):
        return {function.id, "__init__"} if function.id[:1].isupper() else {function.id}
    return set()
