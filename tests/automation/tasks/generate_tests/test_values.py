"""Values as source: what is written makes an equal value again."""

from __future__ import annotations

import math
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.tasks.generate_tests.inside import expressions, values

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=5,
)


class Colour(Enum):
    RED = "red"


@dataclass
class Order:
    price: float
    tags: list[str] = field(default_factory=list)
    side: str = "buy"


Point = namedtuple("Point", ["x", "y"])  # noqa: PYI024 - a plain one is what is tested


@given(plain)
def test_a_written_value_is_made_again(value: object):
    try:
        source = values.written(value)
    except values.Unwritable:
        return
    assert expressions.evaluated(source) == value


@given(plain)
def test_what_is_expected_accepts_the_value_itself(value: object):
    try:
        source = values.written(value, approximate=True)
    except values.Unwritable:
        return
    assert value == expressions.evaluated(source)


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Order(1.5, ["a"]),
        Point(1, 2),
        Decimal("1.10"),
        date(2024, 2, 29),
        datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC),
        timedelta(hours=1),
        Path("a/b.txt"),
        range(3),
        frozenset({1, 2}),
        math.inf,
        len,
        Order,
    ],
    ids=repr,
)
def test_values_of_known_types_are_written(value: object):
    source = values.written(value)
    assert expressions.evaluated(source) == value


def test_defaults_of_a_dataclass_are_not_spelled_out():
    assert values.written(Order(2.0)).text == "Order(price=2.0)"


def test_arrays_keep_their_type():
    source = values.written(np.array([1, 2], dtype=np.int32))
    made = expressions.evaluated(source)
    assert made.tolist() == [1, 2]
    assert made.dtype == np.int32


def test_a_row_of_floats_has_one_tolerance():
    assert values.written([0.1 + 0.2, 1], approximate=True).text == "pytest.approx([0.3, 1])"


def test_a_number_that_is_none_is_expected_as_such():
    source = values.written([math.nan, 1.0], approximate=True)
    assert expressions.evaluated(source) == [math.nan, 1.0]


@pytest.mark.parametrize(
    "value",
    [object(), SimpleNamespace(a=1), lambda: 0, Path("/tmp/x"), list(range(1000)), [[[[[[[[1]]]]]]]]],
    ids=["object", "namespace", "lambda", "absolute path", "long list", "deep list"],
)
def test_what_no_short_expression_makes_is_refused(value: object):
    with pytest.raises(values.Unwritable):
        values.written(value)
