import pytest

from tests.automation.repair.templates.search import Fault, check

WALK = """
def walk(graph, start, limit):
    seen = set()
    stack = [start]
    while stack:
        node = stack.pop()
        if {}:
            continue
        seen.add(node)
        for other in graph[node]:
            if other not in seen:
                stack.append(other)
    return seen
"""


@pytest.mark.parametrize(
    ("faulty", "right", "family"),
    [
        ("node not in seen", "node in seen", "comparison"),
        ("seen", "not seen", "negation"),
        ("node in seen and limit", "node in seen", "dropped-condition"),
        ("node in seen and limit", "limit", "dropped-condition"),
        ("node in seen", "True", "dropped-condition"),
        ("node in seen", "node in seen or node is None", "added-condition"),
        ("node in seen", "node in seen and limit", "added-condition"),
        ("limit", "limit is not None", "comparison-of-value"),
        ("node in seen or not (limit and start)", "node in seen or (limit and start)", "sign"),
        ("0 < node < limit", "0 < node", "dropped-condition"),
    ],
)
def test_right_condition_is_found(faulty: str, right: str, family: str):
    check(Fault(WALK.format(faulty), WALK.format(right), family, within=1500))


@pytest.mark.parametrize(
    ("faulty", "right", "family"),
    [
        ("[item for item in items if item]", "[item for item in items]", "dropped-condition"),
        ("[item for item in items]", "[item for item in items if item]", "filter"),
        ("[item for item in items]", "[item for item in items if item is not None]", "filter"),
        ("[item for item in items]", "[item for item in items if item != wanted]", "filter"),
        ("[item for item in items if item == wanted]", "[item for item in items if item != wanted]", "negation"),
    ],
)
def test_right_filter_is_found(faulty: str, right: str, family: str):
    text = "def chosen(items, wanted):\n    return {}\n"
    check(Fault(text.format(faulty), text.format(right), family, within=100))
