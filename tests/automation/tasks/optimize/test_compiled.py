"""A numeric loop compiled by numba: proven equal in the sandbox, and much faster."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation.codebase.sources import read_source
from automation.codebase.workspaces import open_workspace
from automation.incidents.suites import suite_settings
from automation.tasks.optimize.drafts import applied
from automation.tasks.optimize.proving import Proof, Question, prove
from automation.tasks.optimize.templates.catalogue import template_drafts
from automation.tasks.optimize.workloads import Workload
from tests.automation.pipeline.targets import plant

DRAWDOWN = '''"""Falls of prices."""

import numpy as np


def drawdown(prices: np.ndarray) -> float:
    """Return the largest fall from a peak."""
    if len(prices) == 0:
        return 0.0
    peak = prices[0]
    worst = 0.0
    for i in range(len(prices)):
        if prices[i] > peak:
            peak = prices[i]
        if peak - prices[i] > worst:
            worst = peak - prices[i]
    return worst
'''
BENCH = """
import numpy as np

from falls import drawdown

prices = 100 + np.cumsum(np.random.default_rng(0).normal(0, 0.1, 4_000))
for n in range(40):
    drawdown(prices[n:])
"""
FILES = {
    "falls.py": DRAWDOWN,
    "bench.py": BENCH,
    "pyproject.toml": '[project]\nname = "falls"\nversion = "1"\ndependencies = ["numba", "numpy"]\n',
}


def proof_of(folder: Path, original: str, version: str) -> Proof:
    target = plant(folder / "falls", {**FILES, "falls.py": original})
    workspace = open_workspace(target, folder / "work")
    settings = suite_settings(workspace.tree, workspace.target)
    work = Workload("script", "bench.py", "bench.py")
    return prove(workspace, settings, Question("falls.py", "drawdown", original, (version,)), [work], seconds=15.0)[0]


def compiled(folder: Path) -> str:
    target = plant(folder / "read", FILES)
    source = read_source(target, "falls.py")
    [draft] = [each for each in template_drafts(source, "drawdown", target) if each.proposer == "template:numba"]
    return applied(source.text, draft.edits)


@pytest.mark.slow
def test_a_compiled_loop_is_equal_and_faster(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    version = compiled(tmp_path)
    assert "@numba.njit(cache=True)\ndef drawdown" in version
    proof = proof_of(tmp_path, DRAWDOWN, version)
    assert proof.equal, proof.reason
    assert proof.ratio is not None
    assert proof.ratio < 0.5


@pytest.mark.slow
def test_a_compiled_loop_without_a_guard_reads_past_an_empty_array_and_is_found_out(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    guard = "    if len(prices) == 0:\n        return 0.0\n"
    proof = proof_of(tmp_path, DRAWDOWN.replace(guard, ""), compiled(tmp_path).replace(guard, ""))
    assert not proof.equal
    assert "IndexError" in proof.reason


@pytest.mark.slow
@pytest.mark.parametrize(("promise", "equal"), [(" -> float", True), ("", False)])
def test_a_plain_number_is_enough_only_where_the_annotation_promises_no_more(
    promise: str, equal: bool, tmp_path: Path
) -> None:
    original = DRAWDOWN.replace(" -> float", promise)
    proof = proof_of(tmp_path, original, original.replace("return worst", "return float(worst)"))
    assert proof.equal is equal, proof.reason
    assert equal or "float64" in proof.reason
