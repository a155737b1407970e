"""Laws: proposed where observed calls allow them, never where they contradict."""

from __future__ import annotations

import pytest

from automation.tasks.generate_tests.properties import Known, inverses, property_drafts
from automation.tasks.generate_tests.records import Case, Draft, Subject


def known(name: str, pairs: dict[str, str], *parameters: str, strategy: str = "") -> Known:
    subject = Subject("m.py", "m", "", name, "function", 1, 5)
    names = parameters or ("text",)
    cases = []
    for source, expected in pairs.items():
        arguments = tuple(zip(names, source.split(" & "), strict=True))
        template = f"{name}({', '.join(f'{chr(0)}{at}{chr(0)}' for at in range(len(names)))})"
        outcome = {"kind": "value", "text": expected, "imports": ()}
        cases.append(Case(template, arguments, (f"from m import {name}",), outcome, frozenset(), (), "type"))
    return Known(subject, cases, dict.fromkeys(names, strategy) if strategy else {})


def drafts(*found: Known, has_hypothesis: bool = False) -> dict[str, Draft]:
    return {draft.scenario: draft for draft in property_drafts(found, has_hypothesis=has_hypothesis)}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("encode", "decode"),
        ("parse_row", "format_row"),
        ("to_json", "from_json"),
        ("hex_to_rgb", "rgb_to_hex"),
        ("timeframe_of", "timeframe_ms"),
        ("dumps", "loads"),
    ],
)
def test_functions_that_undo_each_other_are_found_by_name(name: str, other: str):
    assert other in list(inverses(name, {other: 1, name: 1}))


def test_a_round_trip_is_proposed():
    one = known("encode", {'"a"': '"x"', '"b"': '"y"', '"c"': '"z"'})
    other = known("decode", {'"x"': '"a"'})
    assert drafts(one, other)["is_undone_by_decode"].body == "assert decode(encode(text)) == text"


def test_idempotence_needs_something_that_moved():
    assert "twice_is_once" in drafts(known("clean", {'" a"': '"a"', '"b "': '"b"', '"c"': '"c"'}))
    assert "twice_is_once" not in drafts(known("same", {'"a"': '"a"', '"b"': '"b"', '"c"': '"c"'}))


def test_a_law_that_a_call_contradicts_is_not_proposed():
    assert "twice_is_once" not in drafts(known("double", {"1": "2", "2": "4", "5": "10", "7": "14"}, "count"))


def test_numbers_that_rise_together_are_said_to_rise():
    found = drafts(known("double", {"1": "2", "2": "4", "5": "10", "7": "14"}, "count"))
    assert found["never_falls_as_count_grows"].body.endswith("assert double(low) <= double(high)")
    assert "never_falls_as_count_grows" not in drafts(
        known("wave", {"1": "2", "2": "0", "5": "10", "7": "14"}, "count")
    )


def test_lists_that_keep_their_items_or_their_length():
    rows = {"[2, 1]": "[1, 2]", "[3]": "[3]", "[]": "[]"}
    assert "keeps_every_item" in drafts(known("ordered", rows, "items"))
    rows = {"[2, 1]": "[3, 3]", "[3]": "[3]", "[]": "[]"}
    assert "keeps_the_length" in drafts(known("filled", rows, "items"))


def test_arguments_of_one_kind_may_change_places():
    rows = {"1 & 2": "3", "2 & 5": "7", "4 & 1": "5"}
    assert drafts(known("add", rows, "a", "b"))["takes_either_order"].body == "assert add(a, b) == add(b, a)"


def test_an_input_that_a_call_does_not_change_is_said_to_stay():
    body = drafts(known("total", {"[1, 2]": "3"}, "items"))["leaves_items_as_they_were"].body
    assert body == "items = [1, 2]\ntotal(items)\nassert items == [1, 2]"


def test_hypothesis_is_used_only_where_it_is_installed():
    one = known("double", {"1": "2", "2": "4", "5": "10", "7": "14"}, "count", strategy="st.integers({low}, {high})")
    found = [draft for draft in property_drafts([one], has_hypothesis=True) if draft.rival]
    assert "@given" in found[0].decorators[0]
    assert len({draft.rival for draft in found}) == 1
    assert "hypothesis" not in str(drafts(one)["never_falls_as_count_grows"].imports)
