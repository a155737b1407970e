"""The judge: a candidate is right only when tests say so, first the failing ones, at last the whole suite."""

from __future__ import annotations

import ast
import base64
import difflib
import json
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome
from automation.incidents.records import Outcome, TestReport
from automation.incidents.run_records import report_of_records
from automation.incidents.suites import SuiteSettings, report_of, run_suite, suite_job
from automation.repair.minimal import Plausible
from automation.repair.records import Candidate

_LEAST_TIMEOUT_S = 1.0
_START_S = 10.0
_MOST_NEIGHBOURS = 80
# The plugin that screens many candidates in one job, and as what it lies in the job's tree.
_SCREENING = Path(__file__).resolve().parent / "inside" / "screening.py"
_PLUGIN = "gridbot_screening"
_TOGETHER_S = 60.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What a repair must reach and must not lose.

    Parameters
    ----------
    targets : tuple of str
        Failing tests that must pass, the quickest first; a test file that cannot be collected stands for all in it.
    passed : frozenset of str
        Tests that passed in the whole suite before the change.
    collected : int
        How many tests the whole suite collected before.
    beside : tuple of str
        Quick tests that fail too and need not be mended; a change that mends them is the likelier one.
    refuters : tuple of str
        Passing tests that earlier candidates broke, though nothing said that they reach the change.
    """

    targets: tuple[str, ...]
    passed: frozenset[str]
    collected: int
    beside: tuple[str, ...] = ()
    refuters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests say of one candidate.

    Parameters
    ----------
    plausible : bool
        Whether it passed everything that it was put to so far.
    stage : str
        The last stage that it was put to: ``targets``, ``neighbours`` or ``suite``.
    reason : str
        Why it is not plausible, in one line; empty when it is.
    exception : str
        Type of the exception that the first failing test raised.
    passed : tuple of str
        Targets that passed.
    counts : mapping of str to int
        Outcomes of the whole suite after the change.
    failing : tuple of str
        Tests that fail in the whole suite after the change, and did before.
    lost : tuple of str
        Tests that passed in the whole suite before the change and do not after it.
    """

    plausible: bool
    stage: str
    reason: str = ""
    exception: str = ""
    passed: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    failing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class Judge:
    """Puts candidates to the tests.

    ``undecided`` holds candidates that pass and of which none was chosen, because nothing decides between them; a
    search shares it with its tally.

    Parameters
    ----------
    tree : Path
        The private copy of the repository; never written.
    settings : SuiteSettings
        How its tests run.
    server : ForkServer
        Started for the same tree.
    goal : Goal
        What must hold.
    observed : TestReport
        A traced run of the failing tests and their neighbours before the change.
    final : SuiteSettings, optional
        How the whole suite runs in a fresh process, where that differs: compiled, as shipped.
    """

    def __init__(
        self,
        tree: Path,
        settings: SuiteSettings,
        server: ForkServer,
        goal: Goal,
        observed: TestReport,
        final: SuiteSettings | None = None,
    ) -> None:
        self.goal = goal
        self._tree = tree
        self._settings = settings
        self._server = server
        self._final = final or settings
        self._timeout_s = _timeout(settings, observed)
        self._passing = tuple(
            test.node_id
            for test in sorted(observed.tests, key=lambda test: test.duration_s)
            if test.outcome is Outcome.PASSED and test.node_id in goal.passed
        )
        self._lines = {test.node_id: test.lines for test in observed.tests}
        self._apart: set[str] = set()
        self.undecided: list[Plausible] = []

    def screen(self, candidate: Candidate) -> Future[JobOutcome]:
        """Start the failing tests on a candidate; `screened` reads what comes."""
        return self._submit(candidate, self.goal.targets, trace=False)

    def screened(self, outcome: JobOutcome) -> Verdict:
        """Say whether the failing tests pass now."""
        return self._verdict(report_of(outcome), "targets", self.goal.targets)

    def may_share(self, candidate: Candidate) -> bool:
        """Say whether a candidate can be screened with others in one job; not where tests leave things behind."""
        return candidate.source.path not in self._apart

    def screen_together(self, candidates: Sequence[Candidate]) -> Future[JobOutcome]:
        """Start the failing tests on candidates in one job; `screened_together` reads what comes."""
        settings = replace(self._settings, test_timeout_s=self._timeout_s)
        job = suite_job(settings, tests=self.goal.targets, stop_after=1)
        job["plugins"] = {**settings.plugins, _PLUGIN: _PLUGIN}
        each_s = _START_S + self._timeout_s * min(len(self.goal.targets), 20)
        files = [(one.source.path, base64.b64encode(one.content()).decode()) for one in candidates]
        told = {
            "candidates": [{"path": path, "content": content} for path, content in files],
            "each_s": each_s,
            "seconds": _TOGETHER_S,
        }
        plugin = {f"{_PLUGIN}.py": _SCREENING.read_bytes(), f"{_PLUGIN}.json": json.dumps(told).encode()}
        limits = replace(settings.limits, wall_s=_TOGETHER_S + each_s + _START_S)
        return self._server.submit(job, plugin, limits)

    def screened_together(self, candidates: Sequence[Candidate], outcome: JobOutcome) -> list[Verdict | None]:
        """Say of each candidate whether the failing tests pass now; None where it has to be screened alone."""
        answers: dict[int, list[dict[str, object]]] = {}
        for record in outcome.records:
            match record:
                case {"event": "unfit", "paths": list(paths)}:
                    self._apart.update(paths)
                case {"event": "screened", "at": int(at), "records": list(told)}:
                    answers[at] = told
        if not any(answers.values()):
            # Whatever it is that keeps the forks from answering, each candidate gets a job of its own.
            self._apart.update(one.source.path for one in candidates)
            return [None] * len(candidates)
        return [self._answered(answers[at]) if at in answers else None for at in range(len(candidates))]

    def _answered(self, records: Sequence[Mapping[str, object]]) -> Verdict:
        report = report_of_records(records, end="done" if records else "crash", seconds=0.0)
        return self._verdict(report, "targets", self.goal.targets)

    def check_neighbours(self, candidate: Candidate) -> Verdict:
        """Run the failing tests once more, traced, with the passing tests that reach the change."""
        neighbours = self.neighbours(candidate)
        job = self._submit(candidate, (*self.goal.targets, *neighbours), trace=True)
        report = report_of(job.result())
        verdict = self._verdict(report, "neighbours", (*self.goal.targets, *neighbours))
        if verdict.plausible and not _executed(candidate, report, self.goal.targets):
            return replace(verdict, plausible=False, reason="the changed lines never ran in the failing tests")
        return verdict

    def mended_beside(self, candidate: Candidate) -> int:
        """Return how many of the tests that need not be mended a candidate mends."""
        if not self.goal.beside:
            return 0
        report = report_of(self._submit(candidate, self.goal.beside, trace=False, stop_after=0).result())
        return sum(passes(report, test) for test in self.goal.beside)

    def check_suite(self, candidate: Candidate) -> Verdict:
        """Run the whole suite in a fresh process: the failing tests pass, nothing that passed is lost."""
        report = run_suite(self._tree, self._final, files={candidate.source.path: candidate.content()})
        return self._suite_verdict(report)

    def neighbours(self, candidate: Candidate) -> tuple[str, ...]:
        """Return the passing tests that reach the changed lines, else the file, else any; and those that refute."""
        changed = changed_lines(candidate.source.text, candidate.text())[0]
        path = candidate.source.path
        reached = [test for test in self._passing if changed & set(self._lines[test].get(path, ()))]
        if not reached:
            reached = [test for test in self._passing if self._lines[test].get(path)]
        near = (reached or list(self._passing))[:_MOST_NEIGHBOURS]
        return tuple(dict.fromkeys((*near, *self.goal.refuters)))

    def _suite_verdict(self, report: TestReport) -> Verdict:
        lost = sorted(self.goal.passed - report.passed)
        missing = [test for test in self.goal.targets if not passes(report, test)]
        reason = report.problem
        if missing:
            reason = f"{missing[0]} still fails in the whole suite"
        elif lost:
            reason = f"{lost[0]} passed before and does not now"
        elif len(report.collected) < self.goal.collected:
            reason = f"only {len(report.collected)} of {self.goal.collected} tests are collected"
        elif not report.complete:
            reason = reason or "the suite did not reach its end"
        passed = tuple(test for test in self.goal.targets if passes(report, test))
        failing = tuple(test.node_id for test in report.failures)
        counts = report.counts()
        return Verdict(not reason, "suite", reason, passed=passed, counts=counts, failing=failing, lost=tuple(lost))

    def _verdict(self, report: TestReport, stage: str, wanted: Sequence[str]) -> Verdict:
        passed = tuple(test for test in self.goal.targets if passes(report, test))
        failures = report.failures
        if not failures and report.complete and all(passes(report, test) for test in wanted):
            return Verdict(True, stage, passed=passed)
        if failures:
            first = failures[0]
            exception = first.chain[0].type if first.chain else first.outcome.value
            message = first.chain[0].message if first.chain else ""
            return Verdict(False, stage, f"{first.node_id}: {exception}: {message}"[:300], exception, passed)
        return Verdict(False, stage, report.problem or "the tests did not reach their end", "", passed)

    def _submit(
        self, candidate: Candidate, tests: Sequence[str], *, trace: bool, stop_after: int = 1
    ) -> Future[JobOutcome]:
        settings = replace(self._settings, test_timeout_s=self._timeout_s)
        only = {"lines": True, "values": False, "only": [candidate.source.path]}
        job = suite_job(settings, tests=tests, stop_after=stop_after, trace=only if trace else None)
        wall = min(self._settings.limits.wall_s, _START_S + self._timeout_s * min(len(tests), 20))
        files = {candidate.source.path: candidate.content()}
        return self._server.submit(job, files, replace(self._settings.limits, wall_s=wall))


