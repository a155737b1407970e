"""Words of generated tests: names that say the scenario, patterns that leave the arguments out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.tasks.generate_tests.records import Subject
from automation.tasks.generate_tests.wording import argument_words, constant_part, match_literal, name_of_test, snake


@given(st.text(min_size=1))
def test_a_pattern_finds_its_own_text(text: str):
    assert re.search(eval(match_literal(text)), text)


@pytest.mark.parametrize(
    ("messages", "sources", "expected"),
    [
        (["12 is no percentage"], ["12"], "is no percentage"),
        (["the name of 'ab.csv' holds no symbol"], ['"x/ab.csv"'], "holds no symbol"),
        (["nothing to ship"], [], "nothing to ship"),
        (["no"], [], ""),
        (["'a b' has no unit", "'5' has no unit"], ['"a b"', '"5"'], "has no unit"),
    ],
)
def test_the_part_that_no_argument_put_there(messages: list[str], sources: list[str], expected: str):
    assert constant_part(messages, sources) == expected


@pytest.mark.parametrize(
    ("source", "words"),
    [('"1m"', "1m"), ('""', "blank_text"), ("-3", "minus_3"), ("[]", "nothing"), ("None", "none"), ("Box(1)", "")],
)
def test_arguments_in_words(source: str, words: str):
    assert argument_words(source) == words


def test_names_do_not_say_of_twice():
    subject = Subject("m.py", "m", "", "base_of", "function", 1, 2)
    assert name_of_test(subject, "of_a") == "test_base_of_a"


def test_classes_are_named_as_parts_of_functions():
    assert [snake(name) for name in ("LineTable", "HTTPServer", "fee")] == ["line_table", "http_server", "fee"]
