"""What can be found in a file, and by which words."""

from __future__ import annotations

import pytest

from automation.codebase.search.documents import Area, Described, Kind, area_of, documents_of
from automation.codebase.sources import SourceFile
from tests.automation.codebase.search.small_repository import FILES


def _described(path: str) -> dict[str, Described]:
    return {each.document.name: each for each in documents_of(SourceFile(path, FILES[path]))}


def test_every_definition_of_a_file_is_a_document() -> None:
    kinds = {name: each.document.kind for name, each in _described("shop/prices.py").items()}
    assert kinds == {
        "": Kind.MODULE,
        "DISCOUNT_PERCENT": Kind.CONSTANT,
        "PriceList": Kind.CLASS,
        "PriceList.total": Kind.METHOD,
        "parse_amount": Kind.FUNCTION,
        "_round_up": Kind.FUNCTION,
    }


def test_a_document_stands_where_its_definition_does() -> None:
    total = _described("shop/prices.py")["PriceList.total"].document
    assert (total.path, total.line, total.end_line) == ("shop/prices.py", 9, 17)
    assert total.signature == "def total(self, basket: list[str]) -> int"
    assert total.doc == "Add up what a customer pays at the till."


def test_meaning_holds_the_prose_and_not_the_table_of_parameters() -> None:
    meaning = _described("shop/prices.py")["PriceList.total"].meaning
    assert meaning == "total: Add up what a customer pays at the till. (price list shop prices)"


def test_without_a_docstring_the_parameters_speak() -> None:
    assert _described("shop/prices.py")["_round_up"].meaning == "round up: cents int (shop prices)"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("prices.py", ""),
        ("__init__.py", ""),
        ("./prices.py", ""),
        ("v1.2/prices.py", "v 1 2"),
        ("a/b/__init__.py", "a b"),
    ],
)
def test_a_module_is_described_wherever_it_stands(path: str, place: str) -> None:
    module, function = documents_of(SourceFile(path, '"""What apples cost."""\n\n\ndef cheapest():\n    pass\n'))
    assert (module.place, module.meaning.endswith(f"({place})")) == (place, bool(place))
    assert module.meaning.partition(" (")[0].endswith("What apples cost.")
    assert function.place.startswith(place)


def test_body_holds_names_and_error_texts_but_not_the_docstring() -> None:
    body = _described("shop/prices.py")["parse_amount"].body
    assert "an empty amount cannot be read" in body
    assert "whole number" not in body


def test_markdown_is_cut_at_its_headings_and_not_inside_code() -> None:
    sections = _described("README.md")
    assert {name: (each.document.line, each.document.end_line) for name, each in sections.items()} == {
        "The shop": (1, 4),
        "Installation": (5, 12),
    }
    assert sections["Installation"].document.doc == "Run pip install shop in a new environment."


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("shop/prices.py", Area.CODE),
        ("tests/test_prices.py", Area.TESTS),
        ("shop/conftest.py", Area.TESTS),
        ("shop/latest_prices.py", Area.CODE),
        ("docs/guide.md", Area.DOCS),
    ],
)
def test_area_follows_the_path(path: str, area: Area) -> None:
    assert area_of(path) is area
