import pytest

from tests.automation.repair.templates.search import Fault, check

ROOT = "def root(value):\n    return {}\n"
ADDED = "def added(item, items={}):\n{}    items.append(item)\n    return items\n"
FETCH = "async def fetch(client):\n    answer = {}\n    return answer\n"
READER = "def read(table, key):\n    try:\n        return table[key]\n    except {}:\n        return None\n"
CHILD = "class Child(Base):\n    def __init__(self, name):\n{}        self.name = name\n"
SHAPE = """
class Shape:
    def __init__(self, side):
        self.side = side

{}    def area({}):
        return self.side
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(ROOT.format("math.sqrt(value)"), "import math\n" + ROOT.format("math.sqrt(value)"), "missing-import", 3,
              exception="NameError"),
        Fault(
            '"""Doc."""\nfrom __future__ import annotations\n' + ROOT.format("sqrt(value)"),
            '"""Doc."""\nfrom __future__ import annotations\nfrom math import sqrt\n' + ROOT.format("sqrt(value)"),
            "missing-import",
            5,
            exception="NameError",
        ),
        Fault(
            ROOT.format("precise(value)"), "from exact.numbers import precise\n" + ROOT.format("precise(value)"),
            "missing-import", 5, exception="NameError", elsewhere="from exact.numbers import precise\n",
        ),
        Fault(ADDED.format("[]", ""), ADDED.format("None", "    if items is None:\n        items = []\n"),
              "mutable-default", 20),
        Fault("def power(base, by=2):\n    return base ** by\n", "def power(base, by=3):\n    return base ** by\n",
              "number", 20),
        Fault(FETCH.format("client.get()"), FETCH.format("await client.get()"), "await", 30),
        Fault(READER.format("ValueError"), READER.format("KeyError"), "exception", 20, exception="KeyError"),
        Fault(READER.format("IndexError"), READER.format("(IndexError, KeyError)"), "exception", 40,
              exception="KeyError"),
        Fault(
            "def check(x):\n    if x < 0:\n        raise KeyError(x)\n",
            "def check(x):\n    if x < 0:\n        raise ValueError(x)\n",
            "exception",
            20,
            test_source="with pytest.raises(ValueError): check(-1)",
        ),
        Fault(CHILD.format(""), CHILD.format("        super().__init__(name)\n"), "initialiser", 120,
              exception="AttributeError"),
        Fault(SHAPE.format("", "self"), SHAPE.format("    @property\n", "self"), "decorator", 120,
              exception="TypeError"),
        Fault(SHAPE.format("", ""), SHAPE.format("", "self"), "own-parameter", 40, exception="TypeError"),
    ],
)  # fmt: skip
def test_right_definition_is_found(fault: Fault):
    check(fault)
