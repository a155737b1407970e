"""Expressions that make an instance of a class of the target."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping

from . import expressions, signatures, values  # noqa: TID252

_MOST = 8
_MOST_OF_EACH = 10
_MOST_PLAIN = 2
_MOST_CLASSES, _MOST_OF_CLASS = 3, 2

Part = Callable[[object, str, object, int], "list[values.Written]"]
"""Gives expressions for an annotation, a parameter's name and default, at a depth."""


def instances(origin: values.Foreign, part: Part, depth: int) -> list[values.Written]:
    """Return calls that make an instance of a class, or of its subclasses where it is abstract.

    Parameters
    ----------
    origin : type
        The class.
    part : callable
        Makes the arguments.
    depth : int
        How deep in something else the instance is.
    """
    if inspect.isabstract(origin) or getattr(origin, "_is_protocol", False):
        concrete = [each for each in origin.__subclasses__() if not inspect.isabstract(each)]
        made = [instances(each, part, depth + 1) for each in concrete[:_MOST_CLASSES]]
        return [each for found in made for each in found[:_MOST_OF_CLASS]]
    try:
        return _factories(origin, part, depth) or _constructed(origin, part, depth)
    except (values.Unwritable, TypeError, ValueError):
        return []


def _constructed(origin: values.Foreign, part: Part, depth: int) -> list[values.Written]:
    name, imports = values.written(origin)
    pools = []
    for parameter, hint in signatures.constructor(origin):
        if parameter.name.startswith("_") and parameter.default is not inspect.Parameter.empty:
            # a private field with a default is none of a caller's business
            continue
        pool = part(hint, parameter.name, parameter.default, depth + 1)
        if pool:
            pools.append((parameter, pool))
        elif parameter.default is inspect.Parameter.empty:
            return []
    found: list[values.Written] = []
    # what must be given is enough for a plain one
    needed = [(parameter, pool) for parameter, pool in pools if parameter.default is inspect.Parameter.empty]
    plain = [(needed, row) for row in itertools.islice(expressions.rows_of([pool for _, pool in needed]), _MOST_PLAIN)]
    full = expressions.rows_of([pool[:_MOST_OF_EACH] for _, pool in pools])
    for taken, chosen in (*plain, *((pools, row) for row in full)):
        given = [
            values.Written(f"{parameter.name}={each.text}", each.imports)
            for (parameter, _), each in zip(taken, chosen)  # noqa: B905 - Python 3.9
            if not _is_default(parameter, each)
        ]
        made = expressions.joined(f"{name}(", given, ")", imports)
        if made not in found and expressions.works(made):
            found.append(made)
        if len(found) >= _MOST:
            break
    return found


def _factories(origin: values.Foreign, part: Part, depth: int) -> list[values.Written]:
    """Return calls of the class methods that make an instance: they keep what the constructor leaves to others."""
    found: list[values.Written] = []
    for each in vars(origin).values():
        if not isinstance(each, (classmethod, staticmethod)) or each.__func__.__name__.startswith("_"):
            continue
        hints = signatures.resolved(each.__func__)
        made = hints.get("return")
        if made is origin or getattr(made, "_name", "") == "Self":
            found += _calls_of(origin, each.__func__.__name__, hints, part, depth)
    return found[: 2 * _MOST]


def _calls_of(
    origin: values.Foreign, name: str, hints: Mapping[str, object], part: Part, depth: int
) -> list[values.Written]:
    own, imports = values.written(origin)
    taken = [
        each
        for each in inspect.signature(getattr(origin, name)).parameters.values()
        if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    pools = [part(hints.get(each.name, each.empty), each.name, each.empty, depth + 1) for each in taken]
    rows = expressions.rows_of([pool[:_MOST_OF_EACH] for pool in pools])
    made = [expressions.joined(f"{own}.{name}(", row, ")", imports) for row in rows]
    return [each for each in made if expressions.works(each)][:_MOST]


def _is_default(parameter: inspect.Parameter, source: values.Written) -> bool:
    if parameter.default is inspect.Parameter.empty:
        return False
    try:
        return bool(values.written(parameter.default).text == source.text)
    except values.Unwritable:
        return False
