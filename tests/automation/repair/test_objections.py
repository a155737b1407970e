"""What a careful reader holds against a change that passes."""

from __future__ import annotations

import pytest

from automation.codebase.sources import SourceFile
from automation.repair.objections import leaves_unread, only_takes_away
from automation.repair.records import Candidate, Place, TextEdit

LETTERS = (
    "def letters(text, kept):\n    found = [char for char in text if char.isalnum()]\n    return found[: kept - 1]\n"
)
BUCKET = (
    "class Bucket:\n    def __init__(self, rate, last):\n        self.rate = rate\n        self.last = last\n\n"
    "    def refill(self, now):\n        return (now - self.last) * self.rate\n"
)


def change(text: str, old: str, new: str) -> Candidate:
    at = text.index(old)
    place = Place("a.py", text.count("\n", 0, at) + 1, "", 1.0)
    return Candidate(SourceFile("a.py", text), (TextEdit(at, at + len(old), new),), "template:t", place, "", 0.5)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (LETTERS, "kept - 1", "3"),
        (LETTERS, "return found", "return text"),
        (LETTERS, "[char for", "[text for"),
        (LETTERS, "char.isalnum", "text.isalnum"),
        (BUCKET, "self.rate\n", "self.last\n"),
        (BUCKET, "now - self.last", "self.last"),
    ],
)
def test_what_nobody_reads_any_more_is_held_against_a_change(text: str, old: str, new: str) -> None:
    assert leaves_unread(change(text, old, new))


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (LETTERS, "kept - 1", "kept"),
        (LETTERS, "char for", "char.lower() for"),
        (LETTERS, "[char for char in text if char.isalnum()]", "[0 for char in text if char]"),
        (BUCKET, "(now - self.last) * self.rate", "(self.last - now) / self.rate"),
        ("def pick(pair):\n    first, _ = pair\n    return first + 1\n", "first + 1", "first"),
        ("def count():\n    global total\n    total = 1\n", "= 1", "= 2"),
    ],
)
def test_what_is_read_as_before_is_not(text: str, old: str, new: str) -> None:
    assert not leaves_unread(change(text, old, new))


def test_what_was_unread_before_is_not_held_against_a_change() -> None:
    text = "def area(width, depth, height):\n    return width * depth + 1\n"
    assert not leaves_unread(change(text, " + 1", ""))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("(now - self.last)", "now", True),
        ("now - self.last", "now + self.last", False),
        ("now - self.last", "self.last - now", False),
        ("        self.last = last\n", "", True),
    ],
)
def test_taking_away_a_name_or_a_step_is_told_from_changing_it(old: str, new: str, expected: bool) -> None:
    assert only_takes_away(change(BUCKET, old, new)) is expected


def test_one_less_is_no_loss() -> None:
    assert not only_takes_away(change(LETTERS, "kept - 1", "kept"))


def test_a_text_that_does_not_parse_has_no_objections() -> None:
    broken = change("def f(:\n    return 1\n", "1", "2")
    assert not leaves_unread(broken)
    assert not only_takes_away(broken)
