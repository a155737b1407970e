import pytest

from tests.automation.repair.templates.search import Fault, check

AVERAGE = """
LIMIT = 50


def average(values, first={first}):
    total = {start}
    for value in values:
        if value > {limit}:
            continue
        total += value
    return round(total / len(values), {digits})
"""


def average(first="None", start="0", limit="LIMIT", digits="2") -> str:
    return AVERAGE.format(first=first, start=start, limit=limit, digits=digits)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(average(start="1"), average(), "number", within=15),
        Fault(average(digits="3"), average(), "number", within=40),
        Fault(average(limit="40"), average(), "number", within=500),
        Fault(average(limit="100"), average(limit="50"), "number", within=500),
        Fault(average(first="True"), average(first="False"), "flag", within=15),
        Fault(average(first="[]"), average(first="{}"), "flag", within=400),
    ],
)
def test_right_number_or_flag_is_found(fault: Fault):
    check(fault)


BEST = """
def best(values):
    top = {}
    for value in values:
        if value > top:
            top = value
    return top
"""


@pytest.mark.parametrize(("faulty", "right"), [("0", "float('-inf')"), ("0", "values[0]"), ("None", "values[0]")])
def test_another_first_value_of_an_accumulator(faulty: str, right: str):
    check(Fault(BEST.format(faulty), BEST.format(right), "first-value", within=250))


@pytest.mark.parametrize(
    ("faulty", "right"),
    [("', '.join(words)", "' '.join(words)"), ("''.join(words)", "' '.join(words)"), ("'Total'", "'total'")],
)
def test_another_string(faulty: str, right: str):
    text = "def sentence(words):\n    return {}\n"
    check(Fault(text.format(faulty), text.format(right), "text", within=60))


def test_string_used_elsewhere_in_the_function():
    text = "def kind(value):\n    if value < 0:\n        return 'negative'\n    return '{}'\n"
    check(Fault(text.format("negative"), text.format(""), "text", within=60))
    other = "def kind(value, unit):\n    if unit == 'second':\n        return value\n    return {'minute': 60}[%s]\n"
    check(Fault(other % "'second'", other % "'minute'", "text", within=80))


def test_precision_in_a_format_specification():
    text = "def shown(value):\n    return f'{{value:.{}f}} USDT'\n"
    check(Fault(text.format(1), text.format(2), "text", within=60))


OFFSET = "def last(items, width):\n    return {}\n"


@pytest.mark.parametrize(
    ("faulty", "right"),
    [
        ("items[len(items)]", "items[len(items) - 1]"),
        ("items[width:]", "items[width + 1:]"),
        ("list(range(width))", "list(range(width + 1))"),
        ("len(items)", "len(items) - 1"),
        ("width < len(items)", "width < len(items) - 1"),
    ],
)
def test_one_more_or_one_less(faulty: str, right: str):
    check(Fault(OFFSET.format(faulty), OFFSET.format(right), "offset", within=40))
