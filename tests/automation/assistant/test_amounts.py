"""Numbers and lengths of time in words and slang."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.assistant.amounts import NUMBER, TIME, minutes_of, number_of, share_of
from automation.assistant.numbers import frame_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("half a million", 500_000), ("five grand", 5_000), ("ten thousand five hundred", 10_500),
        ("fifteen hundred", 1_500), ("one lakh", 100_000), ("50k", 50_000), ("two hundred and fifty", 250),
        ("1e-9", 1e-9), ("one and a half", 1.5),
    ],
)  # fmt: skip
def test_numbers_in_words_and_slang(text: str, number: float) -> None:
    found = re.search(NUMBER, f"about {text}, please", re.IGNORECASE)
    assert found is not None
    assert number_of(found[0]) == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("half an hour", 30), ("an hour and a half", 90), ("two and a half hours", 150), ("15 mins", 15), ("1h30m", 90),
        ("a quarter of an hour", 15), ("90s", 1.5), ("two pretend days", 2_880), ("a fortnight", 20_160),
    ],
)  # fmt: skip
def test_lengths_of_time(text: str, minutes: float) -> None:
    found = re.search(TIME, f"for {text} or so", re.IGNORECASE)
    assert found is not None
    assert minutes_of(found[0]) == minutes


def test_a_date_or_a_clock_is_no_number() -> None:
    assert re.search(NUMBER, "2024-06-01 at 12:30") is None


def test_what_is_no_number_is_told() -> None:
    with pytest.raises(ValueError, match="no number"):
        number_of("many")
    with pytest.raises(ValueError, match="no length"):
        minutes_of("many")


@given(st.integers(1, 100_000))
def test_a_candle_length_means_the_minutes_that_it_was_made_of(minutes: int) -> None:
    assert minutes_of(str(frame_of(minutes))) == minutes


@given(st.integers(0, 10_000))
def test_a_percentage_is_a_hundredth(percent: int) -> None:
    assert share_of(f"{percent}%") == pytest.approx(percent / 100)
