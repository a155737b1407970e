"""The repair benchmark judges by held-back tests, whatever the program under test claims."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.repair import Attempt, figures, main, summary
from benchmarks.repair_corpus.corpus import load_corpus
from benchmarks.repair_corpus.trading_copy import is_held_back, split_tests

# A stand-in for `gridbot fix`: knows the corpus, and answers as its first argument says.
_STAND_IN = """
import difflib, json, os, subprocess, sys
from pathlib import Path
from benchmarks.repair_corpus.corpus import load_corpus

manner, target = sys.argv[1], Path(sys.argv[2])
assert "--json" in sys.argv and "--seed" in sys.argv and os.environ["GRIDBOT_HOME"]
assert not list(target.rglob("*held_back*"))
assert subprocess.run(["git", "status", "--porcelain"], cwd=target, capture_output=True, check=True).stdout == b""
(task,) = [task for task in load_corpus() if (target / next(iter(task.visible))).exists()]

def diff(after):
    parts = []
    for path, text in after.items():
        before = (target / path).read_text() if (target / path).exists() else ""
        if before != text:
            lines = before.splitlines(True), text.splitlines(True)
            parts += difflib.unified_diff(*lines, f"a/{path}", f"b/{path}")
    return "".join(parts)

after = {
    "right": task.correct,
    "special_case": {path: "def with_separators(n, s=','):\\n    return {0: '0', 999: '999', 1234567: '1,234,567', "
        "-123456: '-123,456'}.get(n, '12 345')\\n" for path in task.buggy},
    "tampered": {path: "" for path in task.visible},
}
if manner == "crash":
    sys.exit("it broke")
if manner == "abstain":
    print(json.dumps({"status": "unfixed", "patch": None, "candidates_tried": 40, "candidates_per_second": 20}))
    sys.exit(1)
patch = "nonsense" if manner == "nonsense" else diff(after[manner])
print(json.dumps({"status": "fixed", "patch": patch, "proposer": "template:comparison", "candidates_tried": 60,
    "candidates_per_second": 30.0, "model_calls": 2}))
"""


def run(manner: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, object]:
    script = tmp_path / "stand_in.py"
    script.write_text(_STAND_IN)
    command = f"{sys.executable} {script} {manner}"
    main(["--suite", "corpus", "--command", command, *options])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


@pytest.mark.slow
def test_right_patches_count_as_repaired_by_their_proposer(tmp_path, capsys):
    details = tmp_path / "details.json"
    names = ("split_bill", "cheapest_route", "maker_taker_fee")
    report = run("right", tmp_path, capsys, "--out", str(details), *(w for name in names for w in ("--only", name)))
    assert report["all"]["repaired"] == report["all"]["tasks"] == 3
    assert report["all"]["wrong_share"] == 0
    assert report["all"]["candidates_per_s"] == 30
    assert report["proposers"]["template:comparison"]["repaired"] == report["proposers"]["template"]["repaired"] == 3
    tasks = json.loads(details.read_text())["tasks"]
    assert {task["name"] for task in tasks} == set(names)
    assert all(task["patch"].startswith("--- a/") for task in tasks)


@pytest.mark.parametrize("manner", ["special_case", "tampered", "nonsense"])
def test_fixes_that_held_back_tests_refute_count_as_wrong(manner, tmp_path, capsys):
    report = run(manner, tmp_path, capsys, "--only", "thousands")
    assert (report["all"]["repaired"], report["all"]["plausible_but_wrong"]) == (0, 1)
    assert report["all"]["wrong_share"] == 1
    assert report["several_edits"]["tasks"] == 1


def test_special_case_does_pass_the_visible_tests(tmp_path):
    # Otherwise the test above would not show that it is the held-back tests that catch it.
    (task,) = [task for task in load_corpus() if task.name == "thousands"]
    code = _STAND_IN[_STAND_IN.index("def with_separators") : _STAND_IN.index('\\n" for path in task.buggy')]
    namespace: dict[str, object] = {}
    exec(code.replace('"\n        "', "").replace("\\n", "\n"), namespace)
    visible = next(iter(task.visible.values())).replace("from thousands import with_separators", "")
    exec(visible, namespace)
    for name in [name for name in namespace if name.startswith("test_")]:
        namespace[name]()


def test_answers_without_a_fix_are_abstentions_and_crashes_are_told_apart(tmp_path, capsys):
    report = run("abstain", tmp_path, capsys, "--limit", "1")
    assert (report["all"]["abstained"], report["all"]["broken"], report["all"]["wrong_share"]) == (1, 0, None)
    report = run("crash", tmp_path, capsys, "--limit", "1")
    assert (report["all"]["abstained"], report["all"]["broken"]) == (0, 1)


def attempt(outcome: str, seconds: float, **changes: object) -> Attempt:
    fields = {"name": "n", "suite": "corpus", "pattern": "p", "single_edit": True, "fault": "f"}
    return Attempt(**{**fields, "outcome": outcome, "seconds": seconds, **changes})


def test_figures_weigh_candidates_by_their_time_and_wrong_fixes_by_reported_ones():
    found = figures(
        [
            attempt("repaired", 1, candidates=100, candidates_per_s=100.0),
            attempt("repaired", 2, candidates=100, candidates_per_s=25.0),
            attempt("wrong", 3),
            attempt("abstained", 10),
        ]
    )
    assert (found["repaired_share"], found["wrong_share"]) == (0.5, 0.3333)
    assert (found["median_s"], found["candidates_per_s"]) == (2.5, 40.0)
    assert found["p90_s"] == pytest.approx(7.9)


def test_summary_splits_by_suite_and_by_edits():
    found = summary([attempt("repaired", 1), attempt("abstained", 1, suite="trading", single_edit=False)])
    assert found["corpus"]["repaired_share"] == found["single_edit"]["repaired_share"] == 1
    assert found["trading"]["repaired_share"] == found["several_edits"]["repaired_share"] == 0
    assert "proposers" in found


def test_tests_are_split_in_two_halves_that_lose_none():
    text = "import math\n\n" + "".join(
        f"@decorated({number})\ndef test_{number}():\n    assert math\n\n\n" for number in range(20)
    )
    visible, held_back = split_tests("tests/test_a.py", text)
    for number in range(20):
        name = f"def test_{number}()"
        assert (name in held_back, name in visible) == (
            (True, False) if is_held_back("tests/test_a.py", f"test_{number}") else (False, True)
        )
    assert visible.count("@decorated") + held_back.count("@decorated") == 20
    assert 3 <= visible.count("def ") <= 17
    for half in (visible, held_back):
        assert half.startswith("import math\n")
