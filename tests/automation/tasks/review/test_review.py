"""A review of a small repository of its own, with the real tools."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from automation.tasks.review.commands import review
from automation.tasks.review.findings import Finding
from automation.tasks.review.requests import ReviewRequest
from automation.tasks.review.results import ReviewResult
from trading.commands import result_of
from trading.errors import ExitCode

_CODE = '''"""Prices."""

import os
import subprocess

import requests

API_PASSWORD = "hunter2hunter2"


def tidy(rows: list[int]) -> list[int]:
    """Return the rows in order."""
    return sorted(rows)


def run(words):
    return subprocess.run(words, shell=True)


def answered(words):
    return subprocess.run(words)  # noqa: S603


def _forgotten():
    return requests.get("https://example.org", timeout=3)


def maze(a, b, c):
    if a:
        for x in b:
            if x:
                while c:
                    if x > a:
                        return 1
                    c -= 1
    return 0


print(tidy([2, 1]), run, answered, maze)
'''
_PROJECT = """
[project]
name = "prices"
dependencies = ["attrs"]

[tool.ruff.lint.mccabe]
max-complexity = 5
"""


def git(root: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *words]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("prices")
    (root / "prices.py").write_text(_CODE)
    (root / "pyproject.toml").write_text(_PROJECT)
    (root / "tests").mkdir()
    (root / "tests" / "test_prices.py").write_text(
        "from prices import tidy\n\n\ndef test_tidy():\n    assert tidy([2, 1]) == [1, 2]\n"
    )
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


@pytest.fixture(scope="module")
def whole(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> ReviewResult:
    home = tmp_path_factory.mktemp("home")
    return result_of(review(ReviewRequest(path=repository, home=home, model="none", fail_under=9.9)))  # type: ignore[return-value]


def found(result: ReviewResult, part: str) -> set[tuple[str, int]]:
    (findings,) = (each for each in result.parts if each.name == part)
    return {(finding.rule, finding.line) for finding in findings.findings}


def test_every_kind_of_fault_is_found_at_its_line(whole: ReviewResult) -> None:
    assert found(whole, "lint") >= {("F401", 3)}
    assert ("B602", 17) in found(whole, "security")
    assert found(whole, "dead code") == {("unused", 3), ("unused", 24)}
    assert found(whole, "complexity") == {("complexity", 28)}
    assert found(whole, "docstrings") == {("docstring", 16), ("docstring", 20), ("docstring", 28)}
    assert found(whole, "dependencies") == {("undeclared", 6), ("unused-dependency", 4), ("unbounded", 4)}


def test_security_finding_that_a_noqa_answers_is_not_repeated(whole: ReviewResult) -> None:
    assert not {line for rule, line in found(whole, "security") if rule == "B603"} & {21}


def test_what_cannot_be_measured_is_skipped_with_a_reason_and_never_scored(whole: ReviewResult) -> None:
    skipped = {part.name: part for part in whole.parts if part.score is None}
    assert set(skipped) == {"types", "tests"}
    assert "set up" in skipped["types"].skipped
    assert "no coverage file" in skipped["tests"].skipped


def test_score_is_the_weighted_mean_of_the_measured_parts(whole: ReviewResult) -> None:
    measured = [part for part in whole.parts if part.score is not None]
    mean = sum(part.score * part.weight for part in measured) / sum(part.weight for part in measured)
    assert whole.score == round(mean, 2)
    assert 0 < whole.score < 9.9


def test_a_score_under_the_limit_ends_with_1(whole: ReviewResult) -> None:
    assert whole.exit_code is ExitCode.FAILED


def test_json_is_plain_and_says_what_was_not_audited(whole: ReviewResult) -> None:
    told = json.loads(json.dumps(whole.as_json(), allow_nan=False))
    figures = {part["name"]: part["figure"] for part in told["parts"]}
    assert "known vulnerabilities" in figures["dependencies"]


def test_the_next_review_of_the_same_files_says_the_same(repository: Path, whole: ReviewResult) -> None:
    def told(result: ReviewResult) -> list[tuple[str, str, float | None, tuple[Finding, ...]]]:
        return [(part.name, part.figure, part.score, part.findings) for part in result.parts]

    again = result_of(review(ReviewRequest(path=repository, home=repository.parent / "again", model="none")))
    once_more = result_of(review(ReviewRequest(path=repository, home=repository.parent / "again", model="none")))
    assert told(again) == told(once_more) == told(whole)


@pytest.mark.parametrize("width", [60, 200])
def test_findings_are_one_line_each_that_an_editor_reads(whole: ReviewResult, width: int) -> None:
    target = io.StringIO()
    Console(file=target, width=width).print(whole.as_text())
    lines = [line.rstrip() for line in target.getvalue().splitlines() if line.startswith("prices.py:")]
    assert len(lines) >= 10
    for line in lines:
        place, severity, rest = line.split(": ", 2)
        assert place.count(":") == 2
        assert severity in {"error", "warning", "info"}
        assert rest.endswith("]")


def test_only_changed_lines_count_in_the_diff(repository: Path, tmp_path: Path) -> None:
    file = repository / "prices.py"
    try:
        file.write_text(_CODE + "\n\ndef late(rows):\n    return tidy(undefined)\n")
        request = ReviewRequest(path=repository, home=tmp_path, model="none", diff=True)
        result = result_of(review(request))
    finally:
        file.write_text(_CODE)
    assert result.scope == "the current diff"
    assert {finding.line for finding in result.findings} == {42, 43}
    assert "F821" in {finding.rule for finding in result.findings}


def test_empty_diff_is_nothing_to_do(repository: Path, tmp_path: Path) -> None:
    result = result_of(review(ReviewRequest(path=repository, home=tmp_path, model="none", diff=True, fail_under=5)))
    assert result.exit_code is ExitCode.NOTHING_TO_DO


def test_review_writes_nothing_into_the_repository(repository: Path, whole: ReviewResult) -> None:
    said = subprocess.run(["git", "status", "--short", "--ignored"], cwd=repository, capture_output=True, text=True)
    assert said.stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize("lent", ["", "what no mypy wrote"])
def test_types_are_checked_by_the_repositorys_own_mypy(tmp_path: Path, lent: str) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\ndisallow_untyped_defs = true\n")
    (tmp_path / "sums.py").write_text('"""Sums."""\n\n\ndef add(a: int) -> str:\n    """Add."""\n    return a\n')
    if lent:
        # a cache that lies in the repository may hold anything
        own = tmp_path / ".mypy_cache" / f"{sys.version_info.major}.{sys.version_info.minor}"
        own.mkdir(parents=True)
        for name in ("sums.meta.json", "sums.data.json", "sums.meta.ff", "cache.db", "@plugins_snapshot.json"):
            (own / name).write_text(lent)
    result = result_of(review(ReviewRequest(path=tmp_path, home=tmp_path / "home", model="none")))
    assert found(result, "types") == {("return-value", 6)}


@pytest.mark.slow
def test_tests_are_run_in_the_sandbox_when_asked(repository: Path, tmp_path: Path) -> None:
    request = ReviewRequest(path=repository, home=tmp_path, model="none", with_tests=True, python=Path(sys.executable))
    result = result_of(review(request))
    (part,) = (each for each in result.parts if each.name == "tests")
    assert "1 of 1 tests passed" in part.figure
    assert ("coverage", 11) not in found(result, "tests")
    assert ("coverage", 28) in found(result, "tests")
