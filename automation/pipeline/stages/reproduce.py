"""Reproduce: the failures once more, three times, and traced; what passes even once is flaky."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from pathlib import PurePosixPath

from automation.incidents.records import Outcome, TestReport
from automation.incidents.suites import run_suite
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status
from automation.repair.verify import passes
from trading.commands import Progress

_RUNS = 3
_MOST_NEIGHBOURS = 300
_MOST_TRACED = 100
# by the time that they took without tracing; a hang costs its limit anew in each run
_TRACED_S, _HANG_S = 2.0, 0.7
_COMPILED_S = 0.01
# Failing tests beside that of a session: how many are asked, for how long, and how many are taken.
_MOST_ASKED, _QUICK_S, _ASKING_S, _MOST_BESIDE = 24, 1.5, 30.0, 6


def reproduce(desk: Desk, state: RunState) -> RunState:
    """Trace the failing tests and their passing neighbours; drop those that pass when they run again."""
    targets = state["targets"]
    if desk.seconds_left <= 0:
        return {"status": Status.UNFIXED, "reason": "the time budget was spent on running the tests once"}
    desk.notify(Progress("running the failing tests again"))
    shown = _affordable(desk.saved("baseline"), targets)
    again = [desk.forked(shown) for _ in range(_RUNS - 1)]
    unsteady = {test for report in again for test in shown if passes(report.result(), test)}
    steady = [test for test in targets if test not in unsteady]
    if not steady:
        return {"status": Status.UNFIXED, "reason": _why_unsteady(desk, sorted(unsteady))}
    desk.notify(Progress("tracing the failing tests"))
    beside = _quick_beside(desk, state.get("also_failing", []))
    desk.save("observed", traced(desk, steady, beside))
    groups = [[test for test in group if test in steady] for group in state["groups"]]
    return {
        "targets": steady,
        "beside": beside,
        "groups": [group for group in groups if group],
        "others": _named(state, unsteady),
    }


def _why_unsteady(desk: Desk, tests: Sequence[str]) -> str:
    compiled = run_suite(desk.workspace.tree, desk.settings, tests=tests)
    if any(passes(compiled, test) for test in tests):
        return f"{tests[0]} is flaky: it fails and passes with the same code"
    return f"{tests[0]} fails only where numba compiles the code, which a search in plain Python cannot see"


def _quick_beside(desk: Desk, tests: Sequence[str]) -> list[str]:
    """Return failing tests that tell where the fault is, beside that of a session, and cost little in plain Python."""
    if not tests:
        return []
    usual = {test.node_id: test.duration_s for test in desk.saved("baseline").tests}
    asked = sorted(tests, key=lambda test: usual.get(test, inf))[:_MOST_ASKED]
    report = desk.forked(asked, test_timeout_s=_QUICK_S, wall_s=_ASKING_S).result()
    failed = [test for test in report.tests if test.outcome is Outcome.FAILED and test.duration_s <= _QUICK_S]
    return [test.node_id for test in sorted(failed, key=lambda test: test.duration_s)[:_MOST_BESIDE]]


def traced(desk: Desk, targets: Sequence[str], beside: Sequence[str] = ()) -> TestReport:
    """Run failing tests and their passing neighbours with every line noted, and one of them with its values too.

    Compiled code runs as plain Python, so that it can be seen into.
    """
    baseline = desk.saved("baseline")
    shown = _affordable(baseline, targets)
    lines = desk.forked([*shown, *beside, *_neighbours(baseline, targets)], _traced(values=False))
    values = desk.forked(shown[:1], _traced(values=True)).result()
    seen = {test.node_id: test.values for test in values.tests}
    report = lines.result()
    return replace(report, tests=tuple(replace(test, values=seen.get(test.node_id, {})) for test in report.tests))


def _traced(*, values: bool) -> dict[str, object]:
    return {"lines": True, "values": values, "only": None}


def _affordable(baseline: TestReport, tests: Sequence[str]) -> list[str]:
    # A few failures show as much as many, and tracing multiplies what each of them costs.
    costs = {test.node_id: _HANG_S if test.outcome is Outcome.TIMEOUT else test.duration_s for test in baseline.tests}
    chosen: list[str] = []
    spent = 0.0
    for test in sorted(tests, key=lambda test: costs.get(test, 0.0)):
        spent += costs.get(test, 0.0)
        if chosen and (spent > _TRACED_S or len(chosen) >= _MOST_TRACED):
            break
        chosen.append(test)
    return chosen


def _neighbours(baseline: TestReport, targets: Sequence[str]) -> list[str]:
    files = {target.partition("::")[0] for target in targets}
    folders = {str(PurePosixPath(file).parent) for file in files}
    passed = [test for test in baseline.tests if test.outcome is Outcome.PASSED]

    def distance(node_id: str) -> int:
        file = node_id.partition("::")[0]
        return 0 if file in files else 1 if str(PurePosixPath(file).parent) in folders else 2

    nearest = sorted(passed, key=lambda test: (distance(test.node_id), test.duration_s))[:_MOST_NEIGHBOURS]
    nearby = [test.node_id for test in nearest if distance(test.node_id) == 0]
    quick = [test.node_id for test in nearest if test.duration_s <= _quickest_s(baseline)]
    return _affordable(baseline, list(dict.fromkeys((*nearby, *quick))))


def _quickest_s(baseline: TestReport) -> float:
    # What took a moment compiled may take minutes in plain Python.
    return _COMPILED_S if any(name.partition(".")[0] == "numba" for name in baseline.third_party) else inf


def _named(state: RunState, unsteady: set[str]) -> list[str]:
    return [*state.get("others", []), *(f"{test} does not fail each time" for test in sorted(unsteady))]
