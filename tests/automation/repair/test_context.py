"""What a model is shown."""

from __future__ import annotations

import ast
from pathlib import Path

from automation.codebase.sources import SourceFile
from automation.repair.context import call_texts, examples, failure_lines, function_context, values_at
from automation.repair.records import Evidence

TEXT = '''\
import math
import os
from math import (
    floor,
)

SCALE = 10
UNUSED = 3


def shrink(x: float, by: float = 2.0) -> float:
    """Make smaller."""
    return x / by


class Shape(dict):
    """A shape."""

    sides = 4
    colour = "red"

    def __init__(self, width):
        self.width = width

    def area(self):
        return self.width ** 2 * self.sides

    @property
    def rounded(self):
        # keep the comment
        return floor(shrink(self.area() * SCALE) + math.pi)
'''


def test_preamble_holds_what_the_function_names_and_nothing_else() -> None:
    context = function_context(SourceFile("shapes.py", TEXT), "Shape.rounded")
    assert context is not None
    assert context.text == TEXT[TEXT.index("    @property") :]
    assert context.preamble.splitlines() == [
        "import math",
        "from math import floor",
        "SCALE = 10",
        "def shrink(x: float, by: float=2.0) -> float: ...  # Make smaller.",
        "",
        "class Shape(dict):",
        "    def __init__(self, width):",
        "        self.width = width",
        "    def area(self): ...",
    ]
    ast.parse(f"{context.preamble}\n{context.text}")


def test_unknown_function_or_broken_file_has_no_context() -> None:
    assert function_context(SourceFile("shapes.py", TEXT), "Shape.missing") is None
    assert function_context(SourceFile("shapes.py", "def f(:"), "f") is None


def test_examples_name_the_function_first_and_stay_one_line() -> None:
    test = (
        "def test():\n    assert other() == 1\n    assert shrink(\n        4,\n    ) == 2\n    assert shrink(2) == 1\n"
    )
    assert examples(Evidence(("t",), "", test_source=test), "m.shrink") == (
        "shrink(4) == 2",
        "shrink(2) == 1",
        "other() == 1",
    )
    assert examples(Evidence(("t",), "", test_source="    broken("), "shrink") == ()


def test_calls_elsewhere_are_found_and_broken_files_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def use(n):\n    return shapes.shrink(n, by=3)\n")
    (tmp_path / "b.py").write_text("def shrink(:\n")
    assert call_texts(tmp_path, ["b.py", "missing.py", "a.py"], "shrink") == (
        "def use(n): calls shapes.shrink(n, by=3)",
    )


def test_failure_and_values_are_bounded() -> None:
    values = {f"shapes.py:{line}": (f"x={line}",) for line in range(1, 60)}
    evidence = Evidence(("t",), "\n".join(f"line {n}" for n in range(40)) + "\n" + "z" * 5000, values=values)
    assert len(failure_lines(evidence)) == 8
    assert max(map(len, failure_lines(evidence))) <= 240
    assert values_at(evidence, "shapes.py", 5, 6) == ("line 5: x=5", "line 6: x=6")
    assert len(values_at(evidence, "shapes.py", 1, 59)) == 8
    assert values_at(evidence, "other.py", 1, 59) == ()
