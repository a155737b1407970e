"""The HTML report of a run: one file that asks the network for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from automation.pipeline.evidence import evidence_lines
from automation.pipeline.result import FixResult
from trading.report.pages import filled, write_whole


def write_report(result: FixResult, path: Path) -> None:
    """Write the report of a run; an older one is replaced."""
    write_whole(path, render_report(result))


def render_report(result: FixResult) -> str:
    """Return the report of a run as one HTML page; every text of it is escaped."""
    landed = result.landed or {}
    return filled(
        "automation.pipeline",
        "run.html.j2",
        {"moment": _moment, "words": _words, "counts": counts_text},
        result=result,
        title=result.title or str((result.incident or {}).get("title") or "nothing to repair"),
        diff=list(_marked(result.patch)),
        evidence="\n".join(_evidence(result.incident or {})),
        facts=list(evidence_lines(result.evidence)),
        landed=f"{landed['how']} {landed.get('branch') or landed.get('path') or ''}" if landed else "",
        total_s=sum(result.seconds.values()),
        slowest_s=max(result.seconds.values(), default=0.0) or 1.0,
        tried=sum(result.tried.values()),
    )


def counts_text(counts: Mapping[str, int]) -> str:
    """Return the outcomes of a suite in words, such as ``"3 failed, 41 passed"``."""
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.items() if number) or "none"


def _marked(patch: str) -> Iterator[tuple[str, str]]:
    for line in patch.splitlines():
        if line.startswith(("+++ ", "--- ", "@@ ", "diff --git ")):
            yield "where", line
        else:
            yield {"+": "added", "-": "removed"}.get(line[:1], "same"), line


def _evidence(incident: Mapping[str, object]) -> Iterator[str]:
    tests = incident.get("tests")
    yield from (str(test) for test in (tests if isinstance(tests, list | tuple) else ()))
    chain = incident.get("chain")
    for raised in chain if isinstance(chain, list | tuple) else ():
        for frame in raised["frames"]:
            if frame["own"]:
                yield f"  {frame['path']}:{frame['line']} in {frame['function']}"
        yield f"{raised['type']}: {raised['message']}"


def _moment(timestamp_ms: int) -> str:
    return f"{datetime.fromtimestamp(timestamp_ms / 1_000, UTC):%Y-%m-%d %H:%M}"


def _words(name: str) -> str:
    return name.replace("_", " ")
