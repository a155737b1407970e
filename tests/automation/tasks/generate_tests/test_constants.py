"""Constants: what the code compares with, what its documentation quotes, not what its errors say."""

from __future__ import annotations

import ast

from automation.tasks.generate_tests.constants import constants_of

TEXT = '''\
UNITS = {"m": 60, "h": 3600}
OTHER = 77


def length(text):
    """Return the seconds of a length such as ``5m``."""
    if text == "now":
        raise ValueError("no length of 12")
    return _of(text)


def _of(text):
    return UNITS[text[-1]] * 9
'''


def test_constants_of_a_function_and_of_what_it_uses():
    tree = ast.parse(TEXT)
    numbers, texts = constants_of(tree, tree.body[2])
    assert set(numbers) == {60, 3600, 1, 9}
    assert set(texts) == {"5m", "now", "m", "h"}
