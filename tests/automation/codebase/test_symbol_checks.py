"""Edits that others make are proven by their effect: only what was named changed, and it changed as asked."""

from __future__ import annotations

import pytest

from automation.codebase.sources import SourceFile
from automation.codebase.symbol_checks import require_inserted, require_replaced, require_words_renamed
from automation.errors import EditRefused

TEXT = '''"""Sums."""

import functools

LIMIT = 3


def total(values):
    """Add up."""
    return sum(values)


class Account:
    # what it is about
    @functools.cache
    def balance(self):
        return total([1])

    def empty(self):
        return total([]) == 0
'''
BEFORE = SourceFile("calc.py", TEXT)


def changed(old: str, new: str) -> SourceFile:
    assert TEXT.count(old) == 1
    return BEFORE.with_text(TEXT.replace(old, new))


def test_a_replaced_definition_is_taken_when_nothing_else_changed() -> None:
    after = changed("return total([1])", "return total([2])")
    require_replaced(BEFORE, after, "Account.balance", "def balance(self):\n    return total([2])")
    require_replaced(BEFORE, after, "Account.balance", "@functools.cache\ndef balance(self):\n    return total([2])")
    require_replaced(BEFORE, changed("LIMIT = 3", "LIMIT = 4"), "LIMIT", "LIMIT = 4")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("return total([1])", "return total([1])", id="nothing changed"),
        pytest.param(
            "    def balance(self):\n        return total([1])",
            "    def balance(self):\n        return total([2])\n    def balance(self):\n        return total([1])",
            id="put in front of the old one",
        ),
        pytest.param(
            "    @functools.cache\n    def balance(self):\n        return total([1])",
            "    def balance(self):\n        return total([2])",
            id="decorator lost",
        ),
        pytest.param("LIMIT = 3\n", "LIMIT = 4\n", id="something else changed"),
    ],
)
def test_lesson_28_a_replacement_counts_by_its_effect(old: str, new: str) -> None:
    with pytest.raises(EditRefused):
        require_replaced(BEFORE, changed(old, new), "Account.balance", "def balance(self):\n    return total([2])")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("LIMIT = 3", "LIMIT = 4", id="other code"),
        pytest.param("    # what it is about\n", "", id="a comment"),
    ],
)
def test_a_replacement_that_touches_anything_else_is_refused(old: str, new: str) -> None:
    after = changed("return total([1])", "return total([2])")
    after = after.with_text(after.text.replace(old, new))
    with pytest.raises(EditRefused, match="nothing was taken over"):
        require_replaced(BEFORE, after, "Account.balance", "def balance(self):\n    return total([2])")


def test_inserted_code_has_to_stand_right_there_and_alone() -> None:
    code = "def other():\n    return 1\n"
    good = changed("    return sum(values)\n", f"    return sum(values)\n\n\n{code}")
    require_inserted(BEFORE, good, "total", code, behind=True)
    require_inserted(BEFORE, good, "Account", code, behind=False)
    with pytest.raises(EditRefused, match="does not stand before total"):
        require_inserted(BEFORE, good, "total", code, behind=False)
    more = good.with_text(good.text.replace("LIMIT = 3", "LIMIT = 4"))
    with pytest.raises(EditRefused, match="changed other code"):
        require_inserted(BEFORE, more, "total", code, behind=True)
    silent = good.with_text(good.text.replace("    # what it is about\n", ""))
    with pytest.raises(EditRefused, match="more than the given code"):
        require_inserted(BEFORE, silent, "total", code, behind=True)


def test_code_that_steals_a_decorator_is_refused() -> None:
    code = "def other(self):\n    return 1\n"
    stolen = changed("    def balance(self):", "    def other(self):\n        return 1\n\n    def balance(self):")
    with pytest.raises(EditRefused, match="does not stand before"):
        require_inserted(BEFORE, stolen, "Account.balance", code, behind=False)


def renamed(text: str, new_name: str = "added") -> None:
    require_words_renamed({"calc.py": BEFORE}, {"calc.py": BEFORE.with_text(text)}, "calc.py", "total", new_name)


def test_a_rename_may_change_the_one_word_only() -> None:
    whole = TEXT.replace("total", "added")
    renamed(whole)
    with pytest.raises(EditRefused, match=r"in use in calc\.py"):
        renamed(TEXT.replace("total", "Account"), "Account")
    with pytest.raises(EditRefused, match="turned '3' into '4'"):
        renamed(whole.replace("LIMIT = 3", "LIMIT = 4"))
    with pytest.raises(EditRefused, match="changed more than names"):
        renamed(whole.replace("LIMIT = 3", "LIMIT = 3 + 1"))
    with pytest.raises(EditRefused, match="is no Python name"):
        renamed(whole, "class")


def test_lesson_28_a_rename_that_says_success_and_changes_nothing_is_refused() -> None:
    with pytest.raises(EditRefused, match=r"changed nothing in calc\.py"):
        require_words_renamed({}, {}, "calc.py", "total", "added")
    with pytest.raises(EditRefused):
        renamed(TEXT.replace("return sum(values)", "return  sum(values)"))
