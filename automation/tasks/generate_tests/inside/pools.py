"""Arguments that an annotation, a name and the code's own constants suggest, each as the source that makes it."""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import fractions
import inspect
import itertools
import pathlib
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from . import values  # noqa: TID252

Written = values.Written
_DEEPEST = 3
_MOST = 40
_INSTANCES = 6
_TEXTS = ("", "a", "Ab c", " x ", "123", "a,b;c", "é", "one\ntwo\n")
_CODE = ("def f(a):\n    if a:\n        return 1\n", "x = 1\n", "    x = (1,\n  2)\n    # note\n    y = x\n", "def f(:\n")
_NAMES_OF_CODE = frozenset({"text", "source", "code", "lines", "body", "snippet", "content", "statement", "statements"})
_INTEGERS = (1, 0, -1, 2, 3, 7, 10, 100)
_FLOATS = (1.0, 0.0, -1.0, 0.5, 2.5, 100.25)
_UTC = datetime.timezone.utc
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
    datetime.datetime: (datetime.datetime(2024, 2, 29, 12, 30, tzinfo=_UTC), datetime.datetime(1970, 1, 1, tzinfo=_UTC)),
    datetime.date: (datetime.date(2024, 2, 29), datetime.date(1999, 12, 31)),
    datetime.timedelta: (datetime.timedelta(hours=1), datetime.timedelta(0), datetime.timedelta(days=-1)),
    pathlib.Path: (pathlib.Path("notes.txt"), pathlib.Path("folder/data.csv"), pathlib.Path()),
    pathlib.PurePath: (pathlib.Path("folder/data.csv"),),
    object: (1, "a", None),
}
_LISTS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Iterable)
_LISTS += (collections.abc.Collection, collections.abc.Reversible, collections.abc.Iterator)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_NAMED: tuple[tuple[tuple[str, ...], object], ...] = (
    (("count", "size", "length", "index", "number", "limit", "width", "n", "i", "k"), int),
    (("text", "name", "string", "word", "line", "s", "key", "title", "label", "prefix"), str),
    (("values", "items", "numbers", "xs", "data", "array", "rows", "sequence"), typing.List[int]),  # noqa: UP006
    (("words", "names", "lines", "texts"), typing.List[str]),  # noqa: UP006
    (("mapping", "options", "table", "counts"), typing.Dict[str, int]),  # noqa: UP006
    (("flag", "strict", "reverse", "enabled"), bool),
    (("price", "ratio", "rate", "x", "y", "a", "b", "value", "low", "high", "amount"), float),
)


