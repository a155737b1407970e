"""The search index over a real repository, with the real sentence model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.codebase.search.documents import Kind
from automation.codebase.search.index import Hit, IndexUpdate, SearchIndex
from automation.codebase.search.ranking import Why
from automation.errors import WorkspaceFailed
from automation.models.sentences import MiniLm
from tests.automation.codebase.search.small_repository import write_repository
from trading.commands import Progress, result_of


@pytest.fixture(scope="module")
def minilm() -> MiniLm:
    return MiniLm(1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_repository(tmp_path / "repository")


@pytest.fixture
def index(root: Path, tmp_path: Path, minilm: MiniLm) -> Iterator[SearchIndex]:
    with SearchIndex(root, tmp_path / "search.db", minilm) as opened:
        yield opened


@pytest.fixture
def by_words(root: Path, tmp_path: Path) -> Iterator[SearchIndex]:
    with SearchIndex(root, tmp_path / "words.db") as opened:
        result_of(opened.refresh())
        yield opened


def _names(hits: tuple[Hit, ...]) -> list[str]:
    return [hit.document.name for hit in hits]


def test_a_question_is_answered_by_what_it_means(index: SearchIndex) -> None:
    result_of(index.refresh())
    hits = index.search("back off exponentially after failures")
    assert hits[0].document.name == "send_with_patience"
    assert hits[0].why == (Why.MEANING,)


def test_a_name_stands_on_top_whatever_its_capitals(index: SearchIndex) -> None:
    result_of(index.refresh())
    for query in ("pricelist", "shop.prices.PriceList", "what does PriceList do"):
        first = index.search(query)[0]
        assert (first.document.name, first.score, first.why[0]) == ("PriceList", 1.0, Why.NAME)


def test_the_text_of_an_error_leads_to_where_it_is_raised(by_words: SearchIndex) -> None:
    assert _names(by_words.search("an empty amount cannot be read"))[0] == "parse_amount"


def test_code_stands_before_tests_unless_tests_are_asked_for(by_words: SearchIndex) -> None:
    assert by_words.search("basket")[0].document.path == "shop/prices.py"
    assert by_words.search("test of an empty basket")[0].document.path == "tests/test_prices.py"


def test_sections_of_the_documentation_are_found(by_words: SearchIndex) -> None:
    assert _names(by_words.search("installation environment")) == ["Installation"]


def test_answers_can_be_narrowed_to_a_kind_and_a_folder(by_words: SearchIndex) -> None:
    assert {hit.document.kind for hit in by_words.search("amount cents price", kind=Kind.METHOD)} <= {Kind.METHOD}
    assert {hit.document.path for hit in by_words.search("empty", under="tests/")} == {"tests/test_prices.py"}
    assert by_words.search("empty", under="test") == ()


def test_nothing_is_found_where_nothing_fits(index: SearchIndex) -> None:
    result_of(index.refresh())
    assert index.search("xyzzy plugh quux") == ()
    assert index.search("   ") == ()


def test_limit_holds_with_names_and_without(by_words: SearchIndex) -> None:
    assert len(by_words.search("PriceList total basket", limit=1)) == 1
    assert len(by_words.search("cents", limit=2)) == 2


def test_an_index_that_nothing_changed_reads_nothing(index: SearchIndex) -> None:
    first = result_of(index.refresh())
    assert (first.parsed, first.documents) == (4, 12)
    assert list(index.refresh()) == []
    assert result_of(index.refresh()) == IndexUpdate(0, 0, 0, 12)


def test_a_private_function_without_a_docstring_is_found_by_its_words_alone(index: SearchIndex, root: Path) -> None:
    first = result_of(index.refresh())
    assert index.search("_round_up")[0].document.name == "_round_up"
    assert "_round_up" in {hit.document.name for hit in index.search("round up", limit=2)}
    prices = root / "shop/prices.py"
    prices.write_text(
        prices.read_text().replace("int) -> int:\n    return", 'int) -> int:\n    """To five."""\n    return')
    )
    update = result_of(index.refresh())
    assert (update.parsed, update.embedded, update.documents) == (1, 1, first.documents)


def test_only_what_changed_is_embedded_again(index: SearchIndex, root: Path) -> None:
    result_of(index.refresh())
    prices = root / "shop/prices.py"
    prices.write_text(prices.read_text().replace("what a customer pays", "what a guest owes"), encoding="utf-8")
    update = result_of(index.refresh())
    assert (update.parsed, update.embedded) == (1, 1)
    assert "guest owes" in index.search("PriceList.total")[0].document.doc


def test_lines_that_moved_are_read_and_not_embedded_again(index: SearchIndex, root: Path) -> None:
    result_of(index.refresh())
    before = index.search("parse_amount")[0].document.line
    prices = root / "shop/prices.py"
    prices.write_text("# one more line\n" + prices.read_text(), encoding="utf-8")
    update = result_of(index.refresh())
    assert (update.parsed, update.embedded) == (1, 0)
    assert index.search("parse_amount")[0].document.line == before + 1


def test_a_touched_file_is_not_parsed_again(index: SearchIndex, root: Path) -> None:
    result_of(index.refresh())
    (root / "shop/mail.py").touch()
    assert result_of(index.refresh()) == IndexUpdate(0, 0, 0, 12)
    assert list(index.refresh()) == []


def test_files_that_come_and_go_are_noticed(index: SearchIndex, root: Path) -> None:
    result_of(index.refresh())
    (root / "shop/mail.py").rename(root / "shop/post.py")
    update = result_of(index.refresh())
    assert (update.parsed, update.removed) == (1, 1)
    assert index.search("send_with_patience")[0].document.path == "shop/post.py"


def test_a_file_in_a_new_folder_is_noticed(by_words: SearchIndex, root: Path) -> None:
    (root / "depot/deep").mkdir(parents=True)
    (root / "depot/deep/shelf.py").write_text("def stack_boxes(): ...\n", encoding="utf-8")
    result_of(by_words.refresh())
    assert by_words.search("stack_boxes")[0].document.path == "depot/deep/shelf.py"


def test_a_file_that_does_not_parse_waits_until_it_does(by_words: SearchIndex, root: Path) -> None:
    mail = root / "shop/mail.py"
    whole = mail.read_text()
    mail.write_text("def broken(:\n", encoding="utf-8")
    result_of(by_words.refresh())
    assert by_words.search("send_with_patience") == ()
    mail.write_text(whole, encoding="utf-8")
    result_of(by_words.refresh())
    assert by_words.search("send_with_patience")


def test_half_characters_in_literals_do_no_harm(by_words: SearchIndex, root: Path) -> None:
    (root / "shop/odd.py").write_text('def odd():\n    return "\\ud800 strange"\n', encoding="utf-8")
    result_of(by_words.refresh())
    assert _names(by_words.search("strange")) == ["odd"]


def test_reading_that_was_cut_short_is_gone_on_with(root: Path, tmp_path: Path) -> None:
    with SearchIndex(root, tmp_path / "cut.db") as index:
        work = index.refresh()
        next(work)
        work.close()
        assert result_of(index.refresh()).documents == 12
        assert index.search("send_with_patience")


def test_what_was_embedded_before_an_interruption_is_kept(index: SearchIndex, root: Path) -> None:
    lines = "".join(f"def number_{count}(): ...\n" for count in range(100))
    (root / "shop/many.py").write_text(lines, encoding="utf-8")
    work = index.refresh()
    while (step := next(work)).label != "reading meanings" or step.done == 0:
        assert isinstance(step, Progress)
    work.close()
    update = result_of(index.refresh())
    assert 0 < update.embedded < update.documents


def test_what_another_process_learned_is_seen(index: SearchIndex, root: Path, tmp_path: Path, minilm: MiniLm) -> None:
    result_of(index.refresh())
    index.search("warm")
    (root / "shop/new.py").write_text("def brand_new_thing(): ...\n", encoding="utf-8")
    with SearchIndex(root, tmp_path / "search.db", minilm) as other:
        result_of(other.refresh())
    assert _names(index.search("brand_new_thing"))[0] == "brand_new_thing"


def test_a_cache_of_another_version_is_built_anew(root: Path, tmp_path: Path) -> None:
    import sqlite3

    with SearchIndex(root, tmp_path / "old.db") as first:
        result_of(first.refresh())
    database = sqlite3.connect(tmp_path / "old.db")
    database.execute("PRAGMA user_version = 1")
    database.close()
    with SearchIndex(root, tmp_path / "old.db") as second:
        assert result_of(second.refresh()).parsed == 4


def test_a_cache_that_is_no_database_is_named(root: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_text("this is no database " * 100, encoding="utf-8")
    with pytest.raises(WorkspaceFailed, match=r"bad\.db"):
        SearchIndex(root, tmp_path / "bad.db")


def test_while_most_meanings_are_unread_words_decide_and_the_next_refresh_reads_on(index: SearchIndex) -> None:
    update = result_of(index.refresh(reading_s=-1.0))
    assert update.embedded == 0
    assert update.unread > 0
    assert all(Why.MEANING not in hit.why for hit in index.search("back off exponentially after failures"))
    again = result_of(index.refresh())
    assert (again.embedded, again.unread) == (update.unread, 0)
    assert index.search("back off exponentially after failures")[0].why == (Why.MEANING,)
