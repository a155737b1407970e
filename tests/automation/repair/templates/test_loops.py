import pytest

from tests.automation.repair.templates.search import Fault, check

SCAN = """
def scan(items, limit):
    total = 0
    for item in items:
        {} item > limit:
            {}
        total += item
    return total
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(SCAN.format("if", "break"), SCAN.format("if", "continue"), "jump", 30),
        Fault(SCAN.format("if", "pass"), SCAN.format("if", "continue"), "jump", 60),
        Fault(SCAN.format("if", "return"), SCAN.format("if", "break"), "jump", 100),
        Fault(SCAN.format("if", "item -= limit"), SCAN.format("while", "item -= limit"), "keyword-statement", 150),
        Fault(
            "def sign(value):\n    if value > 0:\n        size = 1\n    size = -1\n    return size\n",
            "def sign(value):\n    if value > 0:\n        size = 1\n    else:\n        size = -1\n    return size\n",
            "else",
            150,
        ),
        Fault(
            "def grade(value):\n    name = ''\n    if value > 9:\n        name = 'a'\n    if value > 5:\n"
            "        name = 'b'\n    return name\n",
            "def grade(value):\n    name = ''\n    if value > 9:\n        name = 'a'\n    elif value > 5:\n"
            "        name = 'b'\n    return name\n",
            "keyword-statement",
            200,
        ),
        Fault(
            "def sign(value):\n    if value < 0:\n        return 1\n    else:\n        return -1\n",
            "def sign(value):\n    if value < 0:\n        return -1\n    else:\n        return 1\n",
            "result-order",
            60,
        ),
    ],
)
def test_right_flow_is_found(fault: Fault):
    check(fault)
