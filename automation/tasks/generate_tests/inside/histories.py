"""Instances brought into a state by calls of their own public methods.

Such an instance is written in several lines: the expression that makes it, then calls that begin with a dot.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import re
from collections.abc import Callable, Iterator, Sequence

from . import expressions, limits, signatures, touching, values  # noqa: TID252

_CALL_S = 0.2
_MOST_BASES, _MOST_CALLS, _MOST = 3, 4, 8
_MOST_TRIED = 4
_LONGEST = 60
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")

Part = Callable[[object, str, object], "list[values.Written]"]
"""Gives expressions for an annotation, a parameter's name and default."""


def with_histories(origin: values.Foreign, made: Sequence[values.Written], part: Part) -> list[values.Written]:
    """Return instances as they are made, and among them some on which a method was called once or twice.

    Parameters
    ----------
    origin : type
        The class.
    made : sequence of Written
        Expressions that make an instance.
    part : callable
        Makes arguments of the methods.
    """
    lived: list[values.Written] = []
    for base in made[:_MOST_BASES]:
        calls = list(itertools.islice(_changing_calls(origin, base, part), _MOST_CALLS))
        lived += [_joined(base, each) for each in calls]
        lived += [_joined(base, *pair) for pair in itertools.permutations(calls, 2) if _works(_joined(base, *pair))]
        if len(lived) >= _MOST:
            break
    mixed = itertools.chain.from_iterable(itertools.zip_longest(made, lived[:_MOST]))
    return [each for each in mixed if each is not None]


def state_of(value: object) -> str:
    """Return a text of everything that an object holds, private things too."""
    held = getattr(value, "__dict__", None)
    if held is None:
        slots = [name for each in type(value).__mro__ for name in getattr(each, "__slots__", ())]
        held = {name: getattr(value, name, None) for name in slots}
    return _ADDRESS.sub("", repr(sorted((name, repr(each)) for name, each in held.items())))


def observed(value: values.Foreign) -> dict[str, values.Written]:
    """Return what the public attributes, and the methods that take nothing and change nothing, tell of an object.

    Returns
    -------
    dict of str to Written
        By how it is asked, such as ``.total`` or ``.net()``; only what can be written.
    """
    found: dict[str, values.Written] = {}
    for name, held in values.attributes(value).items():
        _note(found, f".{name}", held)
    for name, method in _methods(type(value)):
        if any(each.default is each.empty for each in _parameters(method)):
            continue
        try:
            own = copy.deepcopy(value)
            before = state_of(own)
            with limits.limited(_CALL_S), touching.installed().aside() as touch:
                told = getattr(own, name)()
                touched = touch.what
        except (Exception, limits.TooLong):  # noqa: BLE001, S112 - it may raise what it likes: no observer
            continue
        if told is not None and told is not own and not touched and state_of(own) == before:
            _note(found, f".{name}()", told)
    return found


def _note(found: dict[str, values.Written], asked: str, held: values.Foreign) -> None:
    try:
        plain = held.tolist() if type(held).__name__ == "ndarray" else held
        text = values.written(plain, approximate=True)
    except (values.Unwritable, RecursionError):
        return
    if "lambda" not in text.text:
        found[f"{asked}.tolist()" if plain is not held else asked] = text


def _changing_calls(origin: values.Foreign, base: values.Written, part: Part) -> Iterator[values.Written]:
    for name, method in _methods(origin):
        hints = signatures.resolved(method)
        taken = [each for each in _parameters(method) if each.default is each.empty]
        pools = [part(hints.get(each.name, each.empty), each.name, each.empty) for each in taken]
        for row in itertools.islice(expressions.rows_of([pool[:_MOST_TRIED] for pool in pools]), _MOST_TRIED):
            call = expressions.joined(f".{name}(", row, ")")
            if len(call.text) <= _LONGEST and _changes(base, call):
                yield call
                break


def _changes(base: values.Written, call: values.Written) -> bool:
    try:
        with limits.limited(_CALL_S), touching.installed().aside() as touch:
            before, after = (state_of(expressions.evaluated(each)) for each in (base, _joined(base, call)))
            return before != after and not touch.what
    except (Exception, limits.TooLong):  # noqa: BLE001 - a method may refuse in its own way
        return False


def _works(source: values.Written) -> bool:
    try:
        with limits.limited(_CALL_S):
            return expressions.works(source)
    except limits.TooLong:
        return False


def _joined(base: values.Written, *calls: values.Written) -> values.Written:
    imports = {line for each in (base, *calls) for line in each.imports}
    return values.Written("\n".join([base.text, *(each.text for each in calls)]), tuple(sorted(imports)))


def _methods(origin: values.Foreign) -> Iterator[tuple[str, values.Foreign]]:
    """Yield the plain public methods that a class of the repository defines."""
    for each in origin.__mro__[:-1]:
        if each.__module__ in ("builtins", "enum", "abc", "typing"):
            continue
        # a copy: the first copying of an instance notes things in its class
        for name, held in dict(vars(each)).items():
            if not name.startswith("_") and inspect.isfunction(held) and not _is_asynchronous(held):
                yield name, held


def _is_asynchronous(held: values.Foreign) -> bool:
    return inspect.iscoroutinefunction(held) or inspect.isgeneratorfunction(held) or inspect.isasyncgenfunction(held)


def _parameters(method: values.Foreign) -> list[inspect.Parameter]:
    taken = list(inspect.signature(method).parameters.values())[1:]
    return [each for each in taken if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
