"""Tests for one file, from its subjects to the text of a test file."""

from __future__ import annotations

import ast
from collections.abc import Collection, Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic

from automation.codebase.files import python_files
from automation.codebase.scopes import Scope
from automation.incidents.records import TestReport
from automation.tasks.generate_tests.answers import Existing, Surveyed, surveyed
from automation.tasks.generate_tests.branches import Branch, Shape, shape_of
from automation.tasks.generate_tests.constants import constants_of
from automation.tasks.generate_tests.drafting import case_drafts, example_drafts
from automation.tasks.generate_tests.judging import (
    Dropped,
    noticed_before,
    noticed_by,
    settled,
    unsteady,
    without_rivals,
)
from automation.tasks.generate_tests.laboratory import Laboratory
from automation.tasks.generate_tests.layout import files_with_tests, formatted, generated_path, related_tests
from automation.tasks.generate_tests.mutants import OPERATORS, Mutant, mutants_of, sampled
from automation.tasks.generate_tests.properties import Known, inverses, property_drafts
from automation.tasks.generate_tests.records import (
    Arc,
    Draft,
    FileOutcome,
    Ground,
    Score,
    Subject,
    SubjectOutcome,
)
from automation.tasks.generate_tests.scoring import Judged, gains_of, score_of
from automation.tasks.generate_tests.selection import smallest
from automation.tasks.generate_tests.subjects import module_of, subjects_of
from automation.tasks.generate_tests.writing import WrittenTest, defined_names, file_head, written_file, written_tests
from trading.commands import Progress

