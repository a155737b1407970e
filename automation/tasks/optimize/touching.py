"""The tests that touch a function: by name first, then by the lines that ran."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from automation.codebase.files import python_files
from automation.codebase.suite_files import is_test_path
from automation.codebase.workspaces import Workspace
from automation.incidents.records import Outcome
from automation.incidents.suites import SuiteSettings, run_suite
from automation.tasks.optimize.profiling import HotFunction

_MOST_FILES, _MOST_TESTS = 12, 40
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Touching:
    """Tests that run lines of a function and pass, quickest first."""

    tests: tuple[str, ...] = ()


def touching_tests(
    workspace: Workspace, settings: SuiteSettings, functions: Sequence[HotFunction], seconds: float
) -> Mapping[HotFunction, Touching]:
    """Find the tests that touch each of some functions.

    Test files that name a function's module or the function itself are run once with their lines traced.

    Parameters
    ----------
    workspace : Workspace
        The private copy.
    settings : SuiteSettings
        How its tests run.
    functions : sequence of HotFunction
        Whose tests are looked for.
    seconds : float
        Most time of the traced run.
    """
    files = _naming(workspace, functions)
    if not files:
        return {each: Touching() for each in functions}
    limits = replace(settings.limits, wall_s=min(settings.limits.wall_s, _LONGEST_S, max(5.0, seconds)))
    trace = {"lines": True, "values": False, "only": sorted({each.path for each in functions})}
    report = run_suite(workspace.tree, replace(settings, limits=limits), tests=files, trace=trace)
    passed = sorted((test for test in report.tests if test.outcome is Outcome.PASSED), key=lambda test: test.duration_s)
    found = {}
    for each in functions:
        body = range(each.line + 1, each.last + 1)
        tests = [test.node_id for test in passed if any(line in body for line in test.lines.get(each.path, ()))]
        found[each] = Touching(tuple(tests[:_MOST_TESTS]))
    return found


def _naming(workspace: Workspace, functions: Sequence[HotFunction]) -> list[str]:
    words: dict[str, int] = {}
    for each in functions:
        # The function's own name says more than its module's.
        words[each.name.rpartition(".")[2]] = 2
        words.setdefault(module_word(each.path), 1)
    return tests_naming(workspace.tree, words)


def module_word(path: str) -> str:
    """Return the name by which others import a file."""
    file = PurePosixPath(path)
    return file.parent.name if file.stem == "__init__" else file.stem


def tests_naming(root: Path, words: Mapping[str, int]) -> list[str]:
    """Return the test files of a repository that hold some words, those with the weightiest words first.

    Parameters
    ----------
    root : Path
        The repository.
    words : mapping of str to int
        Names, and what each is worth.
    """
    patterns = [(re.compile(rf"\b{re.escape(word)}\b"), weight) for word, weight in words.items() if word]
    scored = []
    for file in python_files(root):
        if is_test_path(file) and (PurePosixPath(file).name.startswith("test") or file.endswith("_test.py")):
            text = (root / file).read_text(encoding="utf-8", errors="replace")
            score = sum(weight for pattern, weight in patterns if pattern.search(text))
            if score:
                scored.append((-score, file))
    return [file for _, file in sorted(scored)[:_MOST_FILES]]
