import pytest

from tests.automation.repair.templates.search import Fault, check


def body(*lines: str, head: str = "def work(values, limit, rate):") -> str:
    return head + "\n" + "".join(f"    {line}\n" for line in lines)


def loop(line: str) -> str:
    return body("total = 0", "for value in values:", f"    {line}", "return total")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(body("fee = 3", "return limit * rate"), body("fee = 3", "return limit * rate - fee"), "near-term", 120),
        Fault(loop("total = value"), loop("total = max(total, value)"), "bound", 120),
        Fault(body("return limit - len(values)"), body("return max(0, limit - len(values))"), "bound", 60),
        Fault(body("return limit / rate"), body("return round(limit / rate, 2)"), "rounding", 120),
        Fault(body("return limit // 8"), body("return -(-limit // 8)"), "rounding", 120),
        Fault(body("return limit - rate"), body("return (limit - rate) % 60"), "scale", 200),
        Fault(body("step = limit", "return values[step]"), body("step = limit % len(values)", "return values[step]"),
              "scale", 300),
        Fault(
            "def depth(tree):\n    if not tree:\n        return 0\n    return max(depth(tree[0]), depth(tree[1]))\n",
            "def depth(tree):\n    if not tree:\n        return 0\n"
            "    return 1 + max(depth(tree[0]), depth(tree[1]))\n",
            "near-term", 150,
        ),
    ],
)  # fmt: skip
def test_lost_term_is_found(fault: Fault):
    check(fault)