_MOST_MUTANTS = 400
_EXISTING_SHARE, _BASELINE_SHARE, _MATRIX_SHARE = 0.2, 0.45, 0.75
_LEAST_S = 5.0
_ROUNDS = 3
_MOST_UNDONE = 12


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried.

    Parameters
    ----------
    seconds : float
        For one file.
    operators : tuple of str
        Sorts of mutants that tests are to notice.
    most_mutants : int
        Of one file; more are sampled.
    """

    seconds: float = 120.0
    operators: tuple[str, ...] = OPERATORS
    most_mutants: int = _MOST_MUTANTS


class FileTests:
    """Makes the tests of one file.

    Parameters
    ----------
    lab : Laboratory
        Where everything runs.
    path : str
        The file.
    scope : Scope, optional
        What of it is meant.
    effort : Effort
        How much is tried.
    asked : mapping of str to sequence
        Argument lists by qualified name that a model proposed.
    used : collection of str
        Test files that are written for other files at the same time.
    """

    def __init__(
        self,
        lab: Laboratory,
        path: str,
        scope: Scope | None = None,
        effort: Effort = Effort(),
        asked: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
        used: Collection[str] = (),
    ) -> None:
        self._lab, self._path, self._scope, self._effort = lab, path, scope, effort
        self._asked = asked or {}
        self._text = (lab.tree / path).read_text(encoding="utf-8")
        self._tree = ast.parse(self._text)
        self._module = module_of(path, lab.settings.python_path)
        self.subjects, self._skipped = subjects_of(path, self._text, self._module, scope)
        self._began = monotonic()
        self._dropped = Dropped()
        self._tests = files_with_tests(python_files(lab.tree))
        taken = {*used, *(test for test in self._tests if not self._is_of_this(test))}
        self._test_path = generated_path(path, self._tests, lab.settings.python_path, taken)

    def work(self) -> Generator[Progress, None, FileOutcome]:
        """Make them; yields progress, returns what came of it."""
        yield self._progress("running the tests that are there")
        existing = self._run_existing()
        found = yield from self._surveyed(existing)
        drafts = self._drafts(found)
        yield self._progress(f"trying {len(drafts)} drafts")
        steps = settled(self._lab, drafts, self._path, self._dropped) if drafts else {}
        drafts, rivals = without_rivals(drafts, steps)
        self._dropped.count("says the same as another", rivals)
        judged = yield from self._judged(existing)
        survivors = [mutant for mutant, noticed in judged.before.items() if not noticed]
        matrix = yield from self._matrix(survivors, drafts, steps, judged.shape)
        gains = gains_of(drafts, steps, matrix, judged.missing(self._branches(judged.shape)))
        yield self._progress("choosing the fewest tests, and running each alone")
        kept, text = self._settle_text(drafts, gains)
        return self._outcome(existing, judged, matrix, steps, kept, text)

    def _is_of_this(self, test: str) -> bool:
        text = (self._lab.tree / test).read_text(encoding="utf-8", errors="replace")
        return text.startswith(file_head(self._module))

    def _progress(self, label: str, done: float = 0, total: float = 0) -> Progress:
        return Progress(f"{self._path}: {label}", done, total, "mutants" if total else "")

    def _until(self, share: float) -> float:
        """Return when a part of the time that is left will be over."""
        left = self._effort.seconds - (monotonic() - self._began)
        return monotonic() + max(_LEAST_S, left) * share

    # what is there

    def _run_existing(self) -> Existing:
        names = sorted({part for subject in self.subjects for part in (subject.owner, subject.name) if part})
        related = related_tests(self._lab.tree, self._tests, self._path, self._module, names)
        if not related:
            return Existing(TestReport((), (), True, 0.0), {}, {})
        lines = [line for node in ast.walk(self._tree) for line in _first_lines(node)]
        return self._lab.existing(self._path, related, lines, max(5.0, self._effort.seconds * _EXISTING_SHARE))

    # what could be said

    def _surveyed(self, existing: Existing) -> Generator[Progress, None, dict[Subject, Surveyed]]:
        nodes = {
            node.lineno: node
            for node in ast.walk(self._tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        yield self._progress(f"calling {len(self.subjects)} functions")
        given = {
            subject: [*_seen(subject, nodes[subject.line], existing), *self._asked.get(subject.qualified, ())]
            for subject in self.subjects
        }
        found = self._called(self.subjects, nodes, given)
        # what one function makes is what the one that undoes it takes
        undone = {subject: [*given[subject], *made] for subject, made in _made_by_inverses(found).items()}
        found |= self._called(list(undone), nodes, undone)
        self._skipped |= {subject.qualified: each.skipped for subject, each in found.items() if each.skipped}
        return found

    def _called(
        self,
        subjects: Sequence[Subject],
        nodes: Mapping[int, ast.AST],
        given: Mapping[Subject, Sequence[Mapping[str, object]]],
    ) -> dict[Subject, Surveyed]:
        waiting = []
        for subject in subjects:
            numbers, texts = constants_of(self._tree, nodes[subject.line])
            waiting.append((subject, self._lab.survey(subject, numbers, texts, given[subject])))
        return {subject: surveyed(future.result()) for subject, future in waiting}

    def _drafts(self, found: Mapping[Subject, Surveyed]) -> list[Draft]:
        defined = {subject.owner or subject.name: subject.imported for subject in self.subjects}
        drafts: list[Draft] = []
        for subject, survey in found.items():
            drafts += [*example_drafts(subject, defined), *case_drafts(subject, survey.cases)]
        known = [
            Known(subject, survey.cases, survey.strategies or {}) for subject, survey in found.items() if survey.cases
        ]
        drafts += property_drafts(known, has_hypothesis=self._lab.has_hypothesis)
        named = [replace(draft, name=f"draft_{number}") for number, draft in enumerate(drafts)]
        kept = _without_clashes(named)
        self._dropped.count("two things of one name", len(named) - len(kept))
        return kept

    # what they are worth

    def _judged(self, existing: Existing) -> Generator[Progress, None, Judged]:
        shape = shape_of(self._text)
        everything = [each for each in mutants_of(self._text, self._effort.operators) if self._is_meant(each)]
        mutants = sampled(everything, self._effort.most_mutants, self._lab.seed)
        passed = existing.report.passed
        covered = frozenset(arc for test, arcs in existing.arcs.items() if test in passed for arc in arcs)
        before: dict[Mutant, bool] = {}
        until = self._until(_BASELINE_SHARE)
        for start in range(0, len(mutants), _BATCH):
            batch = mutants[start : start + _BATCH]
            before |= noticed_before(self._lab, self._path, batch, existing, shape, until, _unheard)
            yield self._progress("mutants that the tests there notice", len(before), len(mutants))
            if monotonic() > until:
                break
        return Judged(shape, covered, before, len(mutants) - len(before))

    def _is_meant(self, mutant: Mutant) -> bool:
        return self._scope is None or self._scope.holds(self._path, mutant.line, mutant.end_line)

    def _matrix(
        self, mutants: Sequence[Mutant], drafts: Sequence[Draft], steps: Mapping[str, frozenset[Arc]], shape: Shape
    ) -> Generator[Progress, None, dict[Mutant, frozenset[str]]]:
        matrix: dict[Mutant, frozenset[str]] = {}
        if not drafts:
            return {mutant: frozenset() for mutant in mutants}
        until = self._until(_MATRIX_SHARE)
        for start in range(0, len(mutants), _BATCH):
            batch = mutants[start : start + _BATCH]
            matrix |= noticed_by(self._lab, self._path, batch, drafts, steps, shape, until, _unheard)
            yield self._progress("mutants that new tests notice", len(matrix), len(mutants))
            if monotonic() > until:
                break
        return matrix

    def _branches(self, shape: Shape) -> list[Branch]:
        return [
            each
            for each in shape.branches
            if self._scope is None or self._scope.holds(self._path, each.first, each.last)
        ]

    # what is written

    def _settle_text(
        self, drafts: Sequence[Draft], gains: Mapping[str, set[Hashable]]
    ) -> tuple[tuple[WrittenTest, ...], str]:
        left = {draft.name: draft for draft in drafts}
        earlier = self._lab.tree / self._test_path
        existing = earlier.read_text(encoding="utf-8") if earlier.is_file() else ""
        for _ in range(_ROUNDS):
            chosen = smallest({name: gains[name] for name in left}, {name: left[name].cost for name in left})
            if not chosen:
                break
            tests = written_tests([left[name] for name in left if name in chosen], defined_names(existing))
            text = formatted(written_file(self._module, tests, existing), self._test_path, self._lab.tree)
            wrong = _wrong_drafts(unsteady(self._lab, self._test_path, text), tests)
            if not wrong:
                self._dropped.count("gains nothing more", len(left) - len(chosen))
                return tests, text
            self._dropped.count("does not pass five times alone and in any order", len(wrong))
            for name in wrong:
                left.pop(name, None)
        self._dropped.count("gains nothing more", len(left))
        return (), ""

    def _outcome(
        self,
        existing: Existing,
        judged: Judged,
        matrix: Mapping[Mutant, frozenset[str]],
        steps: Mapping[str, frozenset[Arc]],
        tests: Sequence[WrittenTest],
        text: str,
    ) -> FileOutcome:
        kept = [draft for test in tests for draft in test.drafts]
        names = {draft.name for draft in kept}
        arcs = judged.covered | {arc for name in names for arc in steps[name]}
        judged_mutants = [mutant for mutant, noticed in judged.before.items() if noticed or mutant in matrix]
        after = {mutant for mutant in judged_mutants if judged.before[mutant] or matrix[mutant] & names}
        functions = [name for name in judged.shape.lines if self._function_is_meant(name, judged.shape)]
        rows = [
            SubjectOutcome(
                name,
                min(judged.shape.lines[name], default=0),
                score_of(name, judged.shape, judged.covered, judged_mutants, judged.before),
                score_of(
                    name, judged.shape, arcs, judged_mutants, {mutant: mutant in after for mutant in judged_mutants}
                ),
                sum(draft.subject.qualified == name for draft in kept),
                self._skipped.get(name, ""),
            )
            for name in functions
        ]
        return FileOutcome(
            path=self._path,
            test_path=self._test_path if tests else "",
            text=text,
            before=sum((row.before for row in rows), Score()),
            after=sum((row.after for row in rows), Score()),
            subjects=tuple(rows),
            kept={ground.value: sum(test.drafts[0].ground is ground for test in tests) for ground in Ground},
            rows=len(kept),
            dropped=dict(self._dropped.reasons),
            survivors=tuple(
                f"{mutant.line} {mutant.function}: {mutant.description} ({mutant.operator})"
                for mutant in judged_mutants
                if mutant not in after
            ),
            unjudged=judged.unjudged + sum(not noticed for noticed in judged.before.values()) - len(matrix),
            seconds=round(monotonic() - self._began, 1),
            notes=self._notes(existing),
        )

    def _function_is_meant(self, name: str, shape: Shape) -> bool:
        lines = shape.lines[name]
        return self._scope is None or any(self._scope.holds(self._path, line) for line in lines)

    def _notes(self, existing: Existing) -> tuple[str, ...]:
        if existing.report.problem:
            return (f"the tests there could not run: {existing.report.problem}",)
        failing = len(existing.report.failures)
        return (f"{failing} of the tests there fail already and were left out",) if failing else ()


_BATCH = 16


def _first_lines(node: ast.AST) -> list[int]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    return [node.lineno, *(each.lineno for each in node.decorator_list)]


def _seen(subject: Subject, node: ast.AST, existing: Existing) -> list[Mapping[str, object]]:
    calls = [call for line in _first_lines(node) for call in existing.seen.get(line, ())]
    return [{"arguments": [list(argument) for argument in call], "origin": "seen"} for call in calls]


def _made_by_inverses(found: Mapping[Subject, Surveyed]) -> dict[Subject, list[Mapping[str, object]]]:
    """Return, for functions that undo another one of the file, calls with what that one returned."""
    by_name = {subject.name: subject for subject in found if subject.kind == "function"}
    made: dict[Subject, list[Mapping[str, object]]] = {}
    for name, subject in by_name.items():
        for other in inverses(name, by_name):
            names = {case.arguments[0][0] for case in found[by_name[other]].cases if len(case.arguments) == 1}
            taken = [case for case in found[subject].cases if case.kind == "value" and "approx" not in case.expected]
            for parameter in sorted(names)[:1]:
                for case in taken[:_MOST_UNDONE]:
                    arguments = [[parameter, case.expected, list(case.expected_imports)]]
                    made.setdefault(by_name[other], []).append({"arguments": arguments, "origin": "inverse"})
    return made


def _without_clashes(drafts: Sequence[Draft]) -> list[Draft]:
    """Leave out what would import two things under one name."""
    bound: dict[str, str] = {}
    kept = []
    for draft in drafts:
        names = {line.rsplit(" ", 1)[-1]: line for line in draft.imports}
        if all(bound.setdefault(name, line) == line for name, line in names.items()):
            kept.append(draft)
    return kept


def _wrong_drafts(wrong: Mapping[tuple[str, int], str], tests: Sequence[WrittenTest]) -> set[str]:
    """Return the drafts behind tests that do not always pass; rows are in the order of their drafts."""
    found: set[str] = set()
    for name, row in wrong:
        for test in tests:
            if test.name == name and len(test.drafts) > row >= 0:
                found.add(test.drafts[row].name)
            elif name in {test.name, ""}:
                found |= {draft.name for draft in test.drafts}
    return found


def _unheard(_: int) -> None:
    return None
