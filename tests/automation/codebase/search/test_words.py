"""Words of names and questions."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.search.words import identifiers, match_expression, query_words, split_name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TrailBuy.next_price", "trail buy next price"),
        ("parseHTTPAnswer2", "parse http answer 2"),
        ("trading/engine/grid.py", "trading engine grid py"),
        ("__init__", "init"),
    ],
)
def test_a_name_falls_into_its_words(name: str, words: str) -> None:
    assert split_name(name) == words


def test_small_words_of_a_question_do_not_count() -> None:
    assert query_words("where are the grid levels placed") == ("grid", "levels", "placed")


def test_a_question_of_small_words_alone_is_still_a_question() -> None:
    assert query_words("what is this") == ("what", "is", "this")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("recovery", ("recovery",)),
        ("Grid.decide()", ("Grid.decide",)),
        ("who calls parse_amount with a PriceList", ("parse_amount", "PriceList")),
        ("prices.py::PriceList.total", ("prices.py.PriceList.total",)),
        ("where are the levels placed", ()),
    ],
)
def test_names_are_told_from_words(query: str, names: tuple[str, ...]) -> None:
    assert identifiers(query) == names


@given(st.text(max_size=40))
def test_any_question_can_be_asked_of_the_database(query: str) -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        expression = match_expression(query_words(query))
        if expression:
            database.execute("SELECT rowid FROM words WHERE words MATCH ?", (expression,)).fetchall()
    database.close()
