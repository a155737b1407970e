import pytest

from tests.automation.repair.templates.search import Fault, check

GAP = """
def gap(values, size):
    low = min(values) - size
    high = max(values) + size
    return high - {}
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(
            GAP.format("size"),
            GAP.format("low"),
            "variable",
            60,
        ),
        Fault(
            "def span(items):\n    first = items[0] * 2\n    return len(items) - items[0] * 2, first\n",
            "def span(items):\n    first = items[0] * 2\n    return len(items) - len(items), first\n",
            "transplant",
            400,
        ),
        Fault("def larger(a, b):\n    return b if a > b else a\n", "def larger(a, b):\n    return a if a > b else b\n",
              "branch", 100),
        Fault("def pairs(xs, ys):\n    return [(x, y) for y in ys for x in xs]\n",
              "def pairs(xs, ys):\n    return [(x, y) for x in xs for y in ys]\n", "comprehension", 100),
        Fault("def turned(table):\n    return {k: v for k, v in table.items()}\n",
              "def turned(table):\n    return {v: k for k, v in table.items()}\n", "comprehension", 100),
        Fault("def by_size(rows):\n    return sorted(rows, key=lambda row: row[0])\n",
              "def by_size(rows):\n    return sorted(rows, key=lambda row: row[1])\n", "number", 100),
        Fault("def by_size(rows):\n    return sorted(rows, key=lambda row: row.size)\n",
              "def by_size(rows):\n    return sorted(rows, key=lambda row: -row.size)\n", "sort-key", 100),
        Fault("def part_of(a, b):\n    return a.issubset(b)\n", "def part_of(a, b):\n    return b.issubset(a)\n",
              "exchange", 60),
    ],
)  # fmt: skip
def test_right_expression_is_found(fault: Fault):
    check(fault)
