"""Values as exact shapes, so that two outcomes can be told apart to the last bit; loaded by path in the sandbox."""

from __future__ import annotations

import hashlib
import math
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence

_DEEPEST = 12
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_PLAIN = (int, str, bytes, bool, type(None))


class Shape(typing.NamedTuple):
    """A value without its floating point numbers, and those numbers in order."""

    text: str
    floats: tuple[float, ...]


def shape_of(value: object) -> Shape:
    """Return the shape of a value: type by type, with the numbers apart."""
    floats: list[float] = []
    text = "".join(_parts(value, floats, 0))
    if len(text) > 400:
        digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()
        text = f"{text[:160]}... {digest}"
    return Shape(text, tuple(floats))


def same(one: Shape, other: Shape, tolerance: float) -> bool:
    """Say whether two shapes are equal, their numbers bit by bit or within a relative tolerance."""
    if one.text != other.text or len(one.floats) != len(other.floats):
        return False
    return all(_same_number(a, b, tolerance) for a, b in zip(one.floats, other.floats))  # noqa: B905 - Python 3.9


def _same_number(one: float, other: float, tolerance: float) -> bool:
    if one.hex() == other.hex():
        return True
    if tolerance <= 0 or math.isnan(one) or math.isnan(other):
        return False
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _parts(value: object, floats: list[float], depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield "..."
    elif type(value) in _PLAIN:
        yield repr(value)
    elif type(value) is float:
        floats.append(value)
        yield "~"
    elif type(value) is complex:
        floats += [value.real, value.imag]
        yield "~j"
    elif isinstance(value, (list, tuple, set, frozenset, dict)):
        yield from _collection(value, floats, depth)
    elif hasattr(value, "dtype") and hasattr(value, "tobytes"):
        yield from _array(value, floats)
    else:
        yield from _object(value, floats, depth)


def _collection(value: typing.Any, floats: list[float], depth: int) -> Iterator[str]:  # noqa: ANN401
    yield f"{type(value).__name__}("
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _parts(key, floats, depth + 1)
            yield ": "
            yield from _parts(item, floats, depth + 1)
            yield ", "
    elif isinstance(value, (set, frozenset)):
        shapes = sorted((shape_of(item) for item in value), key=lambda one: (one.text, [f.hex() for f in one.floats]))
        for one in shapes:
            floats.extend(one.floats)
            yield f"{one.text}, "
    else:
        for item in value:
            yield from _parts(item, floats, depth + 1)
            yield ", "
    yield ")"


def _array(value: typing.Any, floats: list[float]) -> Iterator[str]:  # noqa: ANN401
    yield f"{type(value).__name__}[{value.dtype},{getattr(value, 'shape', ())}]"
    kind = value.dtype.kind
    if kind == "f":
        flat = value.ravel().tolist() if hasattr(value, "ravel") else [value.item()]
        floats.extend(float(one) for one in flat)
    elif kind == "O":
        yield from _parts(value.tolist(), floats, 1)
    else:
        yield hashlib.blake2b(value.tobytes(), digest_size=12).hexdigest()


def _object(value: object, floats: list[float], depth: int) -> Iterator[str]:
    yield f"{type(value).__module__}.{type(value).__qualname__}"
    if depth > _DEEPEST // 2:
        # Objects that know each other would be walked along every path.
        return
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
        yield f" {getattr(value, '__qualname__', getattr(value, '__name__', ''))}"
        return
    state = _state(value)
    if state:
        yield "("
        yield from _parts(state, floats, depth + 1)
        yield ")"
    else:
        yield _ADDRESS.sub("0x", repr(value))


def _state(value: object) -> Mapping[str, object]:
    found: dict[str, object] = dict(getattr(value, "__dict__", None) or {})
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in typing.cast("Sequence[str]", (slots,) if isinstance(slots, str) else slots):
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                found[name] = getattr(value, name)
    return found