def passes(report: TestReport, target: str) -> bool:
    """Say whether a test passed; for a file, whether it was collected and everything in it that ran passed."""
    if "::" in target:
        return target in report.passed
    inside = [test for test in report.tests if test.node_id == target or test.node_id.startswith(f"{target}::")]
    return any(test.outcome is Outcome.PASSED for test in inside) and not any(test.failed for test in inside)


def changed_lines(before: str, after: str) -> tuple[frozenset[int], frozenset[int]]:
    """Return the numbers of the lines that a change touches, before and after it; insertions touch their neighbours."""
    old, new = before.splitlines(), after.splitlines()
    in_old: set[int] = set()
    in_new: set[int] = set()
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        in_old |= set(range(i1 + 1, i2 + 1)) or {i1, i1 + 1}
        in_new |= set(range(j1 + 1, j2 + 1)) or {j1, j1 + 1}
    return frozenset(in_old), frozenset(in_new)


def _executed(candidate: Candidate, report: TestReport, targets: Collection[str]) -> bool:
    if candidate.place.function == "":
        # What stands outside functions runs when the module is imported, which every test does.
        return True
    text = candidate.text()
    changed = changed_lines(candidate.source.text, text)[1]
    path = candidate.source.path
    ran = {line for test in report.tests if test.node_id in targets for line in test.lines.get(path, ())}
    # Only the first line of a statement is counted as run, and a deletion leaves none of its own.
    return bool(changed & ran) or any(set(around) & ran for around in _functions_around(text, changed))


def _functions_around(text: str, lines: Collection[int]) -> list[range]:
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    spans = [range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1) for node in nodes]
    return [span for span in spans if any(line in span for line in lines)]


def _timeout(settings: SuiteSettings, observed: TestReport) -> float:
    usual = max((test.duration_s for test in observed.tests if test.outcome is not Outcome.TIMEOUT), default=0.0)
    return min(settings.test_timeout_s, max(_LEAST_TIMEOUT_S, 4 * usual))
