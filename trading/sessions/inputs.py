"""What a session's core is told, one record after another, and the compact bytes that keep it for replay."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from operator import attrgetter

from trading.errors import StateCorrupt


@dataclass(frozen=True, slots=True)
class PastCandle:
    """A closed candle from before the session, or from a time in which it was down: seen, not traded.

    Parameters
    ----------
    timestamp : int
        Open time, milliseconds UTC.
    open, high, low, close, volume : float
        Quote and base currency.
    filled : bool
        True when it was made up to bridge a short gap.
    """

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    filled: bool = False


@dataclass(frozen=True, slots=True)
class NewCandle:
    """A candle that closed now.

    Parameters
    ----------
    timestamp : int
        Open time, milliseconds UTC.
    open, high, low, close, volume : float
        Quote and base currency.
    filled : bool
        True when it was made up to bridge a short gap.
    skips : int
        One bit for each agent, in the order of the settings, that overran its time: a replay skips it as well.
    """

    timestamp: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    filled: bool = False
    skips: int = 0


@dataclass(frozen=True, slots=True)
class Price:
    """The market's latest price in ticks, its time, and whether the spread lets orders take the market."""

    time_ms: int
    ticks: int
    narrow: bool


@dataclass(frozen=True, slots=True)
class OrderRests:
    """The venue took an order, and part of it waits."""

    core_id: int


@dataclass(frozen=True, slots=True)
class OrderRefused:
    """An order will never be at the venue, by which `Rule`."""

    core_id: int
    rule: int


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """An order is final at the venue and has not filled in full."""

    core_id: int


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """A trade of one order; see `trading.engine.venue.order_filled`."""

    core_id: int
    slot: int
    side: int
    lots: int
    price_ticks: int
    fee_units: int
    fee_microlots: int
    why: int


@dataclass(frozen=True, slots=True)
class Funded:
    """Money came (or, negative, went) other than by trading, in cash units."""

    units: int


@dataclass(frozen=True, slots=True)
class Ordered:
    """A person, or a check, stops the session, and may want everything sold."""

    flatten: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """A person lets a halted session go on."""


Input = (
    PastCandle | NewCandle | Price | OrderRests | OrderRefused | OrderEnded | OrderFilled | Funded | Ordered | Resumed
)

# The number is the first byte of a frame and never changes its meaning; a new form takes a new number.
_FORMS: dict[int, tuple[type, str]] = {
    1: (PastCandle, "<q5d?"),
    2: (NewCandle, "<q5d?I"),
    3: (Price, "<qq?"),
    4: (OrderRests, "<q"),
    5: (OrderRefused, "<qB"),
    6: (OrderEnded, "<q"),
    7: (OrderFilled, "<qHbqqqqB"),
    8: (Funded, "<q"),
    9: (Ordered, "<?"),
    10: (Resumed, "<"),
}
_STRUCTS = {number: (kind, struct.Struct(form)) for number, (kind, form) in _FORMS.items()}


def _values_of(kind: type) -> attrgetter[object] | None:
    names = [field.name for field in fields(kind)]
    return attrgetter(*names) if names else None


_WRITERS = {
    kind: (bytes([number]), packer, len(fields(kind)), _values_of(kind)) for number, (kind, packer) in _STRUCTS.items()
}


def encoded(item: Input) -> bytes:
    """Return one input as bytes."""
    number, packer, count, values = _WRITERS[type(item)]
    if values is None:
        return number
    found = values(item)
    return number + (packer.pack(found) if count == 1 else packer.pack(*found))  # type: ignore[misc]


def encoded_all(items: Iterable[Input]) -> bytes:
    """Return inputs as bytes, one after another."""
    return b"".join(map(encoded, items))


def decoded(frames: bytes) -> Iterator[Input]:
    """Yield the inputs that bytes hold.

    Raises
    ------
    StateCorrupt
        When the bytes are cut, or of another version.
    """
    at = 0
    while at < len(frames):
        try:
            kind, packer = _STRUCTS[frames[at]]
            values = packer.unpack_from(frames, at + 1)
        except (KeyError, struct.error):
            raise StateCorrupt(
                f"a recording is damaged at byte {at} of {len(frames)}; use a backup, or the version that wrote it"
            ) from None
        at += 1 + packer.size
        yield kind(*values)
