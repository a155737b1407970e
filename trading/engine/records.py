"""The records that the core works on: their fields, and the NumPy layouts made from these.

Each class is a declaration: it types the attributes of a NumPy record, and `layout` makes the record's dtype of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from trading.engine.codes import Rule

Ints = NDArray[np.int64]

MAX_PAIRS = 128
"""Level pairs that a grid can have; the state has room for that many slots."""
MAX_BLACKOUTS = 8
INTENTS_PER_SLOT, FILLS_PER_SLOT, GRIDS_PER_CANDLE = 16, 6, 2
"""Bounds on what a slot, or the grid, can put out in one candle: four path points, its open and its close."""
FILL_ROOM, GRID_ROOM = 8_192, 512

_SCALARS = {"int": np.int64, "float": np.float64}


class Slot:
    """One pair of levels: what it is doing, its order and its inventory."""

    state: int
    reason: int
    pair: int
    grid_id: int
    primed: int

    # prices in ticks
    buy: int
    sell: int
    cap: int
    extreme: int
    trigger: int
    trail_ppm: int
    floor: int
    stop_at: int
    take_at: int
    margin_ppm: int

    # the working order: limit 0 takes any price, reference 0 takes the next price seen
    order_id: int
    side: int
    lots: int
    filled: int
    limit: int
    taker: int
    reference: int
    why: int
    active_from: int
    expires: int
    reserved: int

    # the inventory: lots, cost with fees, proceeds so far, largest lots of this round
    held: int
    cost: int
    proceeds: int
    pair_lots: int
    opened_at: int
    turned_at: int
    retry_at: int


class Core:
    """Everything that the core knows."""

    pairs: int

    # money: cash units, lots, and millionths of a lot
    capital: int
    cash: int
    reserved: int
    position_lots: int
    dust_microlots: int
    bought_units: int
    sold_units: int
    fee_units: int
    fee_microlots: int

    # lots that no slot could sell alone, and what they cost
    carry_lots: int
    carry_cost: int

    # a portfolio's other symbols: their equity and exposure
    external_equity: int
    external_exposure: int

    # risk
    peak_equity: int
    day_equity: int
    equity_floor: int
    halt: int
    halted_at: int
    halts: int

    # grid
    started: int
    entry_due: int
    first_price: int
    centre: int
    spacing_ppm: int
    margin_ppm: int
    beyond: int
    recentres: int
    round_step: int
    grid_id: int

    # time: candle counter, last price, next events
    candle: int
    closing: int
    time_ms: int
    last_price: int
    next_candle_event: int
    next_time_event: int
    base_event: int
    day_end_ms: int
    blackout: int

    # the candle being traded
    candle_low: int
    candle_high: int
    volume_left: int

    # the signal that is visible
    action: int
    confidence_ppm: int
    trail_ppm: int
    regime: int
    volatility: int
    swing_high: int
    swing_low: int
    swing_ppm: int
    regime_since: int

    # prices between which nothing happens; beyond the plan's the grid is recentred, beyond the near ones it is planned
    quiet_low: int
    quiet_high: int
    plan_low: int
    plan_high: int
    near_low: int
    near_high: int

    # a plan is due, the quiet prices are out of date, slots with a working order
    dirty: int
    stale: int
    working: int

    # own trade history, decayed
    trades: int
    wins: float
    losses: float
    win_sum: float
    loss_sum: float

    # orders placed, and refused by rule
    next_order_id: int
    orders: int
    refused: Ints

    # by slot: the price at or under which it acts, at or over which it acts, the candle in which it looks again;
    # apart from the slots, so that the loop scans them at the speed of memory
    below: Ints
    above: Ints
    event: Ints
    slots: Sequence[Slot]


class Intent:
    """An order to place or to cancel."""

    kind: int
    slot: int
    order_id: int
    side: int
    lots: int
    limit: int
    taker: int
    why: int


class Fill:
    """A fill, and the account after it."""

    timestamp: int
    candle: int
    order_id: int
    side: int
    price_ticks: int
    lots: int
    fee_units: int
    fee_microlots: int
    reason: int
    level: int
    cash_units: int
    position_lots: int
    dust_microlots: int
    reference_ticks: int


class Grid:
    """A grid that was laid."""

    candle: int
    centre: int
    spacing_ppm: int


class Output:
    """What the core puts out."""

    intent_count: int
    fill_count: int
    grid_count: int
    levels: Ints
    taken: Ints
    intents: Sequence[Intent]
    fills: Sequence[Fill]
    grids: Sequence[Grid]


class Params:
    """Constants of a session; names ending in `_ppm` are millionths."""

    units: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    fee_in_base: int
    min_notional: int
    slip_ppm: int
    touch: int
    latency: int
    take_market: int
    buy_levels: int
    sell_levels: int
    pairs: int
    spacing_ppm: int
    swing_share_ppm: int
    min_spacing_ppm: int
    max_spacing_ppm: int
    fee_floor_ppm: int
    activation_ppm: int
    recentre_margin_ppm: int
    recentre_confirm: int
    regime_confirm: int
    entry_drop_ppm: int
    entry_confidence_ppm: int
    entry_levels: int
    warmup: int
    base_trail_ppm: int
    trail_min: Ints
    trail_max: Ints
    buy_cap_ppm: int
    sell_margin_ppm: int
    cluster_window_ppm: int
    cluster_shift_ppm: int
    buy_policy: Ints
    sell_policy: Ints
    size_factor: Ints
    trail_factor: Ints
    order_share_ppm: int
    hold_confidence_ppm: int
    kelly_min_trades: int
    kelly_multiple: float
    kelly_floor: float
    kelly_decay: float
    max_drawdown_ppm: int
    daily_loss_ppm: int
    max_position_ppm: int
    max_exposure_ppm: int
    max_open_levels: int
    stop_ppm: int
    take_ppm: int
    flatten_on_halt: int
    cooldown: int
    improvement_ppm: int
    cancel_rest_ppm: int
    lifetime: int
    retry_candles: int
    blackout_count: int
    blackout_start: Ints
    blackout_end: Ints


def layout(fields: type, **arrays: tuple[DTypeLike, int]) -> np.dtype[np.void]:
    """Return the aligned layout of a record class.

    Parameters
    ----------
    fields : type
        A class of this module.
    **arrays : (dtype, length)
        Element and length of each field that is not a scalar.
    """
    columns = [
        (name, *arrays[name]) if name in arrays else (name, _SCALARS[kind])
        for name, kind in fields.__annotations__.items()
    ]
    return np.dtype(columns, align=True)


_ints = np.int64
SLOT, INTENT, FILL, GRID = layout(Slot), layout(Intent), layout(Fill), layout(Grid)
CORE = layout(
    Core,
    refused=(_ints, len(Rule)),
    below=(_ints, MAX_PAIRS),
    above=(_ints, MAX_PAIRS),
    event=(_ints, MAX_PAIRS),
    slots=(SLOT, MAX_PAIRS),
)
OUTPUT = layout(
    Output,
    levels=(_ints, MAX_PAIRS + 1),
    taken=(_ints, MAX_PAIRS),
    intents=(INTENT, INTENTS_PER_SLOT * MAX_PAIRS),
    fills=(FILL, FILL_ROOM),
    grids=(GRID, GRID_ROOM),
)
PARAMS = layout(
    Params,
    **dict.fromkeys(("trail_min", "trail_max", "buy_policy", "sell_policy", "size_factor", "trail_factor"), (_ints, 3)),
    blackout_start=(_ints, MAX_BLACKOUTS),
    blackout_end=(_ints, MAX_BLACKOUTS),
)
