"""The judge of drafts: each alone, on the code as it is and on every mutant that no test has noticed so far."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

from automation.codebase.limits import JobOutcome
from automation.incidents.suites import report_of
from automation.tasks.generate_tests.answers import Existing, tried
from automation.tasks.generate_tests.branches import Shape
from automation.tasks.generate_tests.laboratory import Laboratory
from automation.tasks.generate_tests.mutants import Mutant
from automation.tasks.generate_tests.records import Arc, Draft

CALL_S, MUTANT_CALL_S = 5.0, 1.0
_MOST_EXISTING = 24
_SLOWEST_EXISTING_S = 2.0
_CONDITIONS = (
    {"PYTHONHASHSEED": "1", "TZ": "Pacific/Auckland"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/St_Johns", "LANG": "C"},
)
_AHEAD = 2
_ALONE = 5

T = TypeVar("T")
Told = Callable[[int], None]


@dataclass
class Dropped:
    """Why drafts were not kept."""

    reasons: dict[str, int] = field(default_factory=dict)

    def count(self, reason: str, number: int = 1) -> None:
        """Count drafts that were dropped for a reason."""
        if number:
            self.reasons[reason] = self.reasons.get(reason, 0) + number


def trial_text(drafts: Sequence[Draft]) -> str:
    """Return one module with all drafts, as they are tried."""
    imports = sorted({line for draft in drafts for line in draft.imports})
    return "\n".join(imports) + "\n\n\n" + "\n\n".join(draft.source() for draft in drafts)


def settled(lab: Laboratory, drafts: Sequence[Draft], path: str, dropped: Dropped) -> dict[str, frozenset[Arc]]:
    """Return the drafts that hold on the code as it is, whatever the order, hash seed, time zone or folder.

    Parameters
    ----------
    lab : Laboratory
        Where they are tried.
    drafts : sequence of Draft
        All of them.
    path : str
        The file that is tested.
    dropped : Dropped
        Is counted up.

    Returns
    -------
    dict of str to frozenset
        Names of what holds, with the steps that each makes in the file.
    """
    text, names = trial_text(drafts), [draft.name for draft in drafts]
    first = lab.trial(text, names, trace=path, limit_s=CALL_S)
    again = [lab.trial(text, names, limit_s=CALL_S, seed=lab.seed + number) for number in (1, 2)]
    away = [
        lab.trial_elsewhere(text, names, variables, limit_s=CALL_S, seed=lab.seed + 3 + number)
        for number, variables in enumerate(_CONDITIONS)
    ]
    traced = tried(first.result())
    if traced.broken:
        dropped.count(f"cannot run: {traced.broken}", len(drafts))
        return {}
    holding = {name: traced.arcs.get(name, frozenset()) for name in names if name not in traced.failed}
    dropped.count("does not hold", len(names) - len(holding))
    for future in (*again, *away):
        other = tried(future.result())
        if other.broken:
            dropped.count(f"not every condition could be tried: {other.broken}")
            continue
        unsettled = [name for name in holding if name in other.failed]
        dropped.count("depends on order, time, hash seed or folder", len(unsettled))
        for name in unsettled:
            del holding[name]
    return holding


def without_rivals(drafts: Sequence[Draft], holding: Collection[str]) -> tuple[list[Draft], int]:
    """Keep the first of drafts that say the same, among those that hold."""
    kept: list[Draft] = []
    taken: set[str] = set()
    for draft in drafts:
        if draft.name in holding and (not draft.rival or draft.rival not in taken):
            kept.append(draft)
            taken.add(draft.rival)
    return kept, len(holding) - len(kept)


def noticed_before(
    lab: Laboratory, path: str, mutants: Sequence[Mutant], existing: Existing, shape: Shape, until: float, told: Told
) -> dict[Mutant, bool]:
    """Say which mutants the tests that are there already notice.

    Parameters
    ----------
    lab : Laboratory
        Where they run.
    path : str
        The file that is tested.
    mutants : sequence of Mutant
        Of that file.
    existing : Existing
        Where its tests go.
    shape : Shape
        Lines of its functions.
    until : float
        End by the monotonic clock; mutants that are not reached are left out.
    told : callable
        Takes the number of mutants that are done.

    Returns
    -------
    dict of Mutant to bool
    """
    passed = existing.report.passed
    durations = {test.node_id: test.duration_s for test in existing.report.tests}
    reach = {test: {line for arc in arcs for line in arc} for test, arcs in existing.arcs.items() if test in passed}

    def start(mutant: Mutant) -> Future[JobOutcome] | None:
        lines = shape.lines.get(mutant.function, frozenset())
        own = [test for test, seen in reach.items() if seen & lines and durations[test] <= _SLOWEST_EXISTING_S]
        near = set(range(mutant.line, mutant.end_line + 1))
        tests = sorted(own, key=lambda test: (not reach[test] & near, durations[test]))[:_MOST_EXISTING]
        if not tests:
            return None
        slowest = max(durations[test] for test in tests)
        files = {path: mutant.text.encode()}
        return lab.suite(tests, files, stop_after=1, test_timeout_s=max(1.0, 6 * slowest), wall_s=30.0)

    def read(outcome: JobOutcome) -> bool | None:
        report = report_of(outcome)
        return bool(report.failures) or not report.complete

    return _each(mutants, start, read, lab.workers, until, told, nothing=False)


def noticed_by(
    lab: Laboratory,
    path: str,
    mutants: Sequence[Mutant],
    drafts: Sequence[Draft],
    steps: Mapping[str, frozenset[Arc]],
    shape: Shape,
    until: float,
    told: Told,
) -> dict[Mutant, frozenset[str]]:
    """Return, for each mutant that was reached in time, the drafts that notice it.

    Parameters
    ----------
    lab, path, mutants, shape, until, told
        As in `noticed_before`.
    drafts : sequence of Draft
        Those that hold.
    steps : mapping of str to frozenset
        Where each goes.
    """
    text = trial_text(drafts)
    reach = {draft.name: {line for arc in steps[draft.name] for line in arc} for draft in drafts}

    def start(mutant: Mutant) -> Future[JobOutcome] | None:
        lines = shape.lines.get(mutant.function, frozenset())
        names = [draft.name for draft in drafts if reach[draft.name] & lines]
        if not names:
            return None
        files = {path: mutant.text.encode()}
        return lab.trial(text, names, files=files, limit_s=MUTANT_CALL_S, wall_s=30.0)

    def read(outcome: JobOutcome) -> frozenset[str] | None:
        trial = tried(outcome)
        # a mutant that cannot even be imported says nothing about a test
        return None if trial.broken else frozenset(trial.failed)

    return _each(mutants, start, read, lab.workers, until, told, nothing=frozenset())


def _each(
    mutants: Sequence[Mutant],
    start: Callable[[Mutant], Future[JobOutcome] | None],
    read: Callable[[JobOutcome], T | None],
    workers: int,
    until: float,
    told: Told,
    *,
    nothing: T,
) -> dict[Mutant, T]:
    found: dict[Mutant, T] = {}
    waiting: list[tuple[Mutant, Future[JobOutcome]]] = []

    def take() -> None:
        mutant, future = waiting.pop(0)
        result = read(future.result())
        if result is not None:
            found[mutant] = result
        told(len(found))

    for mutant in mutants:
        if monotonic() > until:
            break
        future = start(mutant)
        if future is None:
            found[mutant] = nothing
            continue
        waiting.append((mutant, future))
        while len(waiting) > workers * _AHEAD:
            take()
    while waiting:
        take()
    return found


def unsteady(lab: Laboratory, test_path: str, text: str) -> dict[tuple[str, int], str]:
    """Return the tests of a file that do not pass every time under pytest, with what happened.

    pytest runs each test function five times alone, each time in a process of its own; then all of them in random
    orders, in new interpreters with other hash seeds and time zones, in an empty folder.

    Parameters
    ----------
    lab : Laboratory
        Where they run.
    test_path, text : str
        The file.

    Returns
    -------
    dict of (str, int) to str
        By function and row; the row is -1 for all of them, the name empty for the whole file.
    """
    files = {test_path: text.encode()}
    whole = report_of(lab.suite([test_path], files, wall_s=180.0).result())
    if whole.problem or not whole.collected:
        told = [f"{test.chain[0].type}: {test.chain[0].message}" for test in whole.failures if test.chain]
        return {("", -1): whole.problem or "; ".join(told) or "no test was collected"}
    rows: dict[str, list[str]] = {}
    for node_id in whole.collected:
        rows.setdefault(_function_of(node_id), []).append(node_id)
    alone = [lab.suite(ids, files, wall_s=120.0) for ids in rows.values() for _ in range(_ALONE)]
    reports = [whole, *(report_of(future.result()) for future in alone)]
    wrong = {_place(test.node_id, rows): "fails alone" for report in reports for test in report.failures}
    return wrong | _shuffled(lab, files, rows)


def _function_of(node_id: str) -> str:
    return node_id.partition("[")[0].rpartition("::")[2]


def _place(node_id: str, rows: Mapping[str, Sequence[str]]) -> tuple[str, int]:
    """Return the function of a test and the number of its row; -1 where it has no rows."""
    name = _function_of(node_id)
    ids = rows.get(name, ())
    return name, ids.index(node_id) if "[" in node_id and node_id in ids else -1


def _shuffled(
    lab: Laboratory, files: Mapping[str, bytes], rows: Mapping[str, Sequence[str]]
) -> dict[tuple[str, int], str]:
    order = random.Random(lab.seed)  # noqa: S311 - a repeatable order, no secret
    collected = [node_id for ids in rows.values() for node_id in ids]
    runs = []
    for variables in _CONDITIONS:
        ids = list(collected)
        order.shuffle(ids)
        runs.append(lab.pytest_elsewhere(ids, variables, files))
    wrong: dict[tuple[str, int], str] = {}
    for future in runs:
        outcome = future.result()
        lines = [
            line.split(" ", 1)[1] for line in outcome.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))
        ]
        named = {line.partition(" - ")[0] for line in lines}
        told = "fails in another order or environment"
        wrong |= {_place(each, rows): told for each in collected if _is_named(each, named)}
        if outcome.exit_code not in (0, 1):
            wrong["", -1] = f"pytest ends with {outcome.exit_code}: {outcome.stdout[-200:]}"
    return wrong


def _is_named(node_id: str, named: Iterable[str]) -> bool:
    return any(each == node_id or each.endswith(f"/{node_id}") for each in named)
