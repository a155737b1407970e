"""Sessions are found by name, whether they run or not, and whatever state their journal is in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.orders.journal_samples import FACTS, step
from trading.errors import StateCorrupt, UsageError
from trading.orders.journal import Journal
from trading.sessions.catalog import LONGEST_NAME, SessionCatalog, checked_name, default_name
from trading.sessions.session_lock import SessionLock


def _begun(catalog: SessionCatalog, name: str) -> Path:
    path = catalog.files_of(name).journal
    with Journal.create(path, replace(FACTS, name=name)) as journal:
        step(journal, 0)
    return path


def test_a_home_without_sessions_lists_none_and_is_not_made(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path / "home")
    assert catalog.list() == []
    assert not catalog.exists("a")
    assert not catalog.is_running("a")
    assert not (tmp_path / "home").exists()


def test_sessions_are_listed_by_name_with_what_they_are(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path)
    for name in ("b", "a"):
        _begun(catalog, name)
    (tmp_path / "sessions" / "Not A Name").mkdir()
    (tmp_path / "sessions" / "begun-and-left").mkdir()
    first, second = catalog.list()
    assert (first.name, first.running, first.facts, first.problem) == ("a", False, replace(FACTS, name="a"), "")
    assert second.name == "b"
    assert catalog.exists("a")
    assert not catalog.exists("begun-and-left")
    with catalog.read("a") as journal:
        assert journal.order_count() == 1


def test_a_session_with_a_damaged_journal_is_listed_with_its_problem(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path)
    _begun(catalog, "whole")
    _begun(catalog, "broken").write_bytes(b"\x07" * 5000)
    broken, whole = catalog.list()
    assert broken.facts is None
    assert "damaged" in broken.problem
    assert whole.problem == ""
    with pytest.raises(StateCorrupt):
        catalog.read("broken")


def test_a_running_session_is_told_with_its_process(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path)
    _begun(catalog, "a")
    assert catalog.holder("a") is None
    with SessionLock(tmp_path, "a", "acc", "BTC/USDT"):
        assert catalog.is_running("a")
        assert catalog.list()[0].running
        holder = catalog.holder("a")
        assert holder is not None
        assert holder.session == "a"
    assert not catalog.is_running("a")
    assert catalog.holder("a") is None


def test_a_session_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path)
    with pytest.raises(UsageError, match="`gridbot paper` starts one"):
        catalog.read("a")
    _begun(catalog, "b")
    with pytest.raises(UsageError, match=r"no session a .*there are: b"):
        catalog.read("a")


def test_a_session_keeps_everything_in_one_folder(tmp_path: Path) -> None:
    catalog = SessionCatalog(tmp_path)
    files = catalog.files_of("a-b_1")
    assert files.folder == catalog.path_of("a-b_1") == tmp_path / "sessions" / "a-b_1"
    names = [path.name for path in (files.journal, files.log, files.control, files.stop, files.lock)]
    assert names == ["journal.sqlite", "log", "control.sock", "STOP", "lock"]


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "a b", "é", "a" * 21, "a\n", "../../etc", "a.b"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    catalog = SessionCatalog(tmp_path)
    for use in (catalog.path_of, catalog.exists, catalog.is_running, catalog.read):
        with pytest.raises(UsageError, match="cannot be called"):
            use(name)


@given(st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True))
def test_every_name_of_the_allowed_characters_is_taken(name: str) -> None:
    assert checked_name(name) == name


def test_a_session_without_a_name_is_called_by_mode_and_symbol() -> None:
    assert default_name("paper", "BTC/USDT") == "paper-btc-usdt"
    assert default_name("live", "ETH/BTC") == "live-eth-btc"


@given(
    st.sampled_from(["paper", "live"]),
    st.tuples(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12)).map("/".join),
)
def test_a_default_name_is_always_valid_and_the_same(mode: str, symbol: str) -> None:
    name = default_name(mode, symbol)
    assert checked_name(name) == name == default_name(mode, symbol)
    assert len(name) <= LONGEST_NAME


def test_long_symbols_that_begin_alike_get_different_names() -> None:
    names = {default_name("paper", f"LONGCOINNAME{end}/USDT") for end in ("A", "B", "C")}
    assert len(names) == 3
    assert all(name.startswith("paper-longcoi") for name in names)
