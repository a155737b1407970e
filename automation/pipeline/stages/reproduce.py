"""Reproduce: the failures once more, three times, and traced; what passes even once is flaky."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from automation.incidents.records import Outcome, TestReport
from automation.incidents.test_runs import run_suite
from automation.pipeline.desk import Desk
from automation.pipeline.state import RunState, Status
from automation.repair.verify import passes
from trading.commands import Progress

_RUNS = 3
_MOST_NEIGHBOURS = 300
_MOST_HANGS = 3


def reproduce(desk: Desk, state: RunState) -> RunState:
    """Trace the failing tests and their passing neighbours; drop those that pass when they run again."""
    targets = state["targets"]
    desk.notify(Progress("running the failing tests again"))
    shown = _few_hangs(desk.saved("baseline"), targets)
    again = [desk.forked(shown) for _ in range(_RUNS - 1)]
    unsteady = {test for report in again for test in shown if passes(report.result(), test)}
    steady = [test for test in targets if test not in unsteady]
    if not steady:
        return {"status": Status.UNFIXED, "reason": _why_unsteady(desk, sorted(unsteady))}
    desk.notify(Progress("tracing the failing tests"))
    desk.save("observed", traced(desk, steady))
    groups = [[test for test in group if test in steady] for group in state["groups"]]
    return {"targets": steady, "groups": [group for group in groups if group], "others": _named(state, unsteady)}


def _why_unsteady(desk: Desk, tests: Sequence[str]) -> str:
    compiled = run_suite(desk.workspace.tree, desk.settings, tests=tests)
    if any(passes(compiled, test) for test in tests):
        return f"{tests[0]} is flaky: it fails and passes with the same code"
    return f"{tests[0]} fails only where numba compiles the code, which a search in plain Python cannot see"


def traced(desk: Desk, targets: Sequence[str]) -> TestReport:
    """Run failing tests and their passing neighbours with every line and value noted.

    Compiled code runs as plain Python, so that it can be seen into.
    """
    how = {"lines": True, "values": True, "only": None}
    baseline = desk.saved("baseline")
    return desk.forked([*_few_hangs(baseline, targets), *_neighbours(baseline, targets)], how).result()


def _few_hangs(baseline: TestReport, targets: Sequence[str]) -> list[str]:
    # Each hang costs its whole time limit in every run, and a few show as much as many.
    hung = [test.node_id for test in baseline.tests if test.outcome is Outcome.TIMEOUT]
    left_out = set(hung[_MOST_HANGS:])
    return [test for test in targets if test not in left_out]


def _neighbours(baseline: TestReport, targets: Sequence[str]) -> list[str]:
    files = {target.partition("::")[0] for target in targets}
    folders = {str(PurePosixPath(file).parent) for file in files}
    passed = [test for test in baseline.tests if test.outcome is Outcome.PASSED]

    def distance(node_id: str) -> int:
        file = node_id.partition("::")[0]
        return 0 if file in files else 1 if str(PurePosixPath(file).parent) in folders else 2

    nearest = sorted(passed, key=lambda test: (distance(test.node_id), test.duration_s))
    return [test.node_id for test in nearest[:_MOST_NEIGHBOURS]]


def _named(state: RunState, unsteady: set[str]) -> list[str]:
    return [*state.get("others", []), *(f"{test} does not fail each time" for test in sorted(unsteady))]
