"""Proposals that older families gained: what a condition reads from, numbers, arguments, attributes, classes."""

import pytest

from tests.automation.repair.templates.search import Fault, check


def one(line: str) -> str:
    return f"def work(node, items, at, count):\n    {line}\n"


def until(test: str) -> str:
    return f"def drained(tasks):\n    done = []\n    while {test}:\n        done.append(tasks.pop())\n    return done\n"


BOARD = "class Board:\n{}\n    def add(self, name):\n        self.names.append(name)\n"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(one("return 1 if node.next.size > 2 else 0"),
              one("return 1 if node.next is not None and node.next.size > 2 else 0"), "safeguard", 60),
        Fault(one("return 1 if items[at] > 2 else 0"), one("return 1 if at < len(items) and items[at] > 2 else 0"),
              "safeguard", 100, exception="IndexError"),
        Fault(until("True"), until("tasks"), "safeguard", 60, exception="IndexError"),
        Fault(one("return node.size == 0"), one("return node.size == count"), "number-variable", 60),
        Fault(one("return node.next"), one("return node.next.next"), "chain", 60),
        Fault(one("return dict(enumerate(items))"), one("return dict(enumerate(items, 1))"), "usual-argument", 60),
        Fault(one("return count % 3"), one("return count % 3 == 0"), "comparison-of-value", 100),
        Fault(one("return []"), one("return [count]"), "return-value", 60),
        Fault(BOARD.format("    names = []\n"), BOARD.format("    def __init__(self):\n        self.names = []\n"),
              "class-state", 60),
    ],
)  # fmt: skip
def test_right_program_is_found(fault: Fault):
    check(fault)
