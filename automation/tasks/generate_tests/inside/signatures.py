"""What a function or class takes: its parameters with the annotations that can be resolved."""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Mapping

from . import values  # noqa: TID252


def constructor(origin: values.Foreign) -> list[tuple[inspect.Parameter, object]]:
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


def resolved(source: values.Foreign) -> Mapping[str, object]:
    """Return the annotations of a function or class, those that can be resolved."""
    try:
        return typing.get_type_hints(source)
    except Exception:  # noqa: BLE001 - an annotation may be any expression
        return {}


def bare(hint: values.Foreign) -> values.Foreign:
    """Return an annotation without what only names or marks it; a type variable's bound."""
    if hasattr(hint, "__supertype__"):
        return bare(hint.__supertype__)
    if hasattr(hint, "__metadata__"):
        return bare(hint.__origin__)
    if isinstance(hint, typing.TypeVar):
        if hint.__bound__ is not None:
            return bare(hint.__bound__)
        return hint.__constraints__[0] if hint.__constraints__ else int
    return hint
