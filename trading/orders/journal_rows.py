"""What a journal's rows are to the rest of GridBot, and the checksums that tell a damaged row."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from operator import attrgetter, index
from typing import Any, Final, Literal, TypeAlias, cast

from trading.errors import StateCorrupt
from trading.orders.records import OrderRecord
from trading.orders.states import CommandState, OrderState
from trading.orders.venue import VenueFill

Value: TypeAlias = str | int | bytes | None
"""What SQLite keeps of what is written here."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a session is, written once when it begins.

    Parameters
    ----------
    name : str
        The session's name, unique in a data home.
    mode : {"paper", "live"}
        Whose money it is.
    exchange, symbol, timeframe : str
        Venue by its ccxt id, ``BASE/QUOTE``, and candles such as ``1m``.
    capital : Decimal
        Quote currency.
    settings_json, market_json : str
        Settings and market rules that it runs on.
    created_ms : int
        When it was created, the session's clock.
    origin_ms : int
        Where its candle numbers begin.
    version : str
        GridBot's version.
    account : str
        Hash of the key, never the key.
    """

    name: str
    mode: Literal["paper", "live"]
    exchange: str
    symbol: str
    timeframe: str
    capital: Decimal
    settings_json: str
    market_json: str
    created_ms: int
    origin_ms: int
    version: str
    account: str


@dataclass(frozen=True, slots=True)
class JournalFill:
    """A fill as it was booked.

    Parameters
    ----------
    client_id : str
        Our id of its order.
    fill : VenueFill
        The trade as the venue told it.
    side : int
        +1 bought, -1 sold.
    price_ticks, lots : int
        Price and quantity on the market's grid.
    fee_units, fee_microlots : int
        Fee in cash units, and fee taken from the quantity in millionths of a lot.
    candle : int
        Number of the candle in which it was booked.
    """

    client_id: str
    fill: VenueFill
    side: int
    price_ticks: int
    lots: int
    fee_units: int
    fee_microlots: int
    candle: int


@dataclass(frozen=True, slots=True)
class InputBatch:
    """A stretch of the recording of all inputs.

    Parameters
    ----------
    first, count : int
        Number of its first input, and how many there are.
    frames : bytes
        The inputs, encoded.
    outputs : bytes
        Running SHA-256 of all outputs after its last input.
    """

    first: int
    count: int
    frames: bytes
    outputs: bytes


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """A kept state of the core.

    Parameters
    ----------
    id : int
        Rises with every checkpoint.
    time_ms, candle, inputs_done : int
        When it was made: the session's clock, the candle's number, and how many inputs the core had taken.
    """

    id: int
    time_ms: int
    candle: int
    inputs_done: int


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """Something that happened to the session.

    Parameters
    ----------
    id : int
        Rises with every event.
    time_ms : int
        The session's clock.
    kind : str
        Such as ``halted``, ``reconciled``, ``alert``.
    data : dict
        What belongs to it, as JSON has it.
    """

    id: int
    time_ms: int
    kind: str
    data: dict[str, object]


@dataclass(frozen=True, slots=True)
class EquityPoint:
    """The account at the close of a candle.

    Parameters
    ----------
    time_ms : int
        Close of the candle.
    equity_units, cash_units : int
        Cash units of the quote currency.
    position_microlots : int
        Millionths of a lot.
    price_ticks : int
        Price that the position is worth.
    """

    time_ms: int
    equity_units: int
    cash_units: int
    position_microlots: int
    price_ticks: int


FACT_COLUMNS: Final = tuple(field.name for field in fields(SessionFacts))
ORDER_COLUMNS: Final = tuple(field.name for field in fields(OrderRecord))
FILL_COLUMNS: Final = (
    "symbol", "trade_id", "side", "client_id", "exchange_id", "price", "quantity", "fee", "fee_asset", "time_ms",
    "is_maker", "price_ticks", "lots", "fee_units", "fee_microlots", "candle",
)  # fmt: skip

_TOLD_COLUMNS = tuple(field.name for field in fields(VenueFill))
_BOOKED_COLUMNS = tuple(field.name for field in fields(JournalFill) if field.name != "fill")
_order_values = attrgetter(*ORDER_COLUMNS)


def crc_of(row: Sequence[object]) -> int:
    """Return the checksum that is kept beside a row's values."""
    return zlib.crc32(repr(tuple(row)).encode())


def fact_row(facts: SessionFacts) -> tuple[Value, ...]:
    """Return a session's facts as they are kept, with their checksum."""
    values = tuple(str(value) if isinstance(value, Decimal) else value for value in attrgetter(*FACT_COLUMNS)(facts))
    return (*values, crc_of(values))


def facts_of(row: Sequence[Value], where: str) -> SessionFacts:
    """Return the facts in a row.

    Raises
    ------
    StateCorrupt
        When the row fails its checksum.
    """
    values = dict(zip(FACT_COLUMNS, _checked(row, f"the facts of the session in {where}"), strict=True))
    return SessionFacts(**cast("dict[str, Any]", values | {"capital": Decimal(str(values["capital"]))}))


