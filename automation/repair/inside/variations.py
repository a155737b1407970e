"""Inputs near those that were seen: each argument changed a little, by its value and by its annotation."""

from __future__ import annotations

import copy
import itertools
import random
import typing
from collections.abc import Callable, Iterator, Mapping

Arguments = dict[str, object]

_LONGEST = 40
_ATOMS = (str, int, float)
_MOST_ATOMS, _DEEPEST = 200, 5


def neighbours(
    seen: list[Arguments], hints: Mapping[str, object], rng: random.Random, most: int
) -> Iterator[Arguments]:
    """Yield arguments that differ from seen ones in one or two places, and mixtures of seen ones.

    Parameters
    ----------
    seen : list of dict
        Arguments by parameter name.
    hints : mapping of str to object
        Resolved annotations by parameter name.
    rng : random.Random
        Decides.
    most : int
        How many to yield at most.
    """
    for _ in range(most):
        base = dict(rng.choice(seen))
        names = [name for name in base if name not in ("self", "cls")]
        if not names:
            return
        if len(seen) > 1 and rng.random() < 0.25:
            name = rng.choice(names)
            base[name] = rng.choice(seen).get(name, base[name])
        for name in rng.sample(names, min(len(names), rng.choice((1, 1, 2)))):
            options = list(varied(base[name], rng)) + list(typical(hints.get(name), rng))
            options += mixed(base[name], list(base.values()), rng)
            if options:
                base[name] = rng.choice(options)
        yield base


def varied(value: object, rng: random.Random) -> Iterator[object]:
    """Yield values near one: numbers one off, texts and collections shorter, longer, reordered."""
    vary = _VARY.get(type(value))
    if vary is not None:
        yield from vary(value, rng)


def mixed(value: object, others: list[object], rng: random.Random) -> Iterator[object]:
    """Yield a collection with one of its texts or numbers replaced by another one that was seen.

    Parts of an input often refer to each other, as edges of a graph do; only what was seen can make new references.
    """
    if type(value) in _ATOMS:
        return
    inside = list(itertools.islice(_atoms(value, 0), _MOST_ATOMS))
    every = itertools.chain.from_iterable(_atoms(other, 0) for other in others)
    known = list(itertools.islice(every, _MOST_ATOMS))
    if not inside:
        return
    for _ in range(2):
        at = rng.randrange(len(inside))
        choices = [atom for atom in known if type(atom) is type(inside[at]) and atom != inside[at]]
        if choices:
            yield _with_atom(value, iter(range(len(inside))), at, rng.choice(choices))


def _atoms(value: object, depth: int) -> Iterator[object]:
    if type(value) in _ATOMS:
        yield value
    elif depth < _DEEPEST:
        for part in _parts(value):
            yield from _atoms(part, depth + 1)


def _parts(value: object) -> list[object]:
    if type(value) is dict:
        return [*value, *value.values()]
    return list(typing.cast("list[object]", value)) if type(value) in (list, tuple) else []


def _with_atom(value: object, count: Iterator[int], at: int, new: object, depth: int = 0) -> object:
    if type(value) in _ATOMS:
        return new if next(count, -1) == at else value
    if depth >= _DEEPEST:
        return value
    parts = [_with_atom(part, count, at, new, depth + 1) for part in _parts(value)]
    if type(value) is dict:
        return dict(zip(parts[: len(value)], parts[len(value) :]))  # noqa: B905 - as many, and Python 3.9 has no strict
    return type(value)(parts) if type(value) in (list, tuple) else value  # type: ignore[call-arg]


def typical(hint: object, rng: random.Random, depth: int = 0) -> Iterator[object]:
    """Yield plain values that an annotation allows; nothing for one that says nothing."""
    try:
        yield from _TYPICAL.get(hint, ())
    except TypeError:
        return
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if not inner or origin is None or depth > 2:
        return
    if origin in (list, tuple, set):
        yield from _typical_collection(typing.cast("type", origin), inner, rng, depth)
    elif origin is dict and len(inner) == 2:
        keys, values = list(typical(inner[0], rng, depth + 1)), list(typical(inner[1], rng, depth + 1))
        yield {}
        if keys and values:
            yield {key: rng.choice(values) for key in keys[:3]}
    elif origin is typing.Union or getattr(origin, "__name__", "") == "UnionType":
        for option in inner:
            yield from typical(option, rng, depth + 1)


def _typical_collection(origin: type, inner: tuple[object, ...], rng: random.Random, depth: int) -> Iterator[object]:
    fixed = origin is tuple and inner[-1] is not Ellipsis
    options = [list(typical(part, rng, depth + 1)) for part in (inner if fixed else inner[:1])]
    if not all(options):
        return
    if fixed:
        yield tuple(rng.choice(values) for values in options)
        return
    yield origin()
    yield origin(options[0][:1])
    yield origin(rng.choice(options[0]) for _ in range(rng.randint(2, 5)))


def _varied_text(value: str, rng: random.Random) -> Iterator[object]:
    yield from ("", value[1:], value[:-1], value + value[-1:], value.upper(), f" {value}")
    if value:
        at = rng.randrange(len(value))
        yield value[:at] + rng.choice(value) + value[at:]


def _varied_items(items: list[object], rng: random.Random) -> Iterator[list[object]]:
    yield from ([], items[1:], items[:-1], items[::-1], (items + items[-1:])[:_LONGEST])
    if items:
        at = rng.randrange(len(items))
        for option in varied(items[at], rng):
            yield [*items[:at], option, *items[at + 1 :]]


def _varied_mapping(value: dict[object, object], rng: random.Random) -> Iterator[object]:
    yield {}
    if value:
        chosen = rng.choice(list(value))
        yield {key: item for key, item in value.items() if key != chosen}
        for option in varied(value[chosen], rng):
            changed = copy.copy(value)
            changed[chosen] = option
            yield changed


def _varied_integer(value: int, rng: random.Random) -> Iterator[object]:
    yield from (value + 1, value - 1, -value, 0, 1, value * 2, value + rng.randint(2, 20))


def _varied_float(value: float, rng: random.Random) -> Iterator[object]:
    yield from (value + 1.0, value - 1.0, -value, 0.0, value / 2, value * (1 + rng.random()))


def _varied_list(value: list[object], rng: random.Random) -> Iterator[object]:
    yield from _varied_items(value, rng)


def _varied_tuple(value: tuple[object, ...], rng: random.Random) -> Iterator[object]:
    yield from map(tuple, _varied_items(list(value), rng))


def _varied_set(value: set[object], rng: random.Random) -> Iterator[object]:
    for items in _varied_items(sorted(value, key=repr), rng):
        try:
            yield type(value)(items)
        except TypeError:
            continue


_VARY: dict[type, Callable[[typing.Any, random.Random], Iterator[object]]] = {
    bool: lambda value, rng: iter([not value]),
    int: _varied_integer,
    float: _varied_float,
    str: _varied_text,
    list: _varied_list,
    tuple: _varied_tuple,
    dict: _varied_mapping,
    set: _varied_set,
    frozenset: _varied_set,
}
_TYPICAL: dict[object, tuple[object, ...]] = {
    bool: (True, False),
    int: (0, 1, -1, 2, 7, 30),
    float: (0.0, 1.0, -1.5, 42.25),
    str: ("", "a", "Ab c"),
    type(None): (None,),
}
