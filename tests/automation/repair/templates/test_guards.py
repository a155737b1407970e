import pytest

from tests.automation.repair.templates.search import Fault, check

MEAN = '''
def mean(values):
    """Say it."""
{}    return sum(values) / len(values)
'''
FACTORIAL = """
def factorial(n):
{}    return n * factorial(n - 1)
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(
            MEAN.format(""), MEAN.format("    if not values:\n        return 0\n"), "guard", 40,
            exception="ZeroDivisionError",
        ),
        Fault(MEAN.format(""), MEAN.format("    if values is None:\n        return None\n"), "guard", 120),
        Fault(
            FACTORIAL.format(""), FACTORIAL.format("    if n == 0:\n        return 1\n"), "guard", 60,
            exception="RecursionError",
        ),
        Fault(
            FACTORIAL.format(""), FACTORIAL.format("    if n <= 1:\n        return 1\n"), "guard", 200,
            exception="RecursionError",
        ),
        Fault(
            "def joined(rows):\n    text = ''\n    for row in rows:\n        text += row\n    return text\n",
            "def joined(rows):\n    text = ''\n    for row in rows:\n        if not row:\n            continue\n"
            "        text += row\n    return text\n",
            "skip",
            200,
        ),
        Fault(
            "def size(side):\n    return side * 4\n",
            "def size(side):\n    if side < 0:\n        raise ValueError('side is out of range')\n"
            "    return side * 4\n",
            "refusal",
            60,
            exception="Failed",
            test_source="def test_it():\n    with pytest.raises(ValueError):\n        size(-1)\n",
        ),
    ],
)  # fmt: skip
def test_right_guard_is_found(fault: Fault):
    check(fault)


def test_entry_of_the_function_is_tried_when_only_a_line_inside_is_suspicious():
    right = MEAN.format("    if not values:\n        return 0\n")
    check(Fault(MEAN.format(""), right, "guard", 100, line=3, exception="ZeroDivisionError"))
