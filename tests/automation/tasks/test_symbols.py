"""What the symbol tools tell, and the run that an edit becomes before it goes the one road."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from automation.codebase.index import SymbolIndex
from automation.codebase.symbol_own import OwnSymbols
from automation.pipeline.change import kept_proposal, proposed_patch
from automation.pipeline.runs import RunStore
from automation.pipeline.state import Status
from automation.tasks.symbols.editing import inserted_before, keep_run, renamed, replaced
from automation.tasks.symbols.reading import find_symbols, search_text
from automation.tasks.symbols.requests import (
    FindRequest,
    InsertRequest,
    PatternRequest,
    RenameRequest,
    ReplaceRequest,
)

CODE = "def first():\n    return 1\n\n\ndef second():\n    return first()\n"
PLACE = {"relative_path": "code.py", "name_path": "first"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnSymbols]:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "code.py").write_text(CODE)
    symbols = OwnSymbols(SymbolIndex(folder, tmp_path / "index.db"))
    yield symbols
    symbols.close()


def test_an_answer_says_whether_there_is_more(own: OwnSymbols) -> None:
    wish = {"name_path": "s", "substring_matching": True}
    some = find_symbols(own, own.root, FindRequest(**wish, max_matches=1))
    everything = find_symbols(own, own.root, FindRequest(**wish))
    assert (len(some["symbols"]), some["complete"]) == (1, False)
    assert (len(everything["symbols"]), everything["complete"]) == (2, True)
    assert search_text(own, own.root, PatternRequest(pattern="return", max_matches=1))["complete"] is False


def test_each_edit_says_what_it_does_in_one_line(own: OwnSymbols) -> None:
    edits = (
        replaced(own, ReplaceRequest(**PLACE, body="def first():\n    return 2")),
        inserted_before(own, InsertRequest(**PLACE, body="def zeroth():\n    return 0")),
        renamed(own, RenameRequest(**PLACE, new_name="one")),
    )
    assert [edit.title for edit in edits] == [
        "Replace code.py::first",
        "Insert before code.py::first",
        "Rename to one: code.py::first",
    ]
    assert {edit.backend for edit in edits} == {"gridbot"}
    assert (own.root / "code.py").read_text() == CODE


def test_an_edit_is_kept_as_a_run_that_nobody_approved(own: OwnSymbols, own_home: Path) -> None:
    wish = RenameRequest(**PLACE, new_name="one", reason="say what it is", tests="-q tests")
    edit = renamed(own, wish)
    run = keep_run(edit, wish, own.root, own_home)
    store = RunStore(own_home)
    found = store.find(run.run_id)
    assert store.result(found).status is Status.RUNNING
    assert (found.request.path, found.request.tests, found.request.approve) == (own.root, "-q tests", False)
    proposal = kept_proposal(found.folder)
    assert proposal is not None
    assert proposed_patch(proposal) == edit.patch
    assert proposal["edits"] == [{"proposer": "gridbot", "description": "say what it is", "place": "code.py::first"}]


def test_a_request_cannot_approve_itself() -> None:
    with pytest.raises(ValidationError, match="approve"):
        ReplaceRequest(**PLACE, body="x = 1", approve=True)
