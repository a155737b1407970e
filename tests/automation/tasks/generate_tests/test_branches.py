"""Lines and branches: what there is to cover, and what a real trace covers of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from automation.tasks.generate_tests.branches import shape_of
from automation.tasks.generate_tests.inside.arcs import ArcTracer

TEXT = '''\
def sign(x):
    """Return a sign."""
    if x < 0:
        return -1
    for _ in range(x):
        if x > 10:
            return 10
    while True:
        return 1


def kind(x):
    match x:
        case 0:
            return "zero"
        case _:
            return "other"
'''


def traced(tmp_path: Path, calls: str) -> frozenset[tuple[int, int]]:
    path = str(tmp_path / "signs.py")
    scope: dict[str, Any] = {}
    exec(compile(TEXT, path, "exec"), scope)
    tracer = ArcTracer(path)
    tracer.start()
    try:
        exec(calls, scope)
    finally:
        tracer.stop()
    return frozenset(tracer.take())


def taken(tmp_path: Path, calls: str) -> set[tuple[int, bool]]:
    steps = traced(tmp_path, calls)
    return {(branch.first, branch.taken) for branch in shape_of(TEXT).branches if branch.covered_by(steps)}


def test_lines_are_statements_without_docstrings():
    assert shape_of(TEXT).lines == {"sign": frozenset({3, 4, 5, 6, 7, 8, 9}), "kind": frozenset({13, 15, 17})}


def test_an_endless_loop_has_one_way_only():
    assert [branch.taken for branch in shape_of(TEXT).branches if branch.first == 8] == [True]


def test_each_way_counts_once_it_is_taken(tmp_path: Path):
    assert taken(tmp_path, "sign(-1)") == {(3, True)}
    assert taken(tmp_path, "sign(0)") == {(3, False), (5, False), (8, True)}
    assert taken(tmp_path, "sign(11)") == {(3, False), (5, True), (6, True)}
    assert (6, False) in taken(tmp_path, "sign(2)")


def test_cases_of_a_match_are_branches(tmp_path: Path):
    assert taken(tmp_path, "kind(0)") == {(14, True)}


def test_lines_run_are_counted_by_function(tmp_path: Path):
    steps = traced(tmp_path, "sign(-1)")
    shape = shape_of(TEXT)
    assert (shape.run("sign", steps), shape.run("kind", steps)) == (2, 0)
