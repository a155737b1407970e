"""Where descriptions lead in a repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from automation.assistant.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    files = {
        "shop/basket.py": '''"""The basket of a customer."""


def total_price(items):
    """Return the sum."""
    return sum(items)
''',
        "shop/stock/shelf.py": '''"""Shelves and what stands on them."""


class Shelf:
    def refill(self):
        pass
''',
        "shop/stock/order.py": "def refill(name):\n    return name\n",
        "tests/test_basket.py": """from shop.basket import total_price


def test_total():
    assert total_price([1]) == 1
""",
        "tests/test_shelf.py": "from shop.stock.shelf import Shelf\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Places(tmp_path)


@pytest.mark.parametrize(
    ("description", "place"),
    [
        ("the basket module", "shop/basket.py"),
        ("the function for the total price of the basket", "shop/basket.py::total_price"),
        ("the stock folder", "shop/stock"),
        ("the shelf class", "shop/stock/shelf.py::Shelf"),
        ("the unheard of", None),
    ],
)
def test_a_description_leads_to_a_place(places: Places, description: str, place: str | None) -> None:
    assert places.target(description) == place


def test_a_name_with_one_definition_gets_its_file_and_one_with_several_stays(places: Places) -> None:
    assert places.symbol("total_price") == "shop/basket.py::total_price"
    assert places.symbol("refill") == "refill"
    assert places.symbol("Shelf.refill") == "shop/stock/shelf.py::Shelf.refill"
    assert places.symbol("nobody") is None


def test_tests_are_found_by_what_they_import(places: Places) -> None:
    assert places.tests_of("the basket") == ("tests/test_basket.py",)


def test_a_bare_file_name_is_found(places: Places) -> None:
    assert places.file_called("shelf.py") == "shop/stock/shelf.py"
    assert places.file_called("none.py") is None


def test_new_files_are_seen_after_a_while(tmp_path: Path) -> None:
    seconds = [0.0]
    (tmp_path / "one.py").write_text("x = 1\n")
    places = Places(tmp_path, clock=lambda: seconds[0])
    assert places.target("two module") is None
    (tmp_path / "two.py").write_text("x = 1\n")
    seconds[0] = 60.0
    assert places.target("two module") == "two.py"


def test_a_definition_is_found_by_its_words(places: Places) -> None:
    assert places.named_in("please speed up total price a little") == "shop/basket.py::total_price"
    assert places.named_in("what do you think of Shelf") == "shop/stock/shelf.py::Shelf"
    assert places.named_in("look after the shelf") is None


def test_a_clear_description_answers_to_every_word(places: Places) -> None:
    assert places.target("basket module", clearly=True) == "shop/basket.py"
    assert places.target("the basket of fresh eggs", clearly=True) is None


def test_a_bare_symbol_and_its_place_are_one_target(places: Places) -> None:
    assert places.same_target("total_price", "shop/basket.py::total_price")
    assert places.same_target("./shop/stock/", "shop/stock")
    assert not places.same_target("total_price", "Shelf")


def test_a_path_is_found_whatever_its_case(places: Places) -> None:
    assert places.path_of("Shop/Stock/") == "shop/stock"
    assert places.path_of("shop/attic") is None


def test_a_changed_file_is_read_again_without_listing_all_files(tmp_path: Path) -> None:
    seconds = [0.0]
    (tmp_path / "one.py").write_text("def first():\n    return 1\n")
    places = Places(tmp_path, clock=lambda: seconds[0])
    assert places.symbol("first") == "one.py::first"
    (tmp_path / "one.py").write_text("def first():\n    return 1\n\n\ndef second():\n    return 2\n")
    os.utime(tmp_path / "one.py", (1, 1))
    seconds[0] = 30.0
    assert places.symbol("second") == "one.py::second"


def test_words_that_name_only_the_file_lead_to_the_file(places: Places) -> None:
    assert places.target("the basket function") == "shop/basket.py"
