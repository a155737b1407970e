"""The benchmark of generated tests: it runs, and prints one JSON line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.slow
def test_one_module_is_measured_against_the_ghostwriter():
    pytest.importorskip("black", reason="the ghostwriter formats with black")
    words = ["--only", "colorsys", "--seconds", "20", "--mutants", "10"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.testgen", *words], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    scores = json.loads(line)["mutation_score"]
    assert scores["before"] == 0.0
    assert scores["gridbot"] > scores["ghostwriter"]
