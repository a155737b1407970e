"""Plain values that an annotation, a parameter's name and the code's own constants suggest."""

from __future__ import annotations

import datetime as dt
import decimal
import fractions
import inspect
import itertools
import pathlib
import typing
from collections.abc import Sequence
from typing import Any, Dict, List, Tuple  # noqa: UP035 - read at run time by Python 3.9

from . import expressions, values  # noqa: TID252

_TEXTS = ("a", "", "one\ntwo\n", "Ab c", " x ", "123", "a,b;c", "é")
_CODE = (
    "def f(a):\n    if a:\n        return 1\n",
    "x = 1\n",
    "    x = (1,\n  2)\n    # note\n    y = x\n",
    "def f(:\n",
)
_NAMES_OF_CODE = frozenset({"text", "source", "code", "lines", "body", "snippet", "content", "statement", "statements"})
# the first is the plainest that shows whether it was multiplied, which one does not
_INTEGERS = (3, 0, 1, -1, 2, 7, 10, 100)
_FLOATS = (2.5, 0.0, 1.0, -1.0, 0.5, 100.25)
_HOURS = 24
_MOST_WORDS = 3
_NOTHING = object()
_UTC = dt.timezone.utc  # noqa: UP017 - Python 3.9
_PLAIN: dict[object, tuple[object, ...]] = {
    bool: (True, False),
    int: _INTEGERS,
    float: _FLOATS,
    complex: (0j, 1 + 2j),
    str: _TEXTS,
    bytes: (b"", b"a", b"\x00\xff", b"abc"),
    type(None): (None,),
    None: (None,),
    decimal.Decimal: tuple(map(decimal.Decimal, ("1", "0", "-1.5", "0.01", "100", "12345.678"))),
    fractions.Fraction: (fractions.Fraction(1, 3), fractions.Fraction(0), fractions.Fraction(-7, 2)),
    dt.datetime: (
        dt.datetime(2024, 2, 29, 12, 30, tzinfo=_UTC),
        dt.datetime(1970, 1, 1, tzinfo=_UTC),
        # a Friday evening, a Saturday, the end of a year
        dt.datetime(2024, 3, 1, 18, 0, tzinfo=_UTC),
        dt.datetime(2024, 3, 2, 9, 0, tzinfo=_UTC),
        dt.datetime(2023, 12, 31, 23, 59, 59, tzinfo=_UTC),
    ),
    dt.date: (
        dt.date(2024, 2, 29),
        dt.date(1999, 12, 31),
        dt.date(2024, 3, 1),
        dt.date(2024, 3, 2),
        dt.date(2023, 2, 28),
    ),
    dt.timedelta: (dt.timedelta(hours=1), dt.timedelta(0), dt.timedelta(days=-1)),
    pathlib.Path: (pathlib.Path("notes.txt"), pathlib.Path("folder/data.csv"), pathlib.Path()),
    pathlib.PurePath: (pathlib.Path("folder/data.csv"),),
    object: (1, "a", None),
}
_NAMED: tuple[tuple[tuple[str, ...], object], ...] = (
    (("count", "size", "length", "index", "number", "limit", "width", "n", "i", "k"), int),
    (("text", "name", "string", "word", "line", "key", "title", "label", "prefix"), str),
    (("values", "items", "numbers", "xs", "data", "array", "rows", "sequence"), typing.List[int]),  # noqa: UP006
    (("words", "names", "lines", "texts"), typing.List[str]),  # noqa: UP006
    (("mapping", "options", "table", "counts"), typing.Dict[str, int]),  # noqa: UP006
    (("flag", "strict", "reverse", "enabled"), bool),
    (("price", "ratio", "rate", "x", "y", "a", "b", "value", "low", "high", "amount"), float),
)


def hints_of(name: str) -> Tuple[object, ...]:  # noqa: UP006
    """Return the types that a parameter's name suggests; several where it says nothing."""
    found = tuple(each for names, each in _NAMED if name in names or name.rsplit("_", 1)[-1] in names)
    if not found and len(name) == 1:
        return (float,)
    return found or (int, str, List[int], float)  # noqa: UP006


UNSAID = (float, str, List[int], int, List[str], Dict[str, int], bytes)  # noqa: UP006
"""Types that a parameter without an annotation may have, the likeliest first."""


def code_for(name: str, hint: object) -> List[values.Written]:  # noqa: UP006
    """Return pieces of Python for a parameter that is named like code."""
    if name not in _NAMES_OF_CODE:
        return []
    if hint is str:
        return expressions.all_written(_CODE)
    rows = [code.splitlines() for code in _CODE]
    return expressions.all_written(rows) if typing.get_args(hint) == (str,) else []


