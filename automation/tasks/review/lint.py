"""Lint: ruff with the repository's own rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from automation.tasks.review.findings import Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground
from automation.tasks.review.tools import Tools

_HALF = 20.0
# What other checks of the review measure: complexity, security, docstrings that are missing.
_ELSEWHERE = re.compile(r"C901|S\d|D10\d")
_CERTAIN_FAULTS = re.compile(r"F|E9|PLE|invalid-syntax|syntax")
_SYNTAX = re.compile(r"syntax|^E999$")
_CONFIGS = ("ruff.toml", ".ruff.toml")


@dataclass(frozen=True, slots=True)
class LintCheck:
    """ruff's findings; a fault that is certain, such as an undefined name, is an error."""

    name: str = "lint"
    weight: float = 2.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Run ruff on the scope's files."""
        files = ["."] if ground.is_whole else list(ground.scope.files)
        arguments = ["check", "--output-format", "json", "--exit-zero", "--no-fix", "--no-cache", "--force-exclude"]
        output = tools.run("ruff", [*arguments, "--", *files], ground.root)
        reported = json.loads(output.text or "[]")
        found = tuple(_first_of_broken(ground.inside(_finding(ground, entry) for entry in reported if _is_ours(entry))))
        missing = [each for each in ground.broken_findings() if not any(one.path == each.path for one in found)]
        found = (*ground.inside(missing), *found)
        own = ground.tool("ruff") or any((ground.root / name).is_file() for name in _CONFIGS)
        lines = ground.lines_of(ground.files.values())
        rules = "its own rules" if own else "ruff's default rules"
        figure = f"{len(found)} findings in {lines:,} lines, {rules}"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


def _first_of_broken(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings with the first alone of those that one fault of the syntax drags along in its file."""
    broken: set[str] = set()
    for finding in findings:
        is_syntax = bool(_SYNTAX.search(finding.rule))
        if not (is_syntax and finding.path in broken):
            yield finding
        if is_syntax:
            broken.add(finding.path)


def _is_ours(entry: dict[str, object]) -> bool:
    return not _ELSEWHERE.match(str(entry["code"]))


def _finding(ground: Ground, entry: dict[str, object]) -> Finding:
    place, rule = entry["location"], str(entry["code"] or "syntax")
    row, column = (int(place[name]) for name in ("row", "column")) if isinstance(place, dict) else (1, 1)
    severity = Severity.ERROR if _CERTAIN_FAULTS.match(rule) else Severity.WARNING
    return Finding(ground.relative(str(entry["filename"])), row, column, severity, str(entry["message"]), rule)
