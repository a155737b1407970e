"""Complexity: McCabe's number of each function, counted from its syntax tree."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import NamedTuple

from automation.tasks.review.findings import Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile, outer_functions
from automation.tasks.review.tools import Tools

_HALF = 5.0
_USUAL_LIMIT = 10
_TOPIC = "complexity 1"
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.FunctionDef, ast.AsyncFunctionDef)


class _Measured(NamedTuple):
    """A function's place and its number."""

    path: str
    name: str
    line: int
    column: int
    end_line: int
    number: int


@dataclass(frozen=True, slots=True)
class ComplexityCheck:
    """Functions with more ways through them than the repository allows; twice as many are an error."""

    name: str = "complexity"
    weight: float = 1.5

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Count every function of the scope that is no test."""
        files = ground.require_product().values()
        limit = _limit(ground)
        measured = [
            _Measured(path, *row)
            for path, rows in ground.facts(_TOPIC, files, _measured).items()
            for row in rows
            if ground.scope.holds(path, row[1], row[3])
        ]
        found = ground.inside(_finding(each, limit) for each in measured if each.number > limit)
        lines = ground.lines_of(files)
        worst = max((each.number for each in measured), default=0)
        mean = sum(each.number for each in measured) / max(len(measured), 1)
        figure = f"{len(measured):,} functions, mean {mean:.1f}, worst {worst}; {len(found)} over {limit}"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


def complexity(function: _Function) -> int:
    """Return the cyclomatic complexity of a function: 1, and 1 more for each branch.

    Branches are statements, as ruff's C901 counts them, so that a limit means the same here and there; a function
    inside adds 1 and its own branches. Source: McCabe, "A Complexity Measure", IEEE Transactions on Software
    Engineering SE-2 (4), 1976.
    """
    number = 0
    for node in ast.walk(function):
        if isinstance(node, _BRANCHES):
            number += 1
        elif isinstance(node, ast.Try | ast.TryStar):
            number += bool(node.orelse)
        elif isinstance(node, ast.Match):
            number += len(node.cases) - _catches_all(node.cases[-1])
    return number


def _catches_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _limit(ground: Ground) -> int:
    lint = ground.tool("ruff").get("lint")
    for table in (lint, ground.tool("ruff")):
        mccabe = table.get("mccabe") if isinstance(table, dict) else None
        limit = mccabe.get("max-complexity") if isinstance(mccabe, dict) else None
        if isinstance(limit, int) and limit > 0:
            return limit
    return _USUAL_LIMIT


def _measured(file: ParsedFile) -> list[tuple[str, int, int, int, int]]:
    return [
        (each.name, each.lineno, each.col_offset + 1, each.end_lineno or each.lineno, complexity(each))
        for each in outer_functions(file.tree)
    ]


def _finding(each: _Measured, limit: int) -> Finding:
    severity = Severity.ERROR if each.number > 2 * limit else Severity.WARNING
    message = f"{each.name} has a complexity of {each.number}, more than {limit}; take a part out of it"
    return Finding(each.path, each.line, each.column, severity, message, "complexity", end_line=each.end_line)
