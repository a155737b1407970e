"""Mutants: each operator changes what its name says, and what means the same is left out."""

from __future__ import annotations

import ast

import pytest

from automation.tasks.generate_tests.mutants import OPERATORS, mutants_of, sampled

EXAMPLES = {
    "comparison": ("    return a < b\n", "return (a >= b)"),
    "boundary": ("    return a < b\n", "return (a <= b)"),
    "arithmetic": ("    return a + b\n", "return (a - b)"),
    "constant": ("    return a * 60\n", "return a * (61)"),
    "boolean": ("    return a and b\n", "return (a or b)"),
    "argument": ("    return min(a, b)\n", "return (max(a, b))"),
    "return": ("    return a\n", "return None"),
    "statement": ("    a.sort()\n    return a\n", "pass"),
    "jump": ("    for x in a:\n        break\n    return b\n", "continue"),
    "exception": ("    if a:\n        raise ValueError(b)\n    return b\n", "pass"),
    "augmented": ("    a += b\n    return a\n", "a -= b"),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_makes_its_fault(operator: str):
    body, expected = EXAMPLES[operator]
    found = mutants_of(f"def f(a, b):\n{body}", (operator,))
    assert any(expected in mutant.text for mutant in found)
    assert {mutant.operator for mutant in found} == {operator}


def test_every_mutant_parses_and_differs_from_the_others():
    text = "def f(a, b=3):\n    if a > b and not b:\n        return [a - 1, 'x']\n    return a[1:] or None\n"
    found = mutants_of(text)
    trees = [ast.dump(ast.parse(mutant.text)) for mutant in found]
    assert len(found) > 10
    assert len(set(trees)) == len(trees)
    assert ast.dump(ast.parse(text)) not in trees


@pytest.mark.parametrize(
    "text",
    [
        'def f():\n    """A text of 1 line."""\n',
        "def f(a: int = None) -> int:\n    b: int\n",
        'def f(a):\n    raise ValueError("no " + a)\n',
        'def f(log, a):\n    log.debug("a is %s", 1)\n',
    ],
    ids=["docstring", "annotation", "message", "log line"],
)
def test_what_no_test_of_values_sees_is_left_alone(text: str):
    changed = [mutant for mutant in mutants_of(text) if mutant.operator not in {"exception", "statement"}]
    assert changed == []


def test_lines_and_functions_of_mutants_are_where_they_stand():
    text = "class A:\n    def f(self, a):\n        b = 1\n        return a + b\n"
    places = {(mutant.function, mutant.line) for mutant in mutants_of(text)}
    assert places == {("A.f", 3), ("A.f", 4)}


def test_a_sample_takes_turns_among_functions_and_operators():
    text = "def f(a):\n    return a + 1 + 2 + 3 + 4 + 5 + 6\n\n\ndef g(a):\n    return a < 0\n"
    chosen = sampled(mutants_of(text), 6, seed=1)
    assert len(chosen) == 6
    assert {mutant.function for mutant in chosen} == {"f", "g"}
    assert chosen == sampled(mutants_of(text), 6, seed=1)
