"""Tests that only state what code did are told from those that somebody meant."""

from __future__ import annotations

from pathlib import Path

from automation.codebase.characterisation import MARK, characterisations, characterised

TEXT = f"""import pytest


{MARK}
@pytest.mark.parametrize("x", [1, 2])
def test_watched(x):
    assert x


def test_meant():
    assert True


class TestAll:
    {MARK}
    def test_inside(self):
        assert True
"""


def test_the_mark_above_a_function_or_its_decorators_counts():
    assert characterised(TEXT) == {"test_watched", "test_inside"}


def test_a_file_without_marks_or_that_does_not_parse_has_none():
    assert characterised("def test_a(): assert True\n") == frozenset()
    assert characterised(f"{MARK}\ndef test_a(:\n") == frozenset()


def test_node_ids_are_found_with_their_rows_and_classes(tmp_path: Path):
    (tmp_path / "test_it.py").write_text(TEXT)
    ids = [
        "test_it.py::test_watched[1]",
        "test_it.py::test_meant",
        "test_it.py::TestAll::test_inside",
        "gone.py::test_x",
    ]
    assert characterisations(tmp_path, ids) == {ids[0], ids[2]}
