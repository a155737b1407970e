"""Many candidates in one job: the verdicts are those of a job for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from automation.codebase.sources import read_source
from automation.incidents.suites import suite_server
from automation.repair.minimal import Plausible
from automation.repair.records import Candidate, Place, TextEdit
from automation.repair.search import Patience, Tally, search
from automation.repair.verify import Goal, Judge, Verdict
from tests.automation.repair.scenes import Scene, scene

FILES = {
    "scale.py": "def twice(value):\n    return value + 1\n",
    "test_scale.py": "from scale import twice\n\n\n"
    "def test_five():\n    assert twice(5) == 10\n\n\n"
    "def test_text():\n    assert twice('a') == 'aa'\n",
}
LEAVING = FILES["test_scale.py"].replace(
    "    assert twice(5)", "    with open('left.txt', 'x') as left:\n        left.write('x')\n    assert twice(5)"
)
BODIES = {
    "right": "return value * 2",
    "half": "return 10",
    "wrong": "return value + 2",
    "raising": "raise SystemExit",
    "hanging": "while True:\n        pass",
    "dying": "import os\n    os._exit(0)",
    "broken": "return value +",
}


def candidate(on: Scene, name: str) -> Candidate:
    source = read_source(on.tree, "scale.py")
    at = source.text.index("return")
    change = (TextEdit(at, len(source.text) - 1, BODIES[name]),)
    return Candidate(source, change, "template:t", Place("scale.py", 2, "twice", 1.0), name, 0.5)


@contextmanager
def judging(on: Scene) -> Iterator[Judge]:
    goal = Goal(on.failing, frozenset(on.report.passed), len(on.report.collected))
    with suite_server(on.tree, on.settings, workers=1) as server:
        yield Judge(on.tree, on.settings, server, goal, on.report)


def found(judge: Judge, candidates: list[Candidate], tally: Tally) -> list[str]:
    def stream() -> Generator[Candidate, Verdict | None, None]:
        yield from candidates

    list(search(stream(), judge, tally, Patience(monotonic() + 60, 50, 2), label="trying"))
    return [each.description for each in tally.plausible]


def test_together_candidates_get_the_verdicts_that_each_gets_alone(tmp_path: Path) -> None:
    on = scene(tmp_path, FILES, test_timeout_s=1.0)
    candidates = [candidate(on, name) for name in BODIES]
    with judging(on) as judge:
        together = judge.screened_together(candidates, judge.screen_together(candidates).result())
        alone = [judge.screened(judge.screen(each).result()) for each in candidates]
        assert [verdict and (verdict.plausible, verdict.passed) for verdict in together] == [
            (verdict.plausible, verdict.passed) for verdict in alone
        ]
        assert [each.description for each, verdict in zip(candidates, alone, strict=True) if verdict.plausible] == [
            "right"
        ]
        told = {each.description: verdict for each, verdict in zip(candidates, together, strict=True)}
        assert told["wrong"] is not None
        assert told["wrong"].exception == "AssertionError"
        assert judge.may_share(candidates[0])


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(
            FILES | {"conftest.py": "import scale\n"}, id="a conftest imports what is changed", marks=pytest.mark.slow
        ),
        pytest.param(FILES | {"test_scale.py": LEAVING}, id="a test leaves a file behind"),
    ],
)
def test_where_forks_would_not_tell_the_truth_each_candidate_gets_a_job(tmp_path: Path, files: dict[str, str]) -> None:
    on = scene(tmp_path, files)
    candidates = [candidate(on, name) for name in ("wrong", "half", "right")]
    with judging(on) as judge:
        together = judge.screened_together(candidates, judge.screen_together(candidates).result())
        assert together[2] is None
        assert not judge.may_share(candidates[0])
        assert found(judge, candidates, Tally()) == ["right"]


def test_a_search_ends_where_nothing_decided_between_those_that_pass(tmp_path: Path) -> None:
    on = scene(tmp_path, FILES)
    tally = Tally(undecided=[Plausible(candidate(on, "half"))])
    with judging(on) as judge:
        assert found(judge, [candidate(on, "right")], tally) == []
        assert tally.total == 0
        tally.renew()
        assert found(judge, [candidate(on, "right")], tally) == ["right"]
        assert judge.undecided is tally.undecided
