"""What tests can call in a file, and why the rest is left out."""

from __future__ import annotations

from automation.tasks.generate_tests.subjects import documented_exceptions, module_of, subjects_of

TEXT = '''\
import click
from abc import abstractmethod
from typing import Protocol


def area(width: int) -> int:
    """Return an area.

    >>> area(2)
    4
    """
    return width**2


def _hidden():
    pass


def main():
    area(1)


@click.command()
def show():
    pass


def asks():
    return input()


class Box:
    def __init__(self, items):
        self.items = items

    def top(self):
        return self.items[0]

    @property
    def size(self):
        return len(self.items)

    @classmethod
    def empty(cls):
        return cls([])

    @abstractmethod
    def later(self):
        ...


class Shape(Protocol):
    def draw(self) -> None: ...
'''


def test_functions_methods_properties_and_constructors_are_subjects():
    found, _ = subjects_of("boxes.py", TEXT, "boxes")
    kinds = {subject.qualified: subject.kind for subject in found}
    assert kinds == {
        "area": "function",
        "Box": "class",
        "Box.top": "method",
        "Box.size": "property",
        "Box.empty": "static",
    }


def test_what_is_left_out_has_a_reason():
    _, skipped = subjects_of("boxes.py", TEXT, "boxes")
    assert skipped == {
        "main": "it is a program's entry",
        "show": "it is a command line's",
        "asks": "it calls input",
        "Box.later": "it is abstract",
        "Shape": "it is a declaration only",
        "Shape.draw": "it is a declaration only",
    }


def test_examples_of_a_docstring_are_found():
    found, _ = subjects_of("boxes.py", TEXT, "boxes")
    assert found[0].examples == (("area(2)", "4"),)


def test_documented_exceptions_of_three_styles():
    assert documented_exceptions("A.\n\nRaises\n------\nValueError, KeyError\n    When wrong.\n") == (
        "ValueError",
        "KeyError",
    )
    assert documented_exceptions("A.\n\nRaises:\n    ValueError: When wrong.\n") == ("ValueError",)
    assert documented_exceptions("A.\n\n:raises errors.Broken: when wrong") == ("errors.Broken",)


def test_a_section_after_the_exceptions_is_none_of_them():
    doc = "A.\n\nRaises\n------\nValueError\n    When wrong.\n\nNotes\n-----\nTypeError\n"
    assert documented_exceptions(doc) == ("ValueError",)


def test_modules_are_named_as_they_are_imported():
    assert module_of("src/shop/prices.py", ("src", ".")) == "shop.prices"
    assert module_of("shop/__init__.py", (".",)) == "shop"
