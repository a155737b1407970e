"""Inputs at the edges of their types, where a rewrite and its original are most likely to part; loaded by path."""

from __future__ import annotations

import random
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence

_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e200, -1e200, 5e-324, float("inf"), float("-inf"), float("nan"), 0.1)
_INTEGERS = (0, 1, -1, 2, 2**31, 2**63, -(2**63) - 1)
_DOUBLED = (str, bytes, list, tuple)
_TEXTS = ("", " ", "a", "aa", "ä", "A", "0", "\n")


def strained(seen: Sequence[Mapping[str, object]], rng: random.Random, most: int) -> Iterator[dict[str, object]]:
    """Yield arguments like those that were seen, with one of them, or a part of one, at an edge of its type.

    Parameters
    ----------
    seen : sequence of mapping
        Arguments by parameter name.
    rng : random.Random
        Decides.
    most : int
        How many to yield.
    """
    for _ in range(most):
        base = dict(rng.choice(seen))
        names = [name for name in base if name not in ("self", "cls")]
        if not names:
            return
        name = rng.choice(names)
        yield {**base, name: strain(base[name], rng)}


def shrunk(arguments: Mapping[str, object], rng: random.Random) -> dict[str, object]:
    """Return arguments with long texts and collections cut short, all of them at one length."""
    most = rng.randint(2, 12)
    return {name: _cut(value, most) for name, value in arguments.items()}


def linked(seen: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """Return the arrays that had one length in every call, because a function of theirs means nothing on others."""
    names = {name for name, value in (seen[0].items() if seen else ()) if _is_array(value)}
    for arguments in seen:
        sizes = [len(typing.cast("list[object]", arguments[name])) for name in names if _is_array(arguments.get(name))]
        if len(sizes) < len(names) or len(set(sizes)) > 1:
            return frozenset()
    return frozenset(names) if len(names) > 1 else frozenset()


def keeps(arguments: Mapping[str, object], names: frozenset[str]) -> bool:
    """Say whether the arrays of some names still have one length."""
    return len({len(typing.cast("list[object]", arguments[name])) for name in names if name in arguments}) <= 1


def _is_array(value: object) -> bool:
    return hasattr(value, "dtype") and getattr(value, "ndim", 0) == 1


def _cut(value: object, most: int) -> object:
    if type(value) in (str, bytes, list, tuple):
        return typing.cast("Sequence[object]", value)[:most]
    if type(value) is dict:
        return dict(list(value.items())[:most])
    if _is_array(value):
        return typing.cast("typing.Any", value)[:most].copy()
    return value


def grown(seen: Sequence[Mapping[str, object]], most: int) -> Iterator[dict[str, object]]:
    """Yield the largest arguments with a text or a list twice as long; what is seen may end short of a limit.

    Parameters
    ----------
    seen : sequence of mapping
        Arguments by parameter name.
    most : int
        How many of them to take.
    """

    def size(arguments: Mapping[str, object]) -> int:
        return sum(len(typing.cast("list[object]", value)) for value in arguments.values() if type(value) in _DOUBLED)

    for arguments in sorted(seen, key=size, reverse=True)[:most]:
        for name, value in arguments.items():
            if type(value) in _DOUBLED and value:
                twice = typing.cast("list[object]", value)
                yield {**arguments, name: twice + twice}


def strain(value: object, rng: random.Random) -> object:
    """Return a value of the same kind at an edge: an extreme number, an empty or doubled collection."""
    edge = _EDGES.get(type(value))
    if edge is not None:
        return edge(value, rng)
    if _is_array(value):
        return _array(value, rng)
    return value


def _items(items: list[object], rng: random.Random) -> list[object]:
    choice = rng.random()
    if not items or choice < 0.2:
        return []
    if choice < 0.4:
        return items + items
    if choice < 0.5:
        return items[:1]
    at = rng.randrange(len(items))
    return [*items[:at], strain(items[at], rng), *items[at + 1 :]]


def _mapping(value: dict[object, object], rng: random.Random) -> object:
    if not value or rng.random() < 0.3:
        return {}
    key = rng.choice(list(value))
    return {**value, key: strain(value[key], rng)}


def _array(value: typing.Any, rng: random.Random) -> object:  # noqa: ANN401
    choice = rng.random()
    if choice < 0.3 or not len(value):
        return value[: rng.choice((0, 1, 2))].copy()
    found = value.copy()
    if found.dtype.kind == "f":
        found[rng.randrange(len(found))] = rng.choice(_FLOATS)
    elif found.dtype.kind in "iu":
        found[rng.randrange(len(found))] = rng.choice((0, 1, 2, 100))
    return found


def _hashable(value: set[object], rng: random.Random) -> object:
    return type(value)(_items(sorted(value, key=repr), rng))


_EDGES: dict[type, Callable[[typing.Any, random.Random], object]] = {
    float: lambda _, rng: rng.choice(_FLOATS),
    int: lambda _, rng: rng.choice(_INTEGERS),
    str: lambda value, rng: rng.choice((*_TEXTS, value * 2)),
    list: _items,
    tuple: lambda value, rng: tuple(_items(list(value), rng)),
    dict: _mapping,
    set: _hashable,
    frozenset: _hashable,
}
