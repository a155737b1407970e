import pytest

from automation.repair.templates.flows import opposite
from tests.automation.repair.templates.search import Fault, check


def loop(*lines: str, head: str = "def work(rows, prices, default):", tail: str = "") -> str:
    text = f"{head}\n    found = []\n    for row in rows:\n" + "".join(f"        {line}\n" for line in lines)
    return text + tail + "    return found\n"


GROUPS = """def grouped(items, size):
    part, parts = [], []
    for item in items:
        part.append(item)
        if len(part) == size:
            parts.append(part)
            part = []
{}    return parts
"""
ACCOUNT = """class Tank:
    def __init__(self):
        self.level = 0

    def fill(self, litres):
        if litres <= 0:
            raise ValueError("too little")
        self.level += litres

    def drain(self, litres):
{}        return litres
"""
DRAINED = "        self.level -= litres\n"
GUARD = '        if litres <= 0:\n            raise ValueError("too little")\n'


@pytest.mark.parametrize(
    "fault",
    [
        Fault(loop("name = row[0]", "found.append(prices[name])"),
              loop("name = row[0]", "if name not in prices:", "    continue", "found.append(prices[name])"),
              "local-guard", 300, exception="KeyError"),
        Fault(loop("found.append(row)", "prices.append(row)"),
              loop("if row not in found:", "    found.append(row)", "    prices.append(row)"), "conditional-run", 400),
        Fault(loop("left = row - default", "found.append(left)"),
              loop("left = row - default", "if left < 0:", "    break", "found.append(left)"), "late-guard", 500),
        Fault(GROUPS.format(""), GROUPS.format("    if part:\n        parts.append(part)\n"), "leftover", 200),
        Fault(ACCOUNT.format(""), ACCOUNT.format(DRAINED), "expected-statement", 120),
        Fault(ACCOUNT.format(DRAINED), ACCOUNT.format(GUARD + DRAINED), "sibling-guard", 150),
    ],
)  # fmt: skip
def test_missing_flow_is_found(fault: Fault):
    check(fault)


@pytest.mark.parametrize(
    ("condition", "other"),
    [
        ("a in b", "a not in b"),
        ("a not in b", "a in b"),
        ("a is None", "a is not None"),
        ("a < b", "a >= b"),
        ("not a", "a"),
        ("a", "not (a)"),
        ("a or b in c", "not (a or b in c)"),
    ],
)
def test_opposite_of_a_condition(condition: str, other: str):
    assert opposite(condition) == other
