"""Which real words look like slips."""

from __future__ import annotations

from automation.assistant.normalise import Speller
from automation.assistant.real_words import like_slips


def test_a_word_a_letter_away_from_a_known_one_looks_like_a_slip() -> None:
    assert like_slips(["candies", "elephant", "grind"], ["candles", "grid"]) == {"candies", "grind"}


def test_letters_that_changed_places_are_the_likeliest_slip() -> None:
    speller = Speller(["status", "stats", "starts"], real=frozenset())
    assert speller.corrected("stauts") == "status"
