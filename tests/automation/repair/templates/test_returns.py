import pytest

from tests.automation.repair.templates.search import Fault, check

TREE = """
def depth(node, level=0):
    best = level
    for child in node.children:
        best = max(best, depth(child, level + 1))
    return {}
"""
NESTED = """
def has(tree, wanted):
    if tree.value == wanted:
        return True
    for child in tree.children:
        {}
    return {}
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(TREE.format("level"), TREE.format("best"), "variable", within=60),
        Fault(TREE.format("best + 1"), TREE.format("best"), "operand", within=200),
        Fault(TREE.replace("    return {}\n", ""), TREE.format("best"), "missing-return", within=100),
        Fault(
            NESTED.format("has(child, wanted)", "False"),
            NESTED.format("return has(child, wanted)", "False"),
            "missing-return",
            within=100,
        ),
        Fault(
            NESTED.format("return has(child, wanted)", "True"),
            NESTED.format("return has(child, wanted)", "False"),
            "flag",
            within=30,
        ),
        Fault(
            "def flat(items):\n    for item in items:\n        yield item\n        yield flat(item)\n",
            "def flat(items):\n    for item in items:\n        yield item\n        yield from flat(item)\n",
            "yield",
            within=100,
        ),
        Fault(
            "def evens(items):\n    for item in items:\n        if item % 2:\n            pass\n        return item\n",
            "def evens(items):\n    for item in items:\n        if item % 2:\n            pass\n        yield item\n",
            "yield",
            within=200,
        ),
        Fault(
            "def first(items):\n    for item in items:\n        if item:\n            found = item\n    return found\n",
            "def first(items):\n    for item in items:\n        if item:\n            found = item\n"
            "            break\n    return found\n",
            "branch-end",
            within=400,
        ),
        Fault(
            "def sizes(items):\n    if not items:\n        return None\n    return [len(item) for item in items]\n",
            "def sizes(items):\n    if not items:\n        return []\n    return [len(item) for item in items]\n",
            "flag",
            within=100,
        ),
    ],
)
def test_right_result_is_found(fault: Fault):
    check(fault)
