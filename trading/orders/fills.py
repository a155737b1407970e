"""``Fills``: what was bought and sold, as frozen integer columns with their market's units."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trading.engine.codes import FillReason
from trading.errors import DataError, Refused
from trading.market.rules import Market

MICROLOTS = 1_000_000
"""Millionths of a lot in a lot: the unit of fees that are taken from the bought quantity."""

_DTYPES: dict[str, np.dtype] = {
    "timestamp": np.dtype(np.int64),
    "candle": np.dtype(np.int64),
    "order_id": np.dtype(np.int64),
    "side": np.dtype(np.int8),
    "price_ticks": np.dtype(np.int64),
    "lots": np.dtype(np.int64),
    "fee_units": np.dtype(np.int64),
    "fee_microlots": np.dtype(np.int64),
    "reason": np.dtype(np.uint8),
    "level": np.dtype(np.int32),
    "cash_units": np.dtype(np.int64),
    "position_lots": np.dtype(np.int64),
    "dust_microlots": np.dtype(np.int64),
    "reference_ticks": np.dtype(np.int64),
}
_HASHED = np.dtype(
    [
        ("timestamp", "<i8"),
        ("side", "i1"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("fee", "<i8"),
        ("fee_microlots", "<i8"),
    ]
)
_HASH_VERSION = "gridbot fills 1"


@dataclass(frozen=True, slots=True, eq=False)
class Fills:
    """Fills in the order in which they happened, in the market's integer units.

    Parameters
    ----------
    market : Market
        Tick, lot and cash unit of the columns.
    timestamp : ndarray of int64, shape (n,)
        Milliseconds UTC.
    candle : ndarray of int64, shape (n,)
        Row of the candle that filled it.
    order_id : ndarray of int64, shape (n,)
        The order that filled.
    side : ndarray of int8, shape (n,)
        +1 bought, -1 sold.
    price_ticks, lots : ndarray of int64, shape (n,)
        Price in ticks, quantity in lots.
    fee_units, fee_microlots : ndarray of int64, shape (n,)
        Fee in cash units of the quote currency, and fee in millionths of a lot taken from the bought quantity.
    reason : ndarray of uint8, shape (n,)
        Values of `trading.engine.codes.FillReason`.
    level : ndarray of int32, shape (n,)
        Level pair of the grid.
    cash_units, position_lots, dust_microlots : ndarray of int64, shape (n,)
        Cash, whole lots and the rest under a lot owned after the fill.
    reference_ticks : ndarray of int64, shape (n,)
        Price that the order was decided at, in ticks; 0 where it is not known.

    Raises
    ------
    DataError
        When the columns differ in length.
    """

    market: Market
    timestamp: NDArray[np.int64]
    candle: NDArray[np.int64]
    order_id: NDArray[np.int64]
    side: NDArray[np.int8]
    price_ticks: NDArray[np.int64]
    lots: NDArray[np.int64]
    fee_units: NDArray[np.int64]
    fee_microlots: NDArray[np.int64]
    reason: NDArray[np.uint8]
    level: NDArray[np.int32]
    cash_units: NDArray[np.int64]
    position_lots: NDArray[np.int64]
    dust_microlots: NDArray[np.int64]
    reference_ticks: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            column = np.array(getattr(self, name), dtype=dtype)
            column.flags.writeable = False
            object.__setattr__(self, name, column)
            if column.ndim != 1 or column.shape != self.timestamp.shape:
                raise DataError(f"fills column {name!r} has shape {column.shape}, timestamp has {self.timestamp.shape}")

    @classmethod
    def from_records(cls, records: NDArray[np.void], market: Market) -> Fills:
        """Build fills from the core's records (`trading.engine.records.FILL`).

        Parameters
        ----------
        records : structured ndarray, shape (n,)
            One record a fill, with at least the columns of `Fills`.
        market : Market
            The units of the records.
        """
        return cls(market, **{name: records[name] for name in _DTYPES})

    def __len__(self) -> int:
        return len(self.timestamp)

    @property
    def value_units(self) -> NDArray[np.int64]:
        """Price times quantity of each fill, exact, in cash units; shape (n,)."""
        value: NDArray[np.int64] = self.price_ticks * self.lots * np.int64(self.market.units_per_tick_lot)
        return value

    @property
    def fee_value_units(self) -> NDArray[np.int64]:
        """Each fee in cash units, a fee in base valued at the fill's price, rounded up; shape (n,)."""
        if not self.fee_microlots.any():
            return self.fee_units
        whole, rest = np.divmod(self.fee_microlots, MICROLOTS)
        per_lot = self.price_ticks * np.int64(self.market.units_per_tick_lot)
        # Split once more, so that no product passes 64 bits.
        high, low = np.divmod(per_lot, MICROLOTS)
        fee: NDArray[np.int64] = self.fee_units + whole * per_lot + rest * high - (-(rest * low) // MICROLOTS)
        return fee

    @property
    def traded(self) -> Decimal:
        """Value of all fills, quote currency."""
        return self.market.money(exact_sum(self.value_units))

    @property
    def fees(self) -> Decimal:
        """All fees, quote currency; fees in base at their fill's price."""
        return self.market.money(exact_sum(self.fee_value_units))

    def table(self) -> pa.Table:
        """Return the fills as a table of exchange-side units.

        Returns
        -------
        pyarrow.Table
            Columns timestamp (int64 ms UTC), candle, order_id, side ("buy" or "sell"), price, quantity, fee (quote
            currency; a fee in base is valued at the fill's price), reason, level, cash and position after the fill.
            Numbers are the nearest float64 of the exact value; the schema's metadata names the units.
        """
        market = self.market
        position = self.position_lots.astype(np.float64)
        if self.dust_microlots.any():
            position = position + self.dust_microlots / MICROLOTS
        columns = {
            "timestamp": pa.array(self.timestamp),
            "candle": pa.array(self.candle),
            "order_id": pa.array(self.order_id),
            "side": _words(self.side == 1, ("sell", "buy")),
            "price": pa.array(decimal_column(self.price_ticks, market.tick_size)),
            "quantity": pa.array(decimal_column(self.lots, market.lot_size)),
            "fee": pa.array(decimal_column(self.fee_value_units, cash_unit(market))),
            "reason": _words(self.reason, tuple(reason.name.lower() for reason in FillReason)),
            "level": pa.array(self.level),
            "cash": pa.array(decimal_column(self.cash_units, cash_unit(market))),
            "position": pa.array(decimal_column(position, market.lot_size)),
        }
        metadata = {
            "symbol": market.symbol,
            "currency": market.quote,
            "fee_asset_of_buys": market.base if market.fee_in_base else market.quote,
            "trade_hash": self.trade_hash(),
        }
        return pa.table(columns).replace_schema_metadata(metadata)

    def write(self, path: Path) -> Path:
        """Write `table` to a parquet file and return its path.

        Raises
        ------
        Refused
            When the file cannot be written.
        """
        return write_parquet(self.table(), path)

    def trade_hash(self) -> str:
        """Return the sha256 over time, side, price, quantity and fee of all fills, as 64 hexadecimal digits.

        The bytes are one UTF-8 line ``gridbot fills 1|tick_size|lot_size|cash_decimals`` and a line feed, then 41
        bytes for each fill: timestamp ms (int64), side +1 or -1 (int8), price in ticks, quantity in lots, quote fee
        in cash units, base fee in millionths of a lot (int64 each), all little-endian without padding.
        """
        market = self.market
        packed = np.empty(len(self), _HASHED)
        packed["timestamp"], packed["side"] = self.timestamp, self.side
        packed["price"], packed["quantity"] = self.price_ticks, self.lots
        packed["fee"], packed["fee_microlots"] = self.fee_units, self.fee_microlots
        units = (_plain(market.tick_size), _plain(market.lot_size), str(market.cash_decimals))
        digest = hashlib.sha256("|".join((_HASH_VERSION, *units)).encode() + b"\n")
        digest.update(packed.tobytes())
        return digest.hexdigest()


def exact_sum(column: NDArray[np.int64]) -> int:
    """Return the sum of a column of int64 as an exact integer of any size."""
    return (int((column >> 32).sum()) << 32) + int((column & 0xFFFFFFFF).sum())


def empty_fills(market: Market) -> Fills:
    """Return the fills of a run that did not trade."""
    return Fills(market, **{field.name: np.empty(0) for field in fields(Fills) if field.name in _DTYPES})  # type: ignore[arg-type]


def cash_unit(market: Market) -> Decimal:
    """Return the value of one cash unit in the quote currency."""
    return Decimal(1).scaleb(-market.cash_decimals)


def decimal_column(counts: NDArray[np.generic], unit: Decimal) -> NDArray[np.float64]:
    """Return counts of a decimal unit as floats.

    Parameters
    ----------
    counts : ndarray, shape (n,)
        Whole numbers of the unit (or float64 counts).
    unit : Decimal
        A positive, finite step such as ``Decimal("0.01")``.

    Returns
    -------
    ndarray of float64, shape (n,)
        The float nearest to the exact value while the count times the unit's digits stays under 2**53: one division
        by a power of ten, instead of a product with a unit that no float holds exactly.
    """
    parts = unit.normalize().as_tuple()
    digits = int("".join(map(str, parts.digits)))
    exponent = int(parts.exponent)
    scaled = counts.astype(np.float64) * digits
    return scaled / 10.0**-exponent if exponent < 0 else scaled * 10.0**exponent


def write_parquet(table: pa.Table, path: Path) -> Path:
    """Write a table to a parquet file, whole or not at all, and return the path.

    Raises
    ------
    Refused
        When the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, part, compression="zstd")
        part.replace(path)
    except OSError as error:
        raise Refused(f"{path} cannot be written ({error.strerror or error}); choose another place") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return path


def _words(codes: NDArray[np.generic], words: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int8)), pa.array(words)).cast(pa.string())


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