def order_row(record: OrderRecord) -> tuple[Value, ...]:
    """Return an order as it is kept: its fields, whether it needs work, and the checksum."""
    values = tuple(_plain(value) for value in _order_values(record))
    return (*values, int(not record.is_final), crc_of(values))


def order_of_row(row: Sequence[Value], where: str) -> OrderRecord:
    """Return the order in a row.

    Parameters
    ----------
    row : sequence
        `ORDER_COLUMNS` and the checksum.
    where : str
        The file, for messages.

    Raises
    ------
    StateCorrupt
        When the row fails its checksum.
    """
    values = dict(zip(ORDER_COLUMNS, _checked(row, f"order {row[0]!r} in {where}"), strict=True))
    typed = {
        "taker": bool(values["taker"]),
        "cancel_wanted": bool(values["cancel_wanted"]),
        "state": OrderState(str(values["state"])),
        "command": None if values["command"] is None else CommandState(str(values["command"])),
    }
    return OrderRecord(**cast("dict[str, Any]", values | typed))


def fill_row(booked: JournalFill) -> tuple[Value, ...]:
    """Return a fill as it is kept, with its checksum."""
    fill = booked.fill
    values = (
        fill.symbol, fill.trade_id, booked.side, booked.client_id, fill.exchange_id, str(fill.price),
        str(fill.quantity), str(fill.fee), fill.fee_asset, int(fill.time_ms), int(fill.is_maker),
        int(booked.price_ticks), int(booked.lots), int(booked.fee_units), int(booked.fee_microlots),
        int(booked.candle),
    )  # fmt: skip
    return (*values, crc_of(values))


def fill_of_row(row: Sequence[Value], where: str) -> JournalFill:
    """Return the fill in a row.

    Parameters
    ----------
    row : sequence
        `FILL_COLUMNS` and the checksum.
    where : str
        The file, for messages.

    Raises
    ------
    StateCorrupt
        When the row fails its checksum.
    """
    values = dict(zip(FILL_COLUMNS, _checked(row, f"fill {row[1]!r} in {where}"), strict=True))
    typed: dict[str, object] = {name: Decimal(str(values[name])) for name in ("price", "quantity", "fee")}
    typed["is_maker"] = bool(values["is_maker"])
    fill = VenueFill(**cast("dict[str, Any]", {name: (values | typed)[name] for name in _TOLD_COLUMNS}))
    return JournalFill(fill=fill, **cast("dict[str, Any]", {name: values[name] for name in _BOOKED_COLUMNS}))


def packed_state(state: bytes, inputs_done: int) -> tuple[bytes, bytes]:
    """Return a core's state compressed, and the SHA-256 over the state and the count of inputs it has taken."""
    return zlib.compress(state, 1), _state_sha256(state, inputs_done)


def unpacked_state(packed: bytes, sha256: bytes, inputs_done: int, what: str) -> bytes:
    """Return a core's state as it was saved.

    Parameters
    ----------
    packed, sha256 : bytes
        As `packed_state` gave them.
    inputs_done : int
        Count of inputs beside it.
    what : str
        What it is and where, for messages.

    Raises
    ------
    StateCorrupt
        When it is not what was saved.
    """
    try:
        state = zlib.decompress(packed)
    except zlib.error:
        state = None
    if state is None or _state_sha256(state, inputs_done) != sha256:
        raise StateCorrupt(f"{what} fails its checksum; an older checkpoint has to take its place")
    return state


def batch_row(batch: InputBatch) -> tuple[Value, ...]:
    """Return a stretch of the recording as it is kept, compressed, with its checksum."""
    values = (batch.first, batch.count, zlib.compress(batch.frames, 1), batch.outputs)
    return (*values, crc_of(values))


def batch_of(row: Sequence[Value], where: str) -> InputBatch:
    """Return the stretch of the recording in a row.

    Raises
    ------
    StateCorrupt
        When the row fails its checksum.
    """
    first, count, frames, outputs = cast(
        "tuple[int, int, bytes, bytes]", _checked(row, f"the recording from input {row[0]!r} in {where}")
    )
    return InputBatch(first, count, zlib.decompress(frames), outputs)


def event_of(row: Sequence[Value], where: str) -> JournalEvent:
    """Return the event in a row.

    Raises
    ------
    StateCorrupt
        When its data is not what was written.
    """
    number, time_ms, kind, text = cast("tuple[int, int, str, str]", tuple(row))
    try:
        data = json.loads(text)
    except json.JSONDecodeError:
        raise StateCorrupt(f"event {number} in {where} is damaged; restore a backup to read it") from None
    return JournalEvent(number, time_ms, kind, data)


def _plain(value: object) -> Value:
    # As it comes back, so that the checksum is over the same: no enumeration, no bool, no integer of an array.
    if value is None:
        return None
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, bool) else index(cast("int", value))


def _checked(row: Sequence[Value], what: str) -> tuple[Value, ...]:
    *values, crc = row
    if crc_of(values) != crc:
        raise StateCorrupt(f"{what} fails its checksum; restore a backup of the journal")
    return tuple(values)


def _state_sha256(state: bytes, inputs_done: int) -> bytes:
    return hashlib.sha256(inputs_done.to_bytes(8, "big", signed=True) + state).digest()
