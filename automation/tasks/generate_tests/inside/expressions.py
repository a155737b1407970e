"""Expressions as arguments: evaluated, joined, and combined with one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from . import touching, values  # noqa: TID252

Item = TypeVar("Item")


def evaluated(source: values.Written, scope: dict[str, object] | None = None) -> values.Foreign:
    """Return what an expression makes, in a scope that gets its imports.

    Further lines of it begin with a dot: calls of what the first line makes, which bring it into a state.
    """
    scope = {} if scope is None else scope
    for line in source.imports:
        exec(line, scope)  # noqa: S102 - this is the sandbox
    first, *calls = source.text.split("\n.")
    made = eval(first, scope)  # noqa: S307 - the same
    for call in calls:
        eval(f"_made.{call}", {**scope, "_made": made})  # noqa: S307 - the same
    return made


def works(source: values.Written) -> bool:
    """Say whether an expression can be evaluated, and reaches for nothing outside itself."""
    try:
        with touching.installed().aside() as touch:
            evaluated(source)
            return not touch.what
    except Exception:  # noqa: BLE001 - a constructor may refuse in its own way
        return False


def all_written(found: Sequence[object]) -> list[values.Written]:
    """Return the expressions of those values that have one."""
    texts = []
    for value in found:
        try:
            texts.append(values.written(value))
        except (values.Unwritable, RecursionError):
            continue
    return texts


def joined(opening: str, parts: Sequence[values.Written], closing: str, imports: Sequence[str] = ()) -> values.Written:
    """Return expressions between brackets, with their import lines and further ones."""
    lines = sorted({line for part in parts for line in part.imports} | set(imports))
    return values.Written(opening + ", ".join(part.text for part in parts) + closing, tuple(lines))


def rows_of(pools: Sequence[Sequence[Item]]) -> Iterator[tuple[Item, ...]]:
    """Yield the first of each pool, then one changed at a time, then all by turns."""
    if not all(pools):
        return
    base = tuple(pool[0] for pool in pools)
    yield base
    longest = max(map(len, pools), default=0)
    for at in range(1, longest):
        for place, pool in enumerate(pools):
            if at < len(pool):
                yield (*base[:place], pool[at], *base[place + 1 :])
    for at in range(1, longest):
        yield tuple(pool[at % len(pool)] for pool in pools)
