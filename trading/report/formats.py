"""Numbers, money, times and durations as people read them; None is a dash."""

from __future__ import annotations

import math
from datetime import UTC, datetime

DASH = "–"
MINUS = "\N{MINUS SIGN}"
_DAY_MS = 86_400_000
_UNITS = ((_DAY_MS, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def short_time(timestamp_ms: int) -> str:
    """Return a time in UTC to the minute: ``2025-01-01 00:00``."""
    return f"{datetime.fromtimestamp(timestamp_ms / 1_000, UTC):%Y-%m-%d %H:%M}"


def percent(share: float | None, digits: int = 2, *, signed: bool = True) -> str:
    """Return a fraction as a percentage: 0.123 is ``+12.30%``."""
    return DASH if _undefined(share) else f"{_number(100 * share, digits, signed=signed)}%"  # type: ignore[operator]


def number(value: float | None, digits: int = 2, *, signed: bool = False) -> str:
    """Return a number with thousands separators: 1234.5 is ``1,234.50``."""
    return DASH if _undefined(value) else _number(value, digits, signed=signed)  # type: ignore[arg-type]


def money(value: float | None, *, signed: bool = False) -> str:
    """Return an amount with two decimals, or four significant digits where it is small."""
    if value is None or _undefined(value):
        return DASH
    digits = 2 if value == 0 or abs(value) >= 0.1 else min(10, 3 - math.floor(math.log10(abs(value))))
    return _number(value, digits, signed=signed)


def duration(length_ms: float | None) -> str:
    """Return a length of time in its two largest units: ``3 d 4 h``."""
    if length_ms is None or _undefined(length_ms):
        return DASH
    left = int(length_ms)
    words: list[str] = []
    for unit_ms, unit in _UNITS:
        count, left = divmod(left, unit_ms)
        if count or (unit == "s" and not words):
            words.append(f"{count:,} {unit}")
        if len(words) == 2 or (words and not count):
            break
    return " ".join(words)


def _undefined(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def _number(value: float, digits: int, *, signed: bool) -> str:
    text = f"{abs(value):,.{digits}f}"
    is_zero = not text.strip("0.,")
    if is_zero:
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text
