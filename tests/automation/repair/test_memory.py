"""The repair memory: what mended a fault is tried again where it still applies."""

from __future__ import annotations

import ast
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.codebase.patches import FileChange
from automation.codebase.sources import SourceFile
from automation.repair.memory import RepairMemory
from automation.repair.records import Place

TEXT = "import os\n\n\ndef low(x):\n    if x < 3:\n        return x\n    return 3\n\n\ndef high(x):\n    return x\n"


def _change(new: str = "x <= 3", text: str = TEXT, old: str = "x < 3") -> FileChange:
    return FileChange("a.py", text.encode(), text.replace(old, new, 1).encode())


def _recalled(memory: RepairMemory, text: str, fingerprint: str = "f1", path: str = "a.py") -> list[str]:
    places = [Place(path, 5, "low", 0.9), Place(path, 11, "high", 0.2)]
    return [candidate.text() for candidate in memory.recall(fingerprint, SourceFile(path, text), places)]


def test_same_change_is_recalled_for_the_same_fault_only(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "home" / "repair_memory.db")
    assert _recalled(memory, TEXT) == []
    memory.remember("f1", _change(), "template:comparison", "logic", 1)
    assert _recalled(memory, TEXT) == [TEXT.replace("x < 3", "x <= 3")]
    assert _recalled(memory, TEXT, "f2") == []
    assert _recalled(memory, TEXT, path="b.py") == []


def test_recalled_candidate_names_its_origin_and_the_nearest_place(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    memory.remember("f1", _change(), "template:comparison", "logic", 1, description="< becomes <=")
    places = [Place("a.py", 11, "high", 0.9), Place("a.py", 5, "low", 0.2)]
    (found,) = memory.recall("f1", SourceFile("a.py", TEXT), places)
    assert (found.proposer, found.place.line) == ("memory", 5)
    assert found.description == "< becomes <=, as template:comparison did before"


def test_change_is_found_where_the_file_moved_around_it(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    memory.remember("f1", _change(), "template:comparison", "logic", 1)
    moved = "# a new first line\n" + TEXT.replace("return 3", "return 4")
    assert _recalled(memory, moved) == [moved.replace("x < 3", "x <= 3")]


def test_change_is_left_where_its_lines_are_gone_or_ambiguous(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    memory.remember("f1", _change(), "template:comparison", "logic", 1)
    assert _recalled(memory, TEXT.replace("x < 3", "x > 3")) == []
    twice = "def low(x):\n    if x < 3:\n        return 1\n\n\ndef lower(x):\n    if x < 3:\n        return 2\n"
    assert _recalled(memory, twice) == []


def test_inserted_lines_are_recalled(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    guard = "    if x is None:\n        return 0\n"
    change = _change(f"{guard}    if x < 3", old="    if x < 3")
    memory.remember("f1", change, "fim:m")
    assert _recalled(memory, TEXT) == [TEXT.replace("    if x < 3", f"{guard}    if x < 3")]


def test_several_changes_of_one_file_are_recalled_together(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    after = TEXT.replace("x < 3", "x <= 3").replace("def high(x):\n    return x", "def high(x):\n    return -x")
    memory.remember("f1", FileChange("a.py", TEXT.encode(), after.encode()), "pairs")
    assert _recalled(memory, TEXT) == [after]


def test_new_files_and_faults_without_a_fingerprint_are_not_kept(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    memory.remember("f1", FileChange("a.py", None, b"x = 1\n"), "p")
    memory.remember("", _change(), "p")
    assert not (tmp_path / "m.db").exists()


def test_repair_that_helped_most_often_comes_first(tmp_path: Path) -> None:
    memory = RepairMemory(tmp_path / "m.db")
    memory.remember("f1", _change("x != 3"), "p", now_ms=1)
    for moment in (2, 3):
        memory.remember("f1", _change(), "p", now_ms=moment)
    assert _recalled(memory, TEXT) == [TEXT.replace("x < 3", "x <= 3"), TEXT.replace("x < 3", "x != 3")]
    with sqlite3.connect(tmp_path / "m.db") as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert database.execute("SELECT times, last_ms FROM repairs ORDER BY times").fetchall() == [(1, 1), (2, 3)]
    database.close()


LINES = st.lists(
    st.sampled_from(["a = 1\n", "b = 2\n", "c = a\r\n", "\n", "if a:\n", "    d = 4  # x\n", "e"]), max_size=8
)


@given(LINES.map("".join), LINES.map("".join))
def test_what_is_recalled_for_the_same_file_is_the_same_change(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    memory = RepairMemory(tmp_path_factory.mktemp("memory") / "m.db")
    memory.remember("f1", FileChange("a.py", before.encode(), after.encode()), "p")
    found = _recalled(memory, before)
    assert found in ([], [after])
    if found == []:
        assert before == after or not _parses(after) or _repeats(before)


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _repeats(text: str) -> bool:
    lines = text.splitlines()
    return len(set(lines)) < len(lines) or len(lines) < 2
