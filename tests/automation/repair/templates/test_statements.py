import pytest

from tests.automation.repair.templates.search import Fault, check


def function(*lines: str) -> str:
    return "def work(items, limit):\n" + "".join(f"    {line}\n" for line in lines)


TOTAL = function("total = 0", "for item in items:", "    total += item", "return total")
SEEN = function(
    "seen = set()", "found = []", "for item in items:", "    if item not in seen:", "        seen.add(item)",
    "        found.append(item)", "return found",
)  # fmt: skip
COUNT = function("count = 0", "while count < limit:", "    items.append(count)", "    count += 1", "return items")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(function("total = 0", "for item in items:", "    total += item", "    return total"), TOTAL, "depth", 10),
        Fault(function("for item in items:", "    total = 0", "    total += item", "return total"), TOTAL, "depth", 60),
        Fault(
            function("total = 0", "for item in items:", "    if item:", "        total += item", "return total"),
            TOTAL,
            "deletion",
            200,
        ),
        Fault(
            function("for item in items:", "    total += item", "total = 0", "return total"), TOTAL, "order", 100,
            exception="UnboundLocalError",
        ),
        Fault(SEEN.replace("            seen.add(item)\n", ""), SEEN, "expected-statement", 250),
        Fault(SEEN.replace("            found.append(item)\n", ""), SEEN, "expected-statement", 250),
        Fault(COUNT.replace("        count += 1\n", ""), COUNT, "loop-step", 60, exception="Timeout"),
        Fault(COUNT.replace("        count += 1\n", "        count += 1\n" * 2), COUNT, "deletion", 100),
        Fault(
            function("found = []", "for item in items:", "    found.append(item)", "return found"),
            function("found = []", "for item in items:", "    if item not in found:", "        found.append(item)",
                     "return found"),
            "conditional",
            300,
        ),
        Fault(
            function("lines = []", "line = []", "for item in items:", "    if len(line) == limit:",
                     "        lines.append(line)", "        line = []", "    line.append(item)", "return lines"),
            function("lines = []", "line = []", "for item in items:", "    if len(line) == limit:",
                     "        lines.append(line)", "        line = []", "    line.append(item)",
                     "lines.append(line)", "return lines"),
            "expected-statement",
            250,
        ),
    ],
)  # fmt: skip
def test_right_statements_are_found(fault: Fault):
    check(fault)
