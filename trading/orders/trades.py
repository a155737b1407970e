"""Trades: each sale paired with the lots it sold, first in first out within its level, exact to the cash unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trading.errors import Refused
from trading.market.rules import Market
from trading.orders.fills import MICROLOTS, Fills, decimal_column
from trading.orders.ledger import LedgerMismatch
from trading.orders.pairing import LARGEST, match_fifo

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OpenLots:
    """Bought and not sold: the position, oldest lots first.

    Parameters
    ----------
    fill : ndarray of int64, shape (m,)
        Row of the buy in the fills.
    level : ndarray of int32, shape (m,)
        Level pair that bought.
    parts : ndarray of int64, shape (m,)
        Quantity left, in the trades' ``parts_per_lot``.
    cost_units, fee_units : ndarray of int64, shape (m,)
        What it cost and the fees paid on it, cash units.
    """

    fill: Ints
    level: NDArray[np.int32]
    parts: Ints
    cost_units: Ints
    fee_units: Ints

    def __len__(self) -> int:
        return len(self.fill)


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Closed trades in the order in which they closed; one trade pairs one buy order with one sell order.

    Parameters
    ----------
    market : Market
        Units of the columns.
    parts_per_lot : int
        1; a million where fees are taken from the bought quantity, so that a fraction of a lot can be counted.
    level : ndarray of int32, shape (k,)
        Level pair that bought.
    entry_fill, exit_fill : ndarray of int64, shape (k,)
        Row of the first buy and of the last sale in the fills.
    entry_candle, exit_candle : ndarray of int64, shape (k,)
        Their candles.
    entry_timestamp, exit_timestamp : ndarray of int64, shape (k,)
        Their times, milliseconds UTC.
    reason : ndarray of uint8, shape (k,)
        Why it was sold, values of `trading.engine.codes.FillReason`.
    parts : ndarray of int64, shape (k,)
        Quantity in parts of a lot.
    cost_units, proceeds_units, fee_units, pnl_units : ndarray of int64, shape (k,)
        Cash units; P&L is proceeds minus cost minus the quote fees of both sides.
    open_lots : OpenLots
        What was bought and not sold.
    """

    market: Market
    parts_per_lot: int
    level: NDArray[np.int32]
    entry_fill: Ints
    exit_fill: Ints
    entry_candle: Ints
    exit_candle: Ints
    entry_timestamp: Ints
    exit_timestamp: Ints
    reason: NDArray[np.uint8]
    parts: Ints
    cost_units: Ints
    proceeds_units: Ints
    fee_units: Ints
    pnl_units: Ints
    open_lots: OpenLots

    def __len__(self) -> int:
        return len(self.level)

    @property
    def holding_ms(self) -> Ints:
        """Time from the first buy to the last sale, milliseconds; shape (k,)."""
        return self.exit_timestamp - self.entry_timestamp

    @property
    def pnl(self) -> NDArray[np.float64]:
        """P&L after fees in the quote currency; shape (k,)."""
        return decimal_column(self.pnl_units, self.market.money(1))

    @property
    def returns(self) -> NDArray[np.float64]:
        """P&L after fees as a share of the cost; shape (k,)."""
        return self.pnl_units / np.maximum(self.cost_units, 1)


def pair_trades(fills: Fills) -> Trades:
    """Pair sales with buys by FIFO lots per level.

    A sale takes the oldest lots of its own level; when the level has none left (a remainder was carried to another
    level, a halt sells everything) it takes the oldest lots of all. Values and fees are shared among partial
    matches by quantity, rounded down, the remainder going to the last match, so that nothing is lost: the sum of all
    P&L equals the change in cash plus cost and fees of the open lots.

    Parameters
    ----------
    fills : Fills
        In time order.

    Returns
    -------
    Trades
        Closed trades and open lots.

    Raises
    ------
    LedgerMismatch
        When more is sold than was bought.
    Refused
        When quantities are too large to be shared exactly.
    """
    scale = MICROLOTS if fills.fee_microlots.any() else 1
    if len(fills) and int(fills.lots.max()) >= LARGEST // scale:
        raise Refused(
            f"{fills.market.symbol}: a fill of {int(fills.lots.max())} lots cannot be shared exactly; "
            "use a coarser market.lot_size"
        )
    _, codes = np.unique(fills.level, return_inverse=True)
    bought_parts = fills.lots * scale - (fills.fee_microlots if scale > 1 else 0)
    matches, short_row, left = match_fifo(
        fills.side.astype(np.int64), codes.astype(np.int64), bought_parts, fills.value_units, fills.fee_units
    )
    if short_row >= 0:
        order = int(fills.order_id[short_row])
        raise LedgerMismatch(
            f"fill {short_row} of {fills.market.symbol} (order {order}) sells more than is owned; "
            "the fills are not one account's history"
        )
    return _trades(fills, matches, left, scale)


def _trades(fills: Fills, matches: Ints, left: Ints, scale: int) -> Trades:
    entry, leave = matches[:, 0], matches[:, 1]
    group, groups = _group(fills.order_id[entry], fills.order_id[leave])
    first = np.full(groups, len(fills), np.int64)
    last = np.zeros(groups, np.int64)
    np.minimum.at(first, group, entry)
    np.maximum.at(last, group, leave)
    sums = np.zeros((groups, 4), np.int64)
    np.add.at(sums, group, matches[:, 2:])
    order = np.argsort(last, kind="stable")
    first, last, sums = first[order], last[order], sums[order]
    parts, cost, proceeds, fee = (np.ascontiguousarray(column) for column in sums.T)
    still_open = np.flatnonzero(left[:, 0])
    return Trades(
        market=fills.market,
        parts_per_lot=scale,
        level=fills.level[first],
        entry_fill=first,
        exit_fill=last,
        entry_candle=fills.candle[first],
        exit_candle=fills.candle[last],
        entry_timestamp=fills.timestamp[first],
        exit_timestamp=fills.timestamp[last],
        reason=fills.reason[last],
        parts=parts,
        cost_units=cost,
        proceeds_units=proceeds,
        fee_units=fee,
        pnl_units=proceeds - cost - fee,
        open_lots=OpenLots(still_open, fills.level[still_open], *(left[still_open, column] for column in range(3))),
    )


def _group(entry_order: Ints, exit_order: Ints) -> tuple[Ints, int]:
    """Return each match's group, numbered by first match, and the number of groups."""
    _, entry_code = np.unique(entry_order, return_inverse=True)
    exits, exit_code = np.unique(exit_order, return_inverse=True)
    pair = entry_code.astype(np.int64) * max(len(exits), 1) + exit_code
    pairs, first_seen, group = np.unique(pair, return_index=True, return_inverse=True)
    rank = np.empty(len(pairs), np.int64)
    rank[np.argsort(first_seen)] = np.arange(len(pairs))
    return rank[group], len(pairs)
