"""Argument pools: every annotation gets expressions that work, with the code's own constants and what lies beside."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal, NewType, Optional, Protocol, TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from automation.tasks.generate_tests.inside import expressions, pools


class Side(Enum):
    BUY = 1
    SELL = 2


@dataclass(frozen=True)
class Level:
    price: int
    side: Side = Side.BUY

    def __post_init__(self) -> None:
        if self.price <= 0:
            raise ValueError


class Table:
    def __init__(self, rows: list[str]) -> None:
        self.rows = rows

    @classmethod
    def of(cls, text: str) -> Table:
        return cls(text.splitlines())


class Base(abc.ABC):
    @abc.abstractmethod
    def act(self) -> int: ...


class Concrete(Base):
    def act(self) -> int:
        return 1


class Quacks(Protocol):
    def quack(self) -> None: ...


Price = NewType("Price", int)
T = TypeVar("T")


@pytest.mark.parametrize(
    "hint",
    [
        int,
        float,
        str,
        bytes,
        bool,
        None,
        Decimal,
        Path,
        Side,
        Level,
        Table,
        Base,
        Price,
        T,
        Annotated[int, "x"],
        Literal["a", 2],
        Optional[int],  # noqa: UP045 - the older form too
        int | str,
        list[int],
        Sequence[Level],
        Iterable[str],
        Iterator[int],
        tuple[int, str],
        tuple[int, ...],
        set[str],
        frozenset[int],
        dict[str, Level],
        Mapping[str, int],
        Callable[[int], int],
        NDArray[np.float64],
        np.ndarray,
        np.int64,
    ],
    ids=str,
)
def test_every_annotation_gets_expressions_that_work(hint: object):
    found = pools.Pools([], []).of(hint)
    assert found
    for source in found:
        expressions.evaluated(source)


def test_an_annotation_that_nothing_is_known_of_gets_nothing():
    assert pools.Pools([], []).of(Quacks) == []


def test_constants_and_what_lies_beside_them_are_tried():
    found = [source.text for source in pools.Pools([250], ["5m"]).of(int)]
    assert {"249", "250", "251"} <= set(found)
    assert pools.Pools([], ["5m"]).of(str)[0].text == '"5m"'


def test_names_say_what_annotations_do_not():
    found = [expressions.evaluated(source) for source in pools.Pools([], []).of(inspect.Parameter.empty, "words")]
    assert all(isinstance(each, list) for each in found)
    default = pools.Pools([], []).of(inspect.Parameter.empty, "whatever", "a,b")
    assert all(isinstance(expressions.evaluated(each), str) for each in default)


def test_instances_that_refuse_their_arguments_are_left_out():
    prices = [expressions.evaluated(source).price for source in pools.Pools([], []).of(Level)]
    assert prices
    assert min(prices) > 0


def test_a_class_is_made_by_its_own_class_methods_first():
    assert all(".of(" in source.text for source in pools.Pools([], []).of(Table))


def test_rows_change_one_thing_at_a_time_first():
    rows = list(expressions.rows_of([["a", "b"], [1, 2]]))
    assert rows == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]
    assert list(expressions.rows_of([["a"], []])) == []
