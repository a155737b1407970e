import pytest

from tests.automation.repair.templates.search import Fault, check


def one(line: str, head: str = "a, b, low, high") -> str:
    return f"def work({head}):\n    return {line}\n"


SORTED = "def ranked(rows):\n    return sorted(rows, key=lambda row: {}, reverse={})\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(one("a < low or a > high"), one("a <= low or a >= high"), "both-comparisons", 60),
        Fault(one("max(low, min(a, high))"), one("min(low, max(a, high))"), "both-calls", 60),
        Fault(one("list(range(low, high))"), one("list(range(low + 1, high + 1))"), "both-ends", 80),
        Fault(one("a[low] == b[high]"), one("a[low - 1] == b[high - 1]"), "both-ends", 120),
        Fault(one("(a - b) * a - b"), one("(b - a) * b - a"), "role", 80),
        Fault(SORTED.format("(row[1], row[0])", True), SORTED.format("(-row[1], row[0])", False), "sort-order", 60),
        Fault(
            "def shared(a, b):\n    if b == 0:\n        return a\n    return shared(a, a % b)\n",
            "def shared(a, b):\n    if b == 0:\n        return a\n    return shared(a % b, b)\n",
            "recursion", 100,
        ),
        Fault(
            "def turned(a, b, c):\n    if a > 9:\n        return a\n    return turned(a, b + c, c)\n",
            "def turned(a, b, c):\n    if a > 9:\n        return a\n    return turned(b + c, c, a)\n",
            "recursion", 150,
        ),
        Fault(
            "def sign(a):\n    if a > 0:\n        return 7\n    if a < 0:\n        return 8\n    return 9\n",
            "def sign(a):\n    if a > 0:\n        return 8\n    if a < 0:\n        return 7\n    return 9\n",
            "result-order", 120,
        ),
    ],
)  # fmt: skip
def test_change_in_two_places_is_found(fault: Fault):
    check(fault)
