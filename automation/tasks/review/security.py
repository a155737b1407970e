"""Security: bandit's rules, weighed by severity and confidence."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from automation.tasks.review.findings import Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground
from automation.tasks.review.tools import Tools

_HALF = 3.0
_SEVERITIES = {"HIGH": Severity.ERROR, "MEDIUM": Severity.WARNING, "LOW": Severity.INFO}
_CONFIDENCES = {"HIGH": 1.0, "MEDIUM": 0.6, "LOW": 0.3}
_NOQA = re.compile(r"#\s*noqa(?P<codes>:\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?", re.IGNORECASE)
# That a module is imported is no weakness; what is done with it is reported beside.
_IMPORTS_ALONE = re.compile(r"B40\d")


@dataclass(frozen=True, slots=True)
class SecurityCheck:
    """bandit's findings in code that is no test, without those that a ``noqa`` of the same rule answers."""

    name: str = "security"
    weight: float = 2.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Run bandit on the scope's files."""
        files = ground.require_product()
        output = tools.run("bandit", ["--quiet", "--format", "json", "--", *sorted(files)], ground.root, good=(0, 1))
        text = output.text
        reported = [entry for entry in json.loads(text[text.index("{") :])["results"] if not _is_import(entry)]
        held = ground.inside(_finding(ground, entry) for entry in reported)
        found = tuple(each for each in held if not _answered(files[each.path].lines, each))
        lines = ground.lines_of(files.values())
        counts = ", ".join(
            f"{sum(each.severity is severity for each in found)} {name.lower()}"
            for name, severity in _SEVERITIES.items()
        )
        figure = f"{counts}; {len(held) - len(found)} answered by a noqa, in {lines:,} lines"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


def _is_import(entry: Mapping[str, object]) -> bool:
    return bool(_IMPORTS_ALONE.match(str(entry["test_id"])))


def _finding(ground: Ground, entry: Mapping[str, object]) -> Finding:
    span = entry.get("line_range")
    lines = [number for number in span if isinstance(number, int)] if isinstance(span, list) else []
    line = int(str(entry["line_number"]))
    return Finding(
        path=ground.relative(str(entry["filename"])),
        line=line,
        column=int(str(entry.get("col_offset", 0))) + 1,
        severity=_SEVERITIES.get(str(entry["issue_severity"]), Severity.INFO),
        message=" ".join(str(entry["issue_text"]).split()),
        rule=str(entry["test_id"]),
        confidence=_CONFIDENCES.get(str(entry["issue_confidence"]), 0.3),
        end_line=max([line, *lines]),
    )


def _answered(lines: list[str], finding: Finding) -> bool:
    # ruff's S603 is bandit's B603: whoever answered the one has answered the other
    return any(_silences(line, finding.rule) for line in lines[finding.line - 1 : finding.end_line])


def _silences(line: str, rule: str) -> bool:
    match = _NOQA.search(line)
    if match is None:
        return False
    codes = re.findall(r"[A-Z]+\d+", (match["codes"] or "").upper())
    return not codes or rule in codes or f"S{rule[1:]}" in codes