def plain_values(hint: object, numbers: Sequence[float], texts: Sequence[str]) -> List[object]:  # noqa: UP006
    """Return values of a plain type, the code's own constants and what lies beside them among the usual ones.

    Parameters
    ----------
    hint : object
        The type; nothing is returned for one that is not plain.
    numbers, texts : sequence
        Constants.
    """
    try:
        usual = list(_PLAIN.get(hint, ()))
    except TypeError:
        return []
    near: List[object] = []  # noqa: UP006
    if hint is int:
        near += [int(each) + step for each in numbers if float(each).is_integer() for step in (0, 1, -1)]
    elif hint is float:
        near += [float(each) + step for each in numbers for step in (0.0, 0.5, -0.5)]
    elif hint is decimal.Decimal:
        near += [decimal.Decimal(str(each)) for each in numbers]
    elif hint is str:
        return _mixed([*texts, *_numbered(texts, numbers)], usual)
    elif hint is dt.datetime:
        hours = {int(each) + step for each in numbers if float(each).is_integer() for step in (0, -1)}
        near += [dt.datetime(2024, 2, 28, hour, tzinfo=_UTC) for hour in sorted(hours) if 0 <= hour < _HOURS]
    elif hint is bytes:
        near += [each.encode() for each in texts]
    return _mixed(usual, near)


def _numbered(texts: Sequence[str], numbers: Sequence[float]) -> List[str]:  # noqa: UP006
    """Return words of the code with its numbers behind them, and the numbers alone."""
    near = [str(int(each) + step) for each in numbers if float(each).is_integer() for step in (0, 1) if each >= 0]
    words = [each for each in texts if each.isalpha()]
    return [*(f"{word}{number}" for word in words[:_MOST_WORDS] for number in near[-4:]), *near[:4]]


def functions(inner: Tuple[Any, ...]) -> List[values.Written]:  # noqa: UP006
    """Return small functions that take as many arguments as an annotation says."""
    count = len(inner[0]) if inner and isinstance(inner[0], list) else 1
    if count == 1:
        return [values.Written("lambda value: value"), values.Written("str")]
    return (
        [values.Written(f"lambda {', '.join('abcdef'[:count])}: a")]
        if 0 < count <= 6
        else [values.Written("lambda: 1")]
    )


def arrays(
    origin: values.Foreign,
    inner: tuple[Any, ...],
    numbers: Sequence[float],
    tables: bool = False,
) -> List[values.Written]:  # noqa: UP006
    """Return numpy arrays and scalars of an annotation's type; with ``tables`` those of two dimensions first."""
    import numpy as np

    if origin is not np.ndarray:
        return expressions.all_written([origin(each) for each in (1, 0, 3)]) if issubclass(origin, np.generic) else []
    kind = typing.get_args(inner[-1])[0] if inner and typing.get_args(inner[-1]) else np.float64
    if not inspect.isclass(kind) or not issubclass(kind, np.generic):
        kind = np.float64
    rows: list[Any] = [[1, 2, 3], [5, 3, 4, 2, 6], [], [2], [0, 0, 0, 0], [3, 1, 2, 1, 4, 1, 5, 9], [-1, 4, -2]]
    if issubclass(kind, np.bool_):
        rows = [[True, False, True], [], [False, False], [True]]
    elif issubclass(kind, np.floating):
        rows = [[1.0, 2.0, 4.0], [5.0, 3.5, 4.25, 2.0, 6.5], *rows[2:], [1.0, np.nan, 2.0]]
        rows.append([10.0 + (i * 7) % 11 + (i % 3) / 4 for i in range(24)])
        rows += [[each, each + 1.0, each / 2] for each in numbers[:3]]
    if tables and not issubclass(kind, np.bool_):
        rows = [[[0, 0], [3, 4], [6, 8]], [[1, 2, 3], [4, 5, 6]], [[2, 1]], *rows]
    return expressions.all_written([np.array(row, dtype=kind) for row in rows])


def _mixed(first: Sequence[object], second: Sequence[object]) -> List[object]:  # noqa: UP006
    both = itertools.chain.from_iterable(itertools.zip_longest(first, second, fillvalue=_NOTHING))
    kept: Dict[str, object] = {repr(each): each for each in both if each is not _NOTHING}  # noqa: UP006
    return list(kept.values())
