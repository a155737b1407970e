"""What is made of a result beside its text: rows, a patch in colours, an area under a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.interfaces.console.diff import diff_text
from automation.interfaces.console.results import cell, patch_of, rows_of
from automation.interfaces.console.theme import DARK
from automation.interfaces.console.widgets.area import area_rows


def test_the_first_list_of_flat_objects_becomes_rows() -> None:
    rows = rows_of(
        {"ok": True, "nested": [{"a": {"b": 1}}], "checks": [{"name": "git", "ok": True}, {"name": "x", "n": 2.5}]}
    )
    assert rows is not None
    assert (rows.title, rows.columns) == ("checks", ("name", "ok", "n"))
    assert rows.rows == (("git", "yes", "-"), ("x", "-", "2.5"))
    assert rows_of({"text": "no", "list": [1, 2]}) is None


def test_an_object_of_flat_objects_becomes_rows_by_name() -> None:
    rows = rows_of(
        {"grid.spacing": {"value": None, "source": "derived"}, "risk": {"value": ["a", "b"], "source": "default"}}
    )
    assert rows is not None
    assert rows.columns == ("name", "value", "source")
    assert rows.rows[1] == ("risk", "a, b", "default")


def test_many_rows_are_cut_and_counted() -> None:
    rows = rows_of({"fills": [{"n": number} for number in range(700)]})
    assert rows is not None
    assert (len(rows.rows), rows.left) == (500, 200)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (False, "no"), (1_234_567.5, "1.23457e+06"), ("two\nlines", "two lines"), ([], "none")],
)
def test_cells_are_one_short_line(value: object, text: str) -> None:
    assert cell(value) == text
    assert len(cell("x" * 500)) == 60


def test_a_patch_is_found_and_its_lines_have_their_colours() -> None:
    patch = "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n same\n"
    assert patch_of({"status": "fixed", "patch": patch}) == patch
    assert patch_of({"patch": None, "diff": " "}) == ""
    text = diff_text(patch, DARK)
    styles = [str(span.style) for span in text.spans]
    assert styles == [f"bold {DARK.quiet}"] * 2 + [DARK.accent, DARK.bad, DARK.good, DARK.ink]
    assert text.plain == patch


@given(
    series=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50),
    width=st.integers(1, 40),
    height=st.integers(1, 12),
)
def test_an_area_fills_its_box_and_is_as_high_as_its_values_are(series: list[float], width: int, height: int) -> None:
    rows = area_rows(series, width, height)
    assert [len(row) for row in rows] == [width] * height
    heights = [sum(" ▁▂▃▄▅▆▇█".index(row[column]) for row in rows) for column in range(width)]
    assert all(1 <= high <= 8 * height for high in heights)
    if width >= len(series) and max(series) > min(series):
        first = -(-series.index(max(series)) * width // len(series))
        assert heights[first] == max(heights)
        assert min(heights) == 1


def test_nothing_is_drawn_of_nothing() -> None:
    assert area_rows([], 10, 3) == []
    assert area_rows([1.0], 0, 3) == []
