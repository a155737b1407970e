"""Statements: what spans which lines and what decides whether it runs."""

from __future__ import annotations

import ast

from automation.repair.statements import by_line, function_at, function_named, statements_of

TEXT = '''\
"""Module."""
import os


class A:
    """Class."""

    size: int = 3

    def run(self, n=os.sep):
        """Method."""
        for i in range(
            n,
        ):
            if i > self.size: return i
        else:
            n = 0
        try:
            os.stat(n)
        except OSError:
            raise
        match n:
            case 0 if n:
                pass

        def inner():
            yield n
        return inner
'''


def test_docstrings_and_bare_headers_are_no_statements() -> None:
    lines = by_line(statements_of(TEXT))
    assert sorted(lines) == [2, 8, 10, 12, 13, 14, 15, 17, 19, 20, 21, 22, 23, 24, 27, 28]


def test_governor_is_the_header_that_decides() -> None:
    found = statements_of(TEXT)
    lines = by_line(found)
    loop = lines[12][0]
    condition, inside = lines[15]
    assert (found[condition].governor, found[inside].governor) == (loop, condition)
    assert found[lines[21][0]].governor == lines[20][0]
    assert found[lines[24][0]].governor == lines[23][0]
    assert found[lines[28][0]].governor == -1


def test_names_functions_and_owners() -> None:
    found = statements_of(TEXT)
    lines = by_line(found)
    assert [(found[lines[line][0]].function, found[lines[line][0]].owner) for line in (8, 10, 27, 28)] == [
        ("", "A"),
        ("A.run", "A"),
        ("A.run.inner", "A"),
        ("A.run", "A"),
    ]
    assert ".size" in found[lines[15][0]].reads
    assert "n" in found[lines[17][0]].writes


def test_function_lookup_takes_the_innermost_and_the_last() -> None:
    tree = ast.parse(TEXT)
    inner, outer = function_at(tree, 27), function_at(tree, 20)
    assert inner is not None
    assert inner.name == "A.run.inner"
    assert outer is not None
    assert outer.owner is not None
    assert outer.owner.name == "A"
    twice = ast.parse("def f(): return 1\ndef f(): return 2\n")
    last = function_named(twice, "f")
    assert last is not None
    assert last.line == 2
    assert function_named(twice, "g") is None
