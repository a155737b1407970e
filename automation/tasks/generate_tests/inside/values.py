"""Values as the source that makes them, for arguments and for what is expected."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import inspect
import math
import pathlib
import re
import sys
import types
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

Foreign = Any
"""What the target makes: it may be of any type, and is looked at as it comes."""

LONGEST = 700
_DEEPEST = 6
_MOST_ITEMS = 64
_DIGITS = 10
_BIG = 10_000
_OF_A_DAY = 3


class Unwritable(Exception):
    """A value that no short expression makes."""


class Written(NamedTuple):
    """An expression and the import lines that it needs."""

    text: str
    imports: tuple[str, ...] = ()


def written(value: object, *, approximate: bool = False) -> Written:
    """Return the expression that makes a value.

    Parameters
    ----------
    value : object
        What a call took or returned.
    approximate : bool
        Whether floats are compared within a tolerance, as what is expected of a computation.

    Raises
    ------
    Unwritable
        When there is none, or it would be too long to read.
    """
    writer = _Writer(approximate)
    text = writer.text(value, 0)
    if len(text) > LONGEST:
        raise Unwritable(f"{len(text)} characters")
    return Written(text, tuple(sorted(writer.imports)))


def text_literal(value: str) -> str:
    """Return a string literal in double quotes where that needs no more escapes."""
    plain = repr(value)
    if plain[0] == "'" and '"' not in value:
        return '"' + plain[1:-1].replace("\\'", "'") + '"'
    return plain


class _Writer:
    def __init__(self, approximate: bool) -> None:
        self.imports: set[str] = set()
        self._approximate = approximate

    def text(self, value: object, depth: int) -> str:
        if depth > _DEEPEST:
            raise Unwritable("too deep")
        if isinstance(value, enum.Enum):
            return self._member(value)
        if isinstance(value, type):
            return self.name_of(value)
        write = _WRITERS.get(type(value))
        if write is not None:
            return write(self, value, depth)
        if type(value).__module__ == "numpy":
            return self._numpy(value, depth)
        return self._object(value, depth)

    def name_of(self, found: Foreign) -> str:
        """Return how a class or a function is named after its import."""
        module, qualified = found.__module__, found.__qualname__
        top = qualified.split(".")[0]
        if module == "builtins":
            return str(qualified)
        own = getattr(sys.modules.get(module), top, None)
        for part in qualified.split(".")[1:]:
            own = getattr(own, part, None)
        if own is not found or any(part.startswith("_") for part in qualified.split(".")):
            raise Unwritable(f"{qualified} cannot be imported")
        self.imports.add(f"from {module} import {top}")
        return str(qualified)

    def number(self, value: float) -> str:
        if math.isfinite(value):
            if not self._approximate:
                return repr(value)
            self.imports.add("import pytest")
            return f"pytest.approx({_short(value)})"
        text = f'float("{value}")'
        if self._approximate and math.isnan(value):
            self.imports.add("import pytest")
            return f"pytest.approx({text}, nan_ok=True)"
        return text

    def items(self, values: Sequence[object], depth: int) -> str:
        if len(values) > _MOST_ITEMS:
            raise Unwritable(f"{len(values)} items")
        return ", ".join(self.text(item, depth + 1) for item in values)

    def sequence(self, value: Foreign, depth: int) -> str:
        inside = self._together(value)
        if inside:
            return inside
        if isinstance(value, list):
            return f"[{self.items(value, depth)}]"
        return f"({self.items(value, depth)}{',' if len(value) == 1 else ''})"

    def _together(self, value: Sequence[object]) -> str:
        """Return one tolerance around a flat row of numbers."""
        numbers = all(type(item) in (int, float) for item in value)
        if not (self._approximate and numbers and any(type(item) is float for item in value)):
            return ""
        if len(value) > _MOST_ITEMS:
            raise Unwritable(f"{len(value)} items")
        texts = [_short(item) if type(item) is float else repr(item) for item in value]
        finite = all(math.isfinite(item) for item in value if isinstance(item, float))
        texts = [text if text[-1].isdigit() else f'float("{text}")' for text in texts]
        self.imports.add("import pytest")
        row = ", ".join(texts)
        row = f"[{row}]" if isinstance(value, list) else f"({row}{',' if len(texts) == 1 else ''})"
        return f"pytest.approx({row})" if finite else f"pytest.approx({row}, nan_ok=True)"

    def collection(self, value: Foreign, depth: int) -> str:
        inside = self.items(sorted(value, key=repr), depth)
        if isinstance(value, frozenset):
            return f"frozenset({{{inside}}})" if value else "frozenset()"
        return f"{{{inside}}}" if value else "set()"

    def mapping(self, value: Mapping[object, object], depth: int) -> str:
        if len(value) > _MOST_ITEMS:
            raise Unwritable(f"{len(value)} items")
        pairs = (f"{self._key(key, depth)}: {self.text(item, depth + 1)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"

    def _key(self, key: object, depth: int) -> str:
        # a tolerance is no key
        return _Writer.text(self, key, depth + 1) if type(key) is not float else repr(key)

    def known(self, module: str, name: str, inside: str) -> str:
        self.imports.add(f"from {module} import {name}")
        return f"{name}({inside})"

    def _member(self, value: enum.Enum) -> str:
        if value.name is None or not value.name.isidentifier():
            raise Unwritable("a combination of flags")
        return f"{self.name_of(type(value))}.{value.name}"

    def _numpy(self, value: Foreign, depth: int) -> str:
        if not hasattr(value, "dtype"):
            raise Unwritable("numpy")
        if not hasattr(value, "__len__") and not getattr(value, "shape", ()):
            return self.text(value.item(), depth + 1)
        kind = value.dtype.kind
        if kind not in "biuf" or value.size > _MOST_ITEMS or self._approximate:
            raise Unwritable("an array")
        self.imports.add("import numpy as np")
        inside = repr(value.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
        natural = {"b": "bool", "i": "int64", "f": "float64"}.get(kind)
        written_type = "" if value.dtype.name == natural and value.size else f", dtype=np.{value.dtype.name}"
        return f"np.array({inside}{written_type})"

    def _object(self, value: Foreign, depth: int) -> str:
        found = type(value)
        if dataclasses.is_dataclass(value):
            fields = [field for field in dataclasses.fields(value) if field.init]
            given = {each.name: getattr(value, each.name) for each in fields if not _is_default(each, value)}
        elif isinstance(value, tuple) and hasattr(value, "_fields"):
            given = dict(zip(value._fields, value))  # noqa: B905 - Python 3.9
        elif hasattr(found, "model_fields") and hasattr(value, "model_fields_set"):
            given = {name: getattr(value, name) for name in sorted(value.model_fields_set)}
        else:
            raise Unwritable(found.__name__)
        if any(not name.isidentifier() or name.startswith("_") for name in given):
            raise Unwritable(found.__name__)
        inside = ", ".join(f"{name}={self.text(item, depth + 1)}" for name, item in given.items())
        return f"{self.name_of(found)}({inside})"

    def function(self, value: Foreign, depth: int) -> str:
        return self.name_of(value)


def _is_default(each: Foreign, value: object) -> bool:
    held = getattr(value, each.name)
    if each.default is not dataclasses.MISSING:
        return _same(held, each.default)
    if each.default_factory is not dataclasses.MISSING:
        return _same(held, each.default_factory())
    return False


def _same(left: object, right: object) -> bool:
    try:
        return type(left) is type(right) and bool(left == right)
    except Exception:  # noqa: BLE001 - what a target's comparison raises is its own
        return False


def _short(value: float) -> str:
    if not math.isfinite(value):
        return repr(value)
    short = float(f"{value:.{_DIGITS}g}")
    # the largest numbers are rounded to infinity
    return min(repr(short), repr(value), key=len) if math.isfinite(short) else repr(value)


def _integer(writer: _Writer, value: Foreign, depth: int) -> str:
    if abs(value) > 1 << 256:
        raise Unwritable("a number of many digits")
    return f"{value:_}" if abs(value) >= _BIG else repr(value)


def _moment(writer: _Writer, value: Foreign, depth: int) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond]
    while len(parts) > _OF_A_DAY and not parts[-1]:
        parts.pop()
    if value.tzinfo is dt.timezone.utc:  # noqa: UP017 - Python 3.9
        writer.imports.add("from datetime import timezone")
        parts.append("tzinfo=timezone.utc")
    elif value.tzinfo is not None:
        raise Unwritable("a time zone")
    return writer.known("datetime", "datetime", ", ".join(map(str, parts)))


def _date(writer: _Writer, value: Foreign, depth: int) -> str:
    return writer.known("datetime", "date", f"{value.year}, {value.month}, {value.day}")


def _span(writer: _Writer, value: Foreign, depth: int) -> str:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    return writer.known("datetime", "timedelta", ", ".join(f"{name}={part}" for name, part in parts.items() if part))


def _pattern(writer: _Writer, value: Foreign, depth: int) -> str:
    if value.flags & ~re.UNICODE:
        raise Unwritable("a pattern with flags")
    writer.imports.add("import re")
    return f"re.compile({value.pattern!r})"


def _path(writer: _Writer, value: Foreign, depth: int) -> str:
    if value.is_absolute():
        raise Unwritable("a path of one machine")
    return writer.known("pathlib", "Path", text_literal(value.as_posix()))


def _function(writer: _Writer, value: Foreign, depth: int) -> str:
    return writer.name_of(value)


_Write = Callable[[_Writer, Any, int], str]
_WRITERS: dict[type, _Write] = {
    type(None): lambda writer, value, depth: "None",
    bool: lambda writer, value, depth: repr(value),
    int: _integer,
    float: lambda writer, value, depth: writer.number(value),
    complex: lambda writer, value, depth: repr(value),
    str: lambda writer, value, depth: text_literal(value),
    bytes: lambda writer, value, depth: repr(value),
    bytearray: lambda writer, value, depth: f"bytearray({bytes(value)!r})",
    list: lambda writer, value, depth: writer.sequence(value, depth),
    tuple: lambda writer, value, depth: writer.sequence(value, depth),
    set: lambda writer, value, depth: writer.collection(value, depth),
    frozenset: lambda writer, value, depth: writer.collection(value, depth),
    dict: lambda writer, value, depth: writer.mapping(value, depth),
    range: lambda writer, value, depth: repr(value),
    decimal.Decimal: lambda writer, value, depth: writer.known("decimal", "Decimal", f'"{value}"'),
    fractions.Fraction: lambda writer, value, depth: writer.known(
        "fractions", "Fraction", f"{value.numerator}, {value.denominator}"
    ),
    dt.datetime: _moment,
    dt.date: _date,
    dt.timedelta: _span,
    uuid.UUID: lambda writer, value, depth: writer.known("uuid", "UUID", f'"{value}"'),
    re.Pattern: _pattern,
    pathlib.PosixPath: _path,
    types.FunctionType: _function,
    types.BuiltinFunctionType: _function,
}


def attributes(value: object) -> dict[str, object]:
    """Return the public attributes of an object, properties too, that are no methods."""
    names = [name for name in dir(value) if not name.startswith("_")]
    found: dict[str, object] = {}
    for name in names:
        try:
            held = getattr(value, name)
        except Exception:  # noqa: BLE001, S112 - a property may raise what it likes
            continue
        if not callable(held) and not inspect.ismodule(held):
            found[name] = held
    return found