class Pools:
    """Makes argument pools.

    Parameters
    ----------
    numbers, texts : sequence
        Constants of the code and what its documentation quotes.
    """

    def __init__(self, numbers: Sequence[float], texts: Sequence[str]) -> None:
        self._numbers = [each for each in numbers if isinstance(each, (int, float))]
        self._texts = list(texts)

    def of(self, hint: object, name: str = "", default: object = inspect.Parameter.empty) -> list[values.Written]:
        """Return expressions for one parameter, the plainest first.

        Parameters
        ----------
        hint : object
            Resolved annotation; ``inspect.Parameter.empty`` where there is none.
        name : str
            The parameter's, which says something where the annotation does not.
        default : object
            Its default, if it has one.
        """
        found: list[values.Written] = []
        if default is not inspect.Parameter.empty:
            found += _written([default])
            if hint is inspect.Parameter.empty and default is not None:
                hint = type(default)
        if hint is inspect.Parameter.empty or hint is Any:
            hints = [each for names, each in _NAMED if name in names or name.rsplit("_", 1)[-1] in names]
            for each in hints or (int, str, typing.List[int], float):  # noqa: UP006
                found += self._pool(each, 0)
        else:
            if name in _NAMES_OF_CODE and _bare(hint) is str:
                found += _written(_CODE)
            elif name in _NAMES_OF_CODE and typing.get_args(hint) == (str,):
                found += _written([code.splitlines() for code in _CODE])
            found += self._pool(hint, 0)
        return list({each.text: each for each in found}.values())[:_MOST]

    def _pool(self, hint: Any, depth: int) -> list[values.Written]:
        if depth > _DEEPEST:
            return []
        hint = _bare(hint)
        plain = _written(self._plain(hint))
        if plain:
            return plain
        origin, inner = typing.get_origin(hint) or hint, typing.get_args(hint)
        if origin is typing.Literal:
            return _written(inner)
        if origin is typing.Union or type(hint).__name__ == "UnionType":
            parts = [self._pool(part, depth) for part in inner]
            mixed = itertools.chain.from_iterable(itertools.zip_longest(*parts))
            return [each for each in mixed if each is not None]
        if inspect.isclass(origin):
            return self._of_class(origin, inner, depth)
        return []

    def _plain(self, hint: object) -> list[object]:
        try:
            usual = list(_PLAIN.get(hint, ()))
        except TypeError:
            return []
        if hint is int:
            near = [int(each) + step for each in self._numbers if float(each).is_integer() for step in (0, 1, -1)]
            return _mixed(usual, near)
        if hint is float:
            near = [float(each) + step for each in self._numbers for step in (0.0, 0.5, -0.5)]
            return _mixed(usual, near)
        if hint is decimal.Decimal:
            return _mixed(usual, [decimal.Decimal(str(each)) for each in self._numbers])
        if hint is str:
            return _mixed(list(self._texts), usual)
        if hint is bytes:
            return _mixed(usual, [each.encode() for each in self._texts])
        return usual

    def _of_class(self, origin: Any, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        if issubclass(origin, enum.Enum):
            return _written(list(origin)[:12])
        if origin.__module__ == "numpy" or origin.__name__ == "ndarray":
            return _arrays(origin, inner, self._numbers)
        if origin is tuple:
            return self._tuples(inner, depth)
        if origin in _SETS or origin in _LISTS:
            return self._rows(origin, inner, depth)
        if origin in _MAPPINGS:
            return self._mappings(inner, depth)
        if origin is collections.abc.Callable:
            return _functions(inner)
        return self.instances(origin, depth)

    def _tuples(self, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return self._rows(tuple, inner[:1], depth)
        parts = [self._pool(part, depth + 1)[:6] for part in inner]
        if not inner or not all(parts):
            return _written([(), (1, 2)]) if not inner else []
        return [_joined("(", row, ",)" if len(row) == 1 else ")") for row in rows_of(parts)]

    def _rows(self, origin: Any, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        pool = self._pool(inner[0] if inner else int, depth + 1)
        if not pool:
            return []
        first = pool[:5]
        rows = [first[:3], [], first[:1], first[::-1], [*first[:2], first[0]], first, pool[5:9]]
        opening, closing = ("[", "]")
        if origin in _SETS:
            opening, closing = ("frozenset({", "})") if origin is frozenset else ("{", "}")
        if origin is tuple:
            opening, closing = "(", ")"
        if origin is collections.abc.Iterator:
            opening, closing = "iter([", "])"
        found = []
        for row in rows:
            if row or origin not in _SETS:
                end = ",)" if origin is tuple and len(row) == 1 else closing
                found.append(_joined(opening, row, end))
        return [*found, *([Written("set()")] if origin in _SETS else [])]

    def _mappings(self, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        keys, held = inner if len(inner) == 2 else (str, int)
        names, pool = self._pool(keys, depth + 1)[:4], self._pool(held, depth + 1)[:4]
        if not names or not pool:
            return [Written("{}")]
        found = []
        for count in (2, 0, 1, 4):
            pairs = [
                Written(f"{key.text}: {pool[i % len(pool)].text}", (*key.imports, *pool[i % len(pool)].imports))
                for i, key in enumerate(names[:count])
            ]
            found.append(_joined("{", pairs, "}"))
        return found

    def instances(self, origin: Any, depth: int = 0) -> list[values.Written]:
        """Return constructor calls of a class that work, or of its subclasses where it is abstract."""
        if inspect.isabstract(origin) or getattr(origin, "_is_protocol", False):
            concrete = [each for each in origin.__subclasses__() if not inspect.isabstract(each)]
            return [each for found in concrete[:3] for each in self.instances(found, depth + 1)[:2]]
        made = self._factories(origin, depth)
        if made:
            return made
        try:
            name, imports = values.written(origin)
            parameters = constructor(origin)
        except (values.Unwritable, TypeError, ValueError):
            return []
        pools = []
        for parameter, hint in parameters:
            pool = self.of_at(hint, parameter.name, parameter.default, depth + 1)
            if not pool and parameter.default is inspect.Parameter.empty:
                return []
            pools.append((parameter, pool))
        found = []
        for chosen in rows_of([pool[:8] or [None] for _, pool in pools]):
            given = [
                Written(f"{parameter.name}={each.text}", each.imports)
                for (parameter, _), each in zip(pools, chosen)  # noqa: B905 - Python 3.9
                if each is not None and not _is_default(parameter, each)
            ]
            made = _joined(f"{name}(", given, ")")
            made = Written(made.text, tuple(sorted({*made.imports, *imports})))
            if made not in found and works(made):
                found.append(made)
            if len(found) >= _INSTANCES:
                break
        return found

    def _factories(self, origin: Any, depth: int) -> list[values.Written]:
        """Return calls of the class methods that make an instance: they keep what the constructor leaves to others."""
        found: list[values.Written] = []
        for each in vars(origin).values():
            if not isinstance(each, (classmethod, staticmethod)) or each.__func__.__name__.startswith("_"):
                continue
            hints = resolved(each.__func__)
            made = hints.get("return")
            if made is not origin and getattr(made, "_name", "") != "Self":
                continue
            found += self._calls_of(origin, each.__func__.__name__, hints, depth)
        return found[: 2 * _INSTANCES]

    def _calls_of(self, origin: Any, name: str, hints: Mapping[str, object], depth: int) -> list[values.Written]:
        parameters = [
            each
            for each in inspect.signature(getattr(origin, name)).parameters.values()
            if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        ]
        pools = [self.of_at(hints.get(each.name, each.empty), each.name, each.empty, depth + 1) for each in parameters]
        if not all(pools):
            return []
        found = []
        try:
            own, imports = values.written(origin)
        except values.Unwritable:
            return []
        for row in rows_of([pool[:10] for pool in pools]):
            joined = _joined(f"{own}.{name}(", row, ")")
            made = Written(joined.text, tuple(sorted({*joined.imports, *imports})))
            if works(made):
                found.append(made)
        return found[:_INSTANCES]

    def of_at(self, hint: object, name: str, default: object, depth: int) -> list[values.Written]:
        """Return expressions for a part of something that is built at some depth."""
        if depth > _DEEPEST:
            return []
        if hint is inspect.Parameter.empty:
            return self.of(hint, name, default)
        found = _written([default]) if default is not inspect.Parameter.empty else []
        return [*found, *self._pool(hint, depth)]


def constructor(origin: Any) -> list[tuple[inspect.Parameter, object]]:
    """Return the parameters of a class's constructor with their resolved annotations."""
    if origin.__init__ is object.__init__ and origin.__new__ is object.__new__:
        return []
    source = origin if dataclasses.is_dataclass(origin) or hasattr(origin, "_fields") else origin.__init__
    if hasattr(origin, "model_fields"):
        source = origin
    hints = resolved(source)
    taken = inspect.signature(origin).parameters.values()
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return [(each, hints.get(each.name, each.annotation)) for each in taken if each.kind not in kinds]


def resolved(source: Any) -> Mapping[str, object]:
    """Return the annotations of a function or class, those that can be resolved."""
    try:
        return typing.get_type_hints(source)
    except Exception:  # noqa: BLE001 - an annotation may be any expression
        return {}


def evaluated(source: values.Written, scope: dict[str, object] | None = None) -> Any:
    """Return what an expression makes, in a scope that gets its imports."""
    scope = {} if scope is None else scope
    for line in source.imports:
        exec(line, scope)  # noqa: S102 - this is the sandbox
    return eval(source.text, scope)  # noqa: S307 - the same


def works(source: values.Written) -> bool:
    """Say whether an expression can be evaluated."""
    try:
        evaluated(source)
    except Exception:  # noqa: BLE001 - a constructor may refuse in its own way
        return False
    return True


def _bare(hint: Any) -> Any:
    if hasattr(hint, "__supertype__"):
        return _bare(hint.__supertype__)
    if hasattr(hint, "__metadata__"):
        return _bare(hint.__origin__)
    if isinstance(hint, typing.TypeVar):
        if hint.__bound__ is not None:
            return _bare(hint.__bound__)
        return hint.__constraints__[0] if hint.__constraints__ else int
    return hint


def _mixed(first: list[Any], second: list[Any]) -> list[object]:
    both = itertools.chain.from_iterable(itertools.zip_longest(first, second))
    kept: dict[str, object] = {repr(each): each for each in both if each is not None}
    return list(kept.values())


def _written(found: Sequence[object]) -> list[values.Written]:
    texts = []
    for value in found:
        try:
            texts.append(values.written(value))
        except (values.Unwritable, RecursionError):
            continue
    return texts


def _joined(opening: str, parts: Sequence[values.Written], closing: str) -> values.Written:
    imports = sorted({line for part in parts for line in part.imports})
    return Written(opening + ", ".join(part.text for part in parts) + closing, tuple(imports))


def rows_of(pools: Sequence[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the first of each, then one changed at a time, then all by turns."""
    base = tuple(pool[0] for pool in pools)
    yield base
    longest = max(map(len, pools), default=0)
    for at in range(1, longest):
        for place, pool in enumerate(pools):
            if at < len(pool):
                yield (*base[:place], pool[at], *base[place + 1 :])
    for at in range(1, longest):
        yield tuple(pool[at % len(pool)] for pool in pools)


def _is_default(parameter: inspect.Parameter, source: values.Written) -> bool:
    if parameter.default is inspect.Parameter.empty:
        return False
    try:
        return bool(values.written(parameter.default).text == source.text)
    except values.Unwritable:
        return False


def _functions(inner: tuple[Any, ...]) -> list[values.Written]:
    count = len(inner[0]) if inner and isinstance(inner[0], list) else 1
    if count == 1:
        return [Written("lambda value: value"), Written("str")]
    return [Written(f"lambda {', '.join('abcdef'[:count])}: a")] if 0 < count <= 6 else [Written("lambda: 1")]


def _arrays(origin: Any, inner: tuple[Any, ...], numbers: Sequence[float]) -> list[values.Written]:
    import numpy as np

    if origin is not np.ndarray:
        return _written([origin(each) for each in (1, 0, 3)]) if issubclass(origin, np.generic) else []
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
    return _written([np.array(row, dtype=kind) for row in rows])


