"""Numbers as people read them."""

from __future__ import annotations

import pytest

from trading.report.figures import agent_rows
from trading.report.formats import DASH, duration, money, number, percent


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [(None, DASH), (0, "0 s"), (999, "0 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (90_000_000, "1 d 1 h"),
     (86_400_000 * 1_500, "1,500 d")],
)  # fmt: skip
def test_duration_has_its_two_largest_units(length_ms: int | None, text: str) -> None:
    assert duration(length_ms) == text


def test_signs_are_shown_and_zero_has_none() -> None:
    assert [percent(share) for share in (0.1234, -0.1, 0.0, -0.000001)] == ["+12.34%", "−10.00%", "0.00%", "0.00%"]
    assert percent(0.5, 0, signed=False) == "50%"


def test_undefined_is_a_dash() -> None:
    assert [percent(None), number(float("inf")), money(float("nan"))] == [DASH] * 3


def test_small_money_keeps_four_digits() -> None:
    assert [money(value) for value in (1234.5, 0.0123456, -0.00001)] == ["1,234.50", "0.01235", "−0.00001000"]


def test_agents_and_the_grid_have_a_row_each_and_unknown_values_are_dashes() -> None:
    agents = [{"name": "a", "signals": 3, "hit_rate": None, "skipped": "E005"}, {"name": "b", "hit_rate": 0.25}]
    first, second, grid = agent_rows(agents, {"a": 2.0, "grid": -4.0})
    assert (first["skipped"], first["hit_rate"], first["profit"], first["size"]) == ("E005", DASH, "+2.00", 0.5)
    assert (second["hit_rate"], second["profit"]) == ("25.0%", DASH)
    assert (grid["name"], grid["sign"], grid["size"]) == ("grid", "down", 1.0)
