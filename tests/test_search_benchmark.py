"""The questions of the search benchmark have answers that exist, and its figures are right."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from automation.codebase.sources import read_source
from automation.codebase.symbols import symbols_of
from automation.models.sentences import MiniLm
from benchmarks.search import ROOT, Question, compared, figures, first_right, load_questions
from tests.automation.codebase.search.small_repository import write_repository


def test_there_are_a_hundred_different_questions() -> None:
    questions = load_questions()
    assert len(questions) == 100
    assert Counter(question.text for question in questions).most_common(1)[0][1] == 1


def test_every_accepted_answer_is_a_symbol_of_this_repository() -> None:
    answers = {answer for question in load_questions() for answer in question.answers}
    defined = {
        f"{path}::{symbol.name}"
        for path in sorted({answer.partition("::")[0] for answer in answers})
        if (ROOT / path).is_file()
        for symbol in symbols_of(read_source(ROOT, path))
    }
    assert answers - defined == set()


def test_no_question_gives_its_answer_away_by_spelling_the_name() -> None:
    for question in load_questions():
        for answer in question.answers:
            own = answer.rpartition("::")[2].rpartition(".")[2]
            assert "_" not in own or own not in question.text


def test_figures_count_what_is_not_found_as_nothing() -> None:
    assert figures([1, 2, 0, 10]) == {"mrr": 0.4, "recall_at_1": 0.25, "recall_at_5": 0.5, "recall_at_10": 0.75}


def test_the_benchmark_measures_a_repository_by_all_three_ways(tmp_path: Path) -> None:
    root = write_repository(tmp_path / "repository")
    questions = (
        Question("wait longer after a failed try", frozenset({"shop/mail.py::send_with_patience"})),
        Question("sum of the basket", frozenset({"shop/prices.py::PriceList.total"})),
    )
    result = compared(tmp_path / "search.db", MiniLm(1), questions, root)
    assert result["build"]["documents"] == 12  # type: ignore[index]
    assert result["fused"]["all"]["recall_at_5"] == 1.0  # type: ignore[index]
    assert result["latency"]["p95_ms"] >= result["latency"]["p50_ms"] > 0  # type: ignore[index]


@pytest.mark.slow
def test_both_ways_together_find_better_than_words_alone(tmp_path: Path) -> None:
    from automation.codebase.search.index import SearchIndex
    from trading.commands import result_of

    with SearchIndex(ROOT, tmp_path / "search.db", MiniLm()) as index:
        result_of(index.refresh())
        fused = figures([first_right(index, question) for question in load_questions()])
    with SearchIndex(ROOT, tmp_path / "search.db") as index:
        words = figures([first_right(index, question) for question in load_questions()])
    assert fused["mrr"] > words["mrr"]
    assert fused["mrr"] >= 0.4
