"""Planted faults: each pattern changes what its name says, nothing else, and what it makes still parses."""

from __future__ import annotations

import ast
import difflib
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.repair_corpus.planting import PATTERNS, chosen_faults, faults_in

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = {
    "lost statement": ("    x = 1\n    x = x + y\n    return x\n", "    x = 1\n    return x\n"),
    "lost guard": ("    if not y:\n        return 0\n    return 1 / y\n", "    return 1 / y\n"),
    "lost condition": ("    return y and x\n", "    return x\n"),
    "lost term": ("    return x + y\n", "    return (x)\n"),
    "lost clamp": ("    return max(0, x)\n", "    return (x)\n"),
    "lost wrapper": ("    return abs(x)\n", "    return (x)\n"),
    "forgotten else": ("    return x if y else 0\n", "    return (x)\n"),
    "moved out of the loop": (
        "    for x in y:\n        x += 1\n        y.add(x)\n    return y\n",
        "    for x in y:\n        x += 1\n    y.add(x)\n    return y\n",
    ),
    "wrong constant": ("    return x * 60\n", "    return x * 600\n"),
    "inverted condition": ("    while x:\n        x -= 1\n", "    while not (x):\n        x -= 1\n"),
    "wrong comparison": ("    return x < y\n", "    return x <= y\n"),
    "off by one": ("    return list(range(x))\n", "    return list(range(x - 1))\n"),
    "wrong rounding": ("    return x // y\n", "    return -(-(x) // y)\n"),
    "wrong variable": ("    return x\n", "    return y\n"),
    "wrong attribute": ("    return x.a, x.b\n", "    return x.b, x.b\n"),
    "swapped arguments": ("    return f(x, y)\n", "    return f(y, x)\n"),
    "overwritten sum": ("    x += y\n    return x\n", "    x = y\n    return x\n"),
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_plants_its_fault(pattern):
    before, after = (
        f'def f(x, y):\n    """é: what comes before may be wider than a byte."""\n{body}' for body in EXAMPLES[pattern]
    )
    found = [fault for fault in faults_in(before) if fault.pattern == pattern]
    assert after in [fault.text for fault in found]


def test_faults_of_real_code_parse_differ_and_touch_few_lines():
    for path in ("trading/orders/pairing.py", "trading/engine/sizing.py", "trading/market/names.py"):
        text = (ROOT / path).read_text(encoding="utf-8")
        faults = faults_in(text)
        assert len({fault.text for fault in faults}) == len(faults)
        assert {fault.single_edit for fault in faults} == {True, False}
        for fault in faults:
            ast.parse(fault.text)
            changes = [line for line in difflib.ndiff(text.splitlines(), fault.text.splitlines()) if line[0] in "+-"]
            assert 0 < len(changes) <= 24


def test_docstrings_signatures_and_module_level_are_left_alone():
    text = 'LIMIT = 60\n\n\ndef f(x=5):\n    """Return 60."""\n    return x\n'
    assert [fault.text for fault in faults_in(text)] == []


def test_a_name_never_loses_its_only_value():
    text = "def f(y):\n    x = y\n    z = 2\n    z = 3\n    return x * z\n"
    lost = [fault.text for fault in faults_in(text) if fault.pattern == "lost statement"]
    assert len(lost) == 2
    assert all("x = y" in found for found in lost)


def test_choice_is_repeatable_complete_and_varied():
    text = (ROOT / "trading/orders/pairing.py").read_text(encoding="utf-8")
    first = list(chosen_faults(text, 7))
    assert first == list(chosen_faults(text, 7))
    assert first != list(chosen_faults(text, 8))
    assert sorted(fault.text for fault in first) == sorted(fault.text for fault in faults_in(text))
    assert len({fault.pattern for fault in islice(first, 10)}) >= 8
