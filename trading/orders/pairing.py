"""The compiled FIFO matcher behind `trading.orders.trades`, and the exact division that it rests on.

Both live in one file because the compiler's disk cache does not notice a change in another file's function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trading.engine.compiling import compiled, entry_point

Ints = NDArray[np.int64]

_INT64_MAX = (1 << 63) - 1
LARGEST = 1 << 61
"""Quantities must stay under this for `prorated` to be exact."""


@compiled
def prorated(amount: int, part: int, whole: int) -> int:
    """Return ``amount * part // whole`` without overflow.

    Parameters
    ----------
    amount : int
        Not negative, under 2**63.
    part, whole : int
        ``0 <= part <= whole`` and ``0 < whole < 2**61``.

    Returns
    -------
    int
        The share, rounded down. A product that would not fit is formed by shift and add; between two bits of
        ``part`` what is left stays under ``3 * whole``.
    """
    quotient = amount // whole
    rest = amount - quotient * whole
    base = quotient * part
    if rest == 0 or part <= _INT64_MAX // rest:
        return base + rest * part // whole
    share = 0
    remainder = 0
    for bit in range(62, -1, -1):
        remainder = 2 * remainder
        if (part >> bit) & 1:
            remainder += rest
        share = 2 * share + remainder // whole
        remainder %= whole
    return base + share


def match_fifo(side: Ints, level: Ints, parts: Ints, value: Ints, fee: Ints) -> tuple[Ints, int, Ints]:
    """Match each sale with the oldest lots of its own level, and with the oldest of all when its level has none left.

    Parameters
    ----------
    side, level, parts, value, fee : ndarray of int64, shape (n,)
        Fills in time order: +1 or -1, a level code from 0 up, quantity, value and fee.

    Returns
    -------
    matches : ndarray of int64, shape (m, 6)
        Row of the buy, row of the sale, quantity, cost, proceeds, fees of both.
    short_row : int
        First sale of more than is owned, -1 when there is none.
    left : ndarray of int64, shape (n, 3)
        Quantity, cost and fee of each buy that were never sold; zeros for sales.
    """
    fills = np.stack((side, level, parts, value, fee), axis=1)
    matches = np.zeros((len(side), 6), np.int64)
    left = np.zeros((len(side), 3), np.int64)
    following = np.full(len(side), -1, np.int64)
    queues = np.full((int(level.max(initial=-1)) + 1, 2), -1, np.int64)
    count, short_row = _match(fills, following, queues, matches, left)
    return matches[:count], short_row, left


@entry_point
def _match(fills: Ints, following: Ints, queues: Ints, matches: Ints, left: Ints) -> tuple[int, int]:
    # The first lot of a level's queue and its last; ``following`` links the lots between.
    head, tail = queues[:, 0], queues[:, 1]
    oldest = 0
    count = 0
    for row in range(len(fills)):
        code = fills[row, 1]
        if fills[row, 0] > 0:
            left[row, 0], left[row, 1], left[row, 2] = fills[row, 2], fills[row, 3], fills[row, 4]
            if head[code] < 0:
                head[code] = row
            else:
                following[tail[code]] = row
            tail[code] = row
            continue
        sold, proceeds, exit_fee = fills[row, 2], fills[row, 3], fills[row, 4]
        while sold > 0:
            while head[code] >= 0 and left[head[code], 0] == 0:
                head[code] = following[head[code]]
            buy = head[code]
            if buy < 0:
                while oldest < row and left[oldest, 0] == 0:
                    oldest += 1
                if oldest == row:
                    return count, row
                buy = oldest
            part = min(sold, left[buy, 0])
            cost = prorated(left[buy, 1], part, left[buy, 0])
            entry_fee = prorated(left[buy, 2], part, left[buy, 0])
            income = prorated(proceeds, part, sold)
            fee_part = prorated(exit_fee, part, sold)
            left[buy, 0] -= part
            left[buy, 1] -= cost
            left[buy, 2] -= entry_fee
            sold -= part
            proceeds -= income
            exit_fee -= fee_part
            matches[count, 0], matches[count, 1], matches[count, 2] = buy, row, part
            matches[count, 3], matches[count, 4], matches[count, 5] = cost, income, entry_fee + fee_part
            count += 1
    return count, -1
