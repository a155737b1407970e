import pytest

from tests.automation.repair.templates.search import Fault, check

BOUNDARY = """
def count_up(limit):
    total = 0
    step = 1
    while step {} limit:
        total += step
        step += 1
    return total
"""
SEARCH = """
def position(items, wanted):
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) {} 2
        if items[middle] {} wanted:
            return middle
        if items[middle] < wanted:
            low = middle + 1
        else:
            high = middle - 1
    return -1
"""


def one_line(expression: str, parameters: str = "a, b, c") -> str:
    return f"def result({parameters}):\n    value = {expression}\n    return value\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(BOUNDARY.format("<"), BOUNDARY.format("<="), "comparison", within=5),
        Fault(SEARCH.format("//", "!="), SEARCH.format("//", "=="), "negation", within=40),
        Fault(SEARCH.format("/", "=="), SEARCH.format("//", "=="), "arithmetic", within=40),
        Fault(one_line("a in b"), one_line("a not in b"), "comparison", within=20),
        Fault(one_line("a is 1000"), one_line("a == 1000"), "comparison", within=20),
        Fault(one_line("(a) > (b)  # > is said"), one_line("(a) >= (b)"), "comparison", within=20),
        Fault(one_line("a * b"), one_line("a ** b"), "arithmetic", within=40),
        Fault(one_line("a & b"), one_line("a | b"), "arithmetic", within=40),
        Fault(one_line("a or b"), one_line("a and b"), "logic", within=20),
        Fault(one_line("a and b and c"), one_line("a or b or c"), "logic", within=40),
        Fault(one_line("a + b * c"), one_line("(a + b) * c"), "grouping", within=60),
        Fault(one_line("(a + b) / c"), one_line("a + b / c"), "grouping", within=60),
        Fault(one_line("not (a and b)"), one_line("not a and b"), "grouping", within=60),
        Fault(one_line("-a"), one_line("a"), "sign", within=60),
        Fault(one_line("a * b"), one_line("a * -b"), "sign", within=150),
        Fault(one_line("a - b"), one_line("b - a"), "operand", within=60),
        Fault(one_line("a + 1"), one_line("a"), "operand", within=60),
        Fault(one_line("abs(a - b)"), one_line("abs(a - b) + c"), "extra-term", within=250),
    ],
)
def test_right_operator_is_among_the_first_candidates(fault: Fault):
    check(fault)


@pytest.mark.parametrize(
    ("faulty", "right"),
    [("total = value", "total += value"), ("total += value", "total -= value"), ("total += value", "total = value")],
)
def test_assignment_becomes_augmented_and_the_other_way_round(faulty: str, right: str):
    text = "def total_of(values):\n    total = 0\n    for value in values:\n        {}\n    return total\n"
    check(Fault(text.format(faulty), text.format(right), "augmented", within=40))


def test_comments_between_operands_are_not_taken_for_operators():
    faulty = "def same(a, b):\n    return (a  # <= not this\n            < b)\n"
    check(Fault(faulty, "def same(a, b):\n    return a <= b\n", "comparison", within=10))
