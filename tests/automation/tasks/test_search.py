"""The search command: its request, its answers and what it does without a model."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from rich.console import Console

from automation.errors import RepositoryUnusable
from automation.tasks.search.commands import search
from automation.tasks.search.requests import SearchRequest
from automation.tasks.search.results import SearchResult
from tests.automation.codebase.search.small_repository import write_repository
from trading.commands import result_of
from trading.errors import ExitCode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "repository")


def _searched(root: Path, query: str, **options: object) -> SearchResult:
    result = result_of(search(SearchRequest.model_validate({"query": query, "path": root, **options})))
    assert isinstance(result, SearchResult)
    return result


def _text(result: SearchResult, width: int = 160) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(result.as_text())
    return capture.get()


def test_a_question_finds_file_line_signature_and_first_docstring_line(root: Path) -> None:
    result = _searched(root, "wait longer after each failed try")
    first = result.as_json()["hits"][0]  # type: ignore[index]
    assert (first["path"], first["line"], first["kind"]) == ("shop/mail.py", 6, "function")
    assert first["signature"] == "async def send_with_patience(letter: str, attempts: int=3) -> None"
    assert "meaning" in first["why"]
    assert result.exit_code is ExitCode.DONE
    assert result.model == "all-MiniLM-L6-v2-int8"


def test_places_are_written_as_an_editor_opens_them(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _searched(root, "parse_amount", lexical=True)
    monkeypatch.chdir(root)
    assert _text(result).startswith("shop/prices.py:20  1.00 name words\n")
    monkeypatch.chdir(root.parent)
    assert _text(result).startswith("repository/shop/prices.py:20  ")
    monkeypatch.chdir(root / "tests")
    assert _text(result).startswith(f"{root}/shop/prices.py:20  ")


def test_text_keeps_to_the_width(root: Path) -> None:
    lines = _text(_searched(root, "send_with_patience", lexical=True), width=60).splitlines()
    assert max(map(len, lines)) <= 60


def test_nothing_found_is_said_and_is_exit_code_6(root: Path) -> None:
    result = _searched(root, "xyzzy plugh", lexical=True)
    assert result.exit_code is ExitCode.NOTHING_TO_DO
    assert "answers 'xyzzy plugh'" in _text(result)
    assert result.as_json()["hits"] == []


def test_without_the_sentence_model_words_answer_and_the_result_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    result = _searched(root, "amount")
    assert next(hit.document.name for hit in result.hits) == "parse_amount"
    assert result.model == ""
    assert "No meanings were read" in _text(result)


def test_answers_are_narrowed(root: Path) -> None:
    result = _searched(root, "cents price", lexical=True, kind="class", inside="shop")
    assert [hit.document.name for hit in result.hits] == ["PriceList"]


def test_a_second_search_reads_nothing_anew(root: Path) -> None:
    assert _searched(root, "amount", lexical=True).update.parsed == 4
    assert _searched(root, "amount", lexical=True).update.parsed == 0


def test_a_person_who_stops_it_is_told_what_is_kept(root: Path) -> None:
    work = search(SearchRequest(query="amount", path=root, lexical=True))
    next(work)
    with pytest.raises(KeyboardInterrupt, match="is kept"):
        work.throw(KeyboardInterrupt())


def test_a_query_without_a_word_is_refused() -> None:
    with pytest.raises(ValidationError, match="should hold a word"):
        SearchRequest(query=" ?! ")


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable, match="is no folder"):
        _searched(tmp_path / "nowhere", "anything")
