"""The proof: rewrites that differ anywhere are found out, those that do not are called equal, on real workloads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from automation.codebase.workspaces import Workspace, open_workspace
from automation.incidents.suites import SuiteSettings, suite_settings
from automation.tasks.optimize.proving import Proof, Question, prove
from automation.tasks.optimize.workloads import Workload, told, workload_server
from tests.automation.pipeline.targets import plant
from trading.errors import Refused

ORIGINAL = '''"""Sums."""

LOG = []


def total(xs, start=0):
    """Sum what is not zero."""
    if start < 0:
        raise ValueError("start must not be negative")
    LOG.append(len(xs))
    result = start
    for x in xs:
        if x != 0:
            result += x
    return result
'''
BODY = "    result = start\n    for x in xs:\n        if x != 0:\n            result += x\n    return result\n"
BENCH = """
from sums import total

for n in range(40):
    total(list(range(n)), n)
    total([0.1 * i for i in range(n)])
"""
VERSIONS = {
    "the same": "the same",
    "another order": "    return sum(x for x in reversed(xs) if x != 0) + start\n",
    "wrong for long lists only": BODY.replace("in xs:", "in xs[:30]:"),
    "wrong at the edge": BODY.replace(
        "    result = start\n", "    result = start\n    if len(xs) > 50:\n        return -1\n"
    ),
    "changes its argument": "    xs[:] = [x for x in xs if x != 0]\n" + BODY,
    "prints": BODY.replace("    return", "    print(result)\n    return"),
    "does not end": "    while True:\n        pass\n",
    "another error": "another error",
    "forgets to log": "forgets to log",
    "breaks its module": None,
}


def version(body: str | None) -> str:
    if body == "forgets to log":
        return ORIGINAL.replace("    LOG.append(len(xs))\n", "")
    if body == "the same":
        return ORIGINAL.replace("LOG = []\n", "LOG = []\nMORE = 3\n").replace("if x != 0", "if x")
    if body == "another error":
        return ORIGINAL.replace("ValueError", "TypeError")
    return ORIGINAL.replace(BODY, body) if body is not None else ORIGINAL + "\nraise RuntimeError('broken')\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, SuiteSettings]:
    folder = tmp_path_factory.mktemp("proof")
    target = plant(folder / "sums", {"sums.py": ORIGINAL, "bench.py": BENCH, "wrong.py": "raise SystemExit(3)\n"})
    workspace = open_workspace(target, folder / "work")
    return workspace, suite_settings(workspace.tree, workspace.target)


@pytest.fixture(scope="module")
def proofs(bench: tuple[Workspace, SuiteSettings]) -> Mapping[str, Proof]:
    texts = tuple(version(body) for body in VERSIONS.values())
    question = Question("sums.py", "total", ORIGINAL, texts)
    work = Workload("script", "bench.py", "bench.py")
    found = prove(*bench, question, [work], seconds=6.0)
    return dict(zip(VERSIONS, found, strict=True))


def test_a_rewrite_that_does_the_same_is_equal_and_timed(proofs: Mapping[str, Proof]) -> None:
    same = proofs["the same"]
    assert same.equal, same.reason
    assert same.ratio is not None
    assert same.ratio > 0
    assert same.inputs > same.seen > 40
    assert same.calls == 80


@pytest.mark.parametrize("name", [name for name in VERSIONS if name != "the same"])
def test_a_rewrite_that_differs_is_found_out(name: str, proofs: Mapping[str, Proof]) -> None:
    proof = proofs[name]
    assert not proof.equal
    assert proof.compared
    assert proof.reason
    assert proof.ratio is None


@pytest.mark.slow
def test_fractions_are_compared_bit_by_bit_unless_a_tolerance_is_given(
    bench: tuple[Workspace, SuiteSettings], proofs: Mapping[str, Proof]
) -> None:
    assert "~" in proofs["another order"].reason or "0." in proofs["another order"].reason
    body = BODY.replace("result += x", "result += x + 1e-15")
    work = Workload("script", "bench.py", "bench.py")
    question = Question("sums.py", "total", ORIGINAL, (version(body),))
    (proof,) = prove(*bench, question, [work], tolerance=1e-3, seconds=4.0)
    # Whole numbers became fractions, which no tolerance allows.
    assert not proof.equal


def test_what_cannot_be_called_cannot_be_proven(bench: tuple[Workspace, SuiteSettings]) -> None:
    never = Question("bench.py", "nothing", BENCH, (BENCH,))
    assert prove(*bench, never, [Workload("script", "bench.py", "bench.py")])[0].reason == "nothing is no function"


@pytest.mark.parametrize("mode", ["time", pytest.param("memory", marks=pytest.mark.slow)])
def test_a_workload_that_fails_is_refused(mode: str, bench: tuple[Workspace, SuiteSettings]) -> None:
    job = {"mode": mode, "workload": Workload("script", "wrong.py", "wrong.py").job(bench[1])}
    with workload_server(*bench, "workload_run.py") as server, pytest.raises(Refused, match="exit code 3"):
        told(server.submit(job).result(), "timed")


def test_a_folder_is_left_as_it_was(bench: tuple[Workspace, SuiteSettings], proofs: Mapping[str, Proof]) -> None:
    tree = bench[0].tree
    assert (tree / "sums.py").read_text(encoding="utf-8") == ORIGINAL
    assert sorted(path.name for path in Path(bench[0].target).glob("*.py")) == ["bench.py", "sums.py", "wrong.py"]
