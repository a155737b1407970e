"""Steps and conditions that other code of the file has."""

import pytest

from automation.repair.templates.analogies import refreshed_order
from automation.repair.templates.families import FAMILIES
from tests.automation.repair.templates.search import Fault, candidates_for, check

DESK = """class Desk:
    def __init__(self):
        self.page, self.seen = 0, []
        self.marks = []
        self.notes = {{}}

    def open(self, page):
        self.seen.append(self.page)
{}        self.page = page

    def back(self):
{}        self.page = self.seen.pop()

    def note(self, page):
{}        return self.notes[page]

    def keep(self, page, text):
{}        self.notes[page] = text
"""
APPENDED = "        self.seen.append(self.page)\n"
CLEARED = "        self.marks.clear()\n"
READ, WRITTEN = "        self.notes[page] = self.notes.pop(page)\n", "        self.notes.pop(page, None)\n"
GAPS = """def gaps(times, opening, closing, shortest):
    found, free = [], opening
    for start, end in times:
        if start - free >= shortest:
            found.append((free, start))
        free = end
    if {}:
        found.append((free, closing))
    return found
"""


@pytest.mark.parametrize(
    "fault",
    [
        Fault(DESK.format("", "", "", ""), DESK.format("", APPENDED, "", ""), "step-of-others", 400),
        Fault(DESK.format("", "", "", ""), DESK.format(CLEARED, "", "", ""), "step-of-others", 400),
        Fault(DESK.format("", "", "", ""), DESK.format("", "", READ, ""), "refreshed-order", 200),
        Fault(DESK.format("", "", "", ""), DESK.format("", "", "", WRITTEN), "refreshed-order", 200),
        Fault(GAPS.format("closing > free"), GAPS.format("closing - free >= shortest"), "same-shape", 200),
    ],
)
def test_what_other_code_does_is_found(fault: Fault) -> None:
    check(fault)


def test_an_ordered_mapping_moves_the_entry() -> None:
    head = "from collections import OrderedDict\n\n\nclass Cache:\n    def __init__(self):\n"
    made = head + "        self.values = OrderedDict()\n\n    def get(self, key):\n"
    got, moved = "        return self.values[key]\n", "        self.values.move_to_end(key)\n"
    check(Fault(made + got, made + moved + got, "refreshed-order", 200))


def test_lists_keep_their_order() -> None:
    fault = Fault("def first(rows):\n    rows = list(rows)\n    return rows[0]\n", "", "")
    assert not [one for one in candidates_for(fault) if one.proposer == "template:refreshed-order"]
    assert next(family for family in FAMILIES if family.name == "refreshed-order").propose is refreshed_order
