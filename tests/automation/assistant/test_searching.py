"""What is left of a question when its frame is taken away, and the faults that a sentence asks for."""

from __future__ import annotations

import pytest

from automation.assistant.faults import told_faults
from automation.assistant.searching import bare_query, content_words
from automation.assistant.setting_words import setting_meant, setting_words


@pytest.mark.parametrize(
    ("question", "query"),
    [
        ("Where in the code do we round to the tick size, please?", "round to the tick size"),
        ("wehre is teh retry loop", "retry loop"),
        ("find the circuit breaker code", "circuit breaker"),
    ],
)
def test_a_question_loses_its_frame(question: str, query: str) -> None:
    assert bare_query(question) == query


def test_two_questions_with_the_same_content_are_alike() -> None:
    assert content_words("the Sharpe ratio computed") == content_words("Sharpe ratio")
    assert content_words("cap the size") != content_words("cap the price")


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("drop_after=0.05 and latency_ms=300", ["drop_after=0.05", "latency_ms=300"]),
        ("one request in ten answers 500", ["error_500=0.1"]),
        ("5% garbage and every tenth message duplicated", ["garbage=0.05", "duplicate=0.1"]),
        ("a calm market", []),
    ],
)
def test_faults_take_the_rate_that_stands_nearest(text: str, faults: list[str]) -> None:
    assert told_faults(text) == faults


def test_every_setting_is_meant_by_its_own_name() -> None:
    names = tuple(setting_words())
    missed = [name for name in names if setting_meant(name.replace("_", " ").replace(".", " "), names) != name]
    assert len(missed) <= len(names) // 10, missed
