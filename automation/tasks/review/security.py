"""Security: bandit's rules, weighed by severity and confidence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

from automation.tasks.review.findings import Finding, Findings, Severity, density_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.kept import Kept, digest_of
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
        reported = [entry for entry in _reported(ground, files, tools) if not _is_import(entry)]
        held = ground.inside(_finding(ground, entry) for entry in reported)
        found = tuple(each for each in held if not _answered(files[each.path].lines, each))
        lines = ground.lines_of(files.values())
        counts = ", ".join(
            f"{sum(each.severity is severity for each in found)} {name.lower()}"
            for name, severity in _SEVERITIES.items()
        )
        figure = f"{counts}; {len(held) - len(found)} answered by a noqa, in {lines:,} lines"
        return Findings(self.name, self.weight, figure, density_score(found, lines, _HALF), found)


def _reported(ground: Ground, files: Mapping[str, ParsedFile], tools: Tools) -> Iterator[Mapping[str, object]]:
    """Yield bandit's entries; it looks at one file at a time, so that its answer holds until that changes."""
    kept = Kept(ground.kept_file, f"bandit {version('bandit')}" if find_spec("bandit") else "bandit")
    digests = {path: digest_of(file.text) for path, file in files.items()}
    known = kept.get(digests.values())
    new = sorted(path for path, digest in digests.items() if digest not in known)
    if new:
        output = tools.run("bandit", ["--quiet", "--format", "json", "--", *new], ground.root, good=(0, 1))
        by_path: dict[str, list[object]] = {path: [] for path in new}
        for entry in json.loads(output.text[output.text.index("{") :])["results"]:
            by_path[ground.relative(entry["filename"])].append({**entry, "code": ""})
        fresh: dict[str, object] = {digests[path]: entries for path, entries in by_path.items()}
        kept.put(fresh)
        known |= fresh
    for path, digest in digests.items():
        entries = known[digest]
        for entry in entries if isinstance(entries, list) else ():
            yield {**entry, "filename": path}


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
