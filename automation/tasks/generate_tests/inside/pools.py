"""Arguments that an annotation, a name and the code's own constants suggest, each as the source that makes it."""

from __future__ import annotations

import collections.abc
import enum
import inspect
import itertools
import typing
from collections.abc import Sequence
from typing import Any

from . import expressions, histories, instances, signatures, suggestions, usage, values  # noqa: TID252

Written = values.Written
_DEEPEST = 3
_MOST = 40
_BEFORE_CODE = 6
_SHORT = 12
_LISTS: tuple[values.Foreign, ...] = (
    list,
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Collection,
    collections.abc.Reversible,
    collections.abc.Iterator,
)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Pools:
    """Makes argument pools.

    Parameters
    ----------
    numbers, texts : sequence
        Constants of the code and what its documentation quotes.
    source : str
        Of the function or class that is called: how it uses what has no annotation.
    code : bool
        Whether its module works on Python code.
    """

    def __init__(self, numbers: Sequence[float], texts: Sequence[str], source: str = "", *, code: bool = False) -> None:
        self._used, self._tables, self._code = usage.used_as(source), usage.treats_tables(source), code
        self._asked = usage.asked_for(source)
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
            found += expressions.all_written([default])
            if hint is inspect.Parameter.empty and default is not None:
                hint = type(default)
        if any(hint is each for each in (inspect.Parameter.empty, Any)):
            known = self._used.get(name)
            asked = self._asked.get(name, ())
            for each in (*asked, *suggestions.hints_of(name)) if known is None else (*asked, known):
                found += self._pool(each, 0)
        else:
            usual = self._pool(hint, 0)
            code = suggestions.code_for(name, signatures.bare(hint)) if self._code else []
            found += [*usual[:_BEFORE_CODE], *code, *usual[_BEFORE_CODE:]]
        return list({each.text: each for each in found}.values())[:_MOST]

    def instances(self, origin: values.Foreign, depth: int = 0) -> list[values.Written]:
        """Return calls that make an instance of a class."""
        return instances.instances(origin, self._part, depth)

    def lived(self, origin: values.Foreign) -> list[values.Written]:
        """Return instances of a class, some of them with calls of their methods behind them."""
        return histories.with_histories(origin, self.instances(origin), self.of)

    def is_settled(self, name: str) -> bool:
        """Say whether the code tells the type of a parameter that has no annotation."""
        return name in self._used or name in self._asked

    def _part(self, hint: object, name: str, default: object, depth: int) -> list[values.Written]:
        if depth > _DEEPEST:
            return []
        if hint is inspect.Parameter.empty:
            return self.of(hint, name, default)
        found = expressions.all_written([default]) if default is not inspect.Parameter.empty else []
        return [*found, *self._pool(hint, depth)]

    def _pool(self, hint: values.Foreign, depth: int) -> list[values.Written]:
        if depth > _DEEPEST:
            return []
        hint = signatures.bare(hint)
        plain = expressions.all_written(suggestions.plain_values(hint, self._numbers, self._texts))
        if plain:
            return plain
        generic: values.Foreign = typing.get_origin(hint)
        origin = hint if generic is None else generic
        inner = typing.get_args(hint)
        if origin is typing.Literal:
            return expressions.all_written(inner)
        if origin is typing.Union or type(hint).__name__ == "UnionType":
            parts = [self._pool(part, depth) for part in inner]
            mixed = itertools.chain.from_iterable(itertools.zip_longest(*parts))
            return [each for each in mixed if each is not None]
        if inspect.isclass(origin):
            return self._of_class(origin, inner, depth)
        return []

    def _of_class(self, origin: values.Foreign, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        if issubclass(origin, enum.Enum):
            return expressions.all_written(list(origin)[:12])
        if origin.__module__ == "numpy" or origin.__name__ == "ndarray":
            return suggestions.arrays(origin, inner, self._numbers, self._tables)
        if origin is tuple or origin in _SETS or origin in _LISTS:
            return self._rows(origin, inner, depth) if origin is not tuple else self._tuples(inner, depth)
        if origin in _MAPPINGS:
            return self._mappings(inner, depth)
        if origin is collections.abc.Callable:
            return suggestions.functions(inner)
        return self.instances(origin, depth)

    def _tuples(self, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return self._rows(tuple, inner[:1], depth)
        parts = [self._pool(part, depth + 1)[:6] for part in inner]
        if not inner or not all(parts):
            return expressions.all_written([(), (1, 2)]) if not inner else []
        return [expressions.joined("(", row, ",)" if len(row) == 1 else ")") for row in expressions.rows_of(parts)]

    def _rows(self, origin: values.Foreign, inner: tuple[Any, ...], depth: int) -> list[values.Written]:
        pool = self._pool(inner[0] if inner else int, depth + 1)
        if not pool:
            return []
        first = pool[:5]
        # one thing tells more than three where each fills a line
        begun = [first[:1], [], first[:3]] if len(first[0].text) > _SHORT else [first[:3], [], first[:1]]
        rows = [*begun, first[::-1], [*first[:2], first[0]], first, pool[5:9]]
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
                found.append(expressions.joined(opening, row, end))
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
            found.append(expressions.joined("{", pairs, "}"))
        return found
