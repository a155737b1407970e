import pytest

from tests.automation.repair.templates.search import Fault, check


def returned(expression: str) -> str:
    return (
        f"def part(items, start, count):\n    for step in range(3):\n        count += step\n    return {expression}\n"
    )


@pytest.mark.parametrize(
    ("faulty", "right", "family"),
    [
        ("items[start:count]", "items[start:]", "slice"),
        ("items[start:]", "items[:start]", "slice"),
        ("items[:count]", "items[1:count]", "slice"),
        ("items[start:]", "items[start:start + count]", "slice"),
        ("items[:]", "items[::-1]", "slice"),
        ("items[::2]", "items[:]", "slice"),
        ("sum(items)", "sum(items[1:])", "slice"),
        ("items[start]", "items[0]", "index"),
        ("items[0]", "items[-1]", "number"),
        ("items[start][count]", "items[count][start]", "index"),
        ("items[start]", "items", "index"),
        ("list(range(count))", "list(range(1, count + 1))", "range"),
        ("list(range(count))", "list(range(start, count))", "range"),
        ("list(range(count))", "list(range(count - 1, -1, -1))", "range"),
        ("list(range(start, count))", "list(range(start, count, -1))", "range"),
        ("list(range(start, count, 2))", "list(range(start, count))", "range"),
    ],
)
def test_right_position_is_found(faulty: str, right: str, family: str):
    check(Fault(returned(faulty), returned(right), family, within=250))
