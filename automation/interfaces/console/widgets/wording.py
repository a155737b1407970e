"""Amounts, times and ages in as few characters as they need."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

_SMALL = Decimal(1)
_SIGNIFICANT = 3


def money(amount: Decimal, sign: str = "") -> str:
    """Return an amount of money with thousands marked; what is under one unit keeps three digits that say something.

    Parameters
    ----------
    amount : Decimal
        Quote currency.
    sign : str
        ``+`` shows the sign of a gain too.
    """
    if amount == 0 or abs(amount) >= _SMALL:
        return f"{amount:{sign},.2f}"
    digits = _SIGNIFICANT - 1 - amount.adjusted()
    whole, _, part = f"{amount:{sign}.{digits}f}".partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def quantity(amount: Decimal) -> str:
    """Return a quantity without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: Decimal | float, sign: str = "+") -> str:
    """Return a share as a percentage of two digits."""
    return f"{float(share):{sign}.2%}"


def age(milliseconds: int) -> str:
    """Return how long ago something was, in at most four characters."""
    seconds = max(0, milliseconds) // 1_000
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def clock(time_ms: int, now_ms: int) -> str:
    """Return a time of day, UTC, with its date when that is another day than now's."""
    moment, now = (datetime.fromtimestamp(value / 1_000, UTC) for value in (time_ms, now_ms))
    return f"{moment:%H:%M:%S}" if moment.date() == now.date() else f"{moment:%m-%d %H:%M}"


def shortened(text: str, width: int) -> str:
    """Return a text that fits so many cells."""
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
