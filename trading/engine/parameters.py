"""The core's parameters: one record, derived from three user settings, the profile and the market's rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from trading.engine.codes import PPM, Policy
from trading.engine.records import MAX_BLACKOUTS, PARAMS
from trading.engine.state import Records
from trading.errors import Refused, UsageError
from trading.market.rules import Market
from trading.profiles import ProfileDefaults, profile_in_force
from trading.settings import Settings
from trading.signals.voting import TRAIL_BOUNDS


@dataclass(frozen=True, slots=True)
class ActionRule:
    """What one action does to each side of a slot, to the size of a buy and to the trail.

    Parameters
    ----------
    buy, sell : Policy
        ``ARMED`` trails, ``LIMIT`` rests at the level, ``BLOCKED`` does nothing.
    size, trail : float
        Factors on the order's size and on the trail distance.
    """

    buy: Policy
    sell: Policy
    size: float
    trail: float


ACTION_TABLE = {
    "TRAIL_SELL": ActionRule(Policy.BLOCKED, Policy.ARMED, size=0.0, trail=0.75),
    "HOLD": ActionRule(Policy.ARMED, Policy.ARMED, size=1.0, trail=1.0),
    "TRAIL_BUY": ActionRule(Policy.ARMED, Policy.ARMED, size=1.0, trail=1.25),
}
"""By action, in the order of its codes; ``grid.order_style = "limit"`` makes HOLD rest plain limits on both sides."""


def action_rules(order_style: str) -> tuple[ActionRule, ActionRule, ActionRule]:
    """Return the action table for an order style."""
    sell, hold, buy = ACTION_TABLE.values()
    if order_style == "limit":
        hold = ActionRule(Policy.LIMIT, Policy.LIMIT, hold.size, hold.trail)
    return sell, hold, buy


def derive_parameters(settings: Settings, market: Market) -> Records:
    """Return the core's parameters for a session.

    Parameters
    ----------
    settings : Settings
        What the user set and pinned.
    market : Market
        The market's rules.

    Returns
    -------
    recarray of PARAMS, shape (1,)

    Raises
    ------
    Refused
        When a pinned spacing cannot pay its fees, or orders would fall under the market's least value.
    """
    profile = profile_in_force(settings)
    params = np.zeros(1, PARAMS).view(np.recarray)
    groups = (
        _market_values(settings, market),
        _grid_values(settings, market, profile),
        _trail_values(settings, profile),
        _size_values(settings),
        _risk_values(settings, profile),
        _order_values(settings),
    )
    for group in groups:
        for name, value in group.items():
            params[name] = value
    _refuse_unprofitable_spacing(settings, market)
    _refuse_small_orders(settings, market)
    return params


def ppm(share: float | Decimal) -> int:
    """Return a share as whole parts per million."""
    return round(float(share) * PPM)


def round_trip_fee(settings: Settings, market: Market) -> float:
    """Return the fees of buying and selling once, as a share of the value; trailing orders take, plain limits rest."""
    fee = market.taker_fee if settings.grid.order_style == "trailing" else market.maker_fee
    return float(2 * fee)


def _market_values(settings: Settings, market: Market) -> dict[str, int]:
    fills = settings.fills
    return {
        "units": market.units_per_tick_lot,
        "maker_fee_ppm": market.maker_fee_ppm,
        "taker_fee_ppm": market.taker_fee_ppm,
        "fee_in_base": int(market.fee_in_base),
        "min_notional": market.min_notional_units,
        "slip_ppm": ppm(fills.slippage) + market.spread_ppm // 2,
        "touch": int(fills.rule == "touch"),
        "latency": fills.latency_candles,
        "take_market": int(settings.market.spread < settings.orders.market_spread),
    }


def _grid_values(settings: Settings, market: Market, profile: ProfileDefaults) -> dict[str, int]:
    grid = settings.grid
    return {
        "buy_levels": profile.buy_levels,
        "sell_levels": profile.sell_levels,
        "pairs": profile.buy_levels + profile.sell_levels,
        "spacing_ppm": ppm(grid.spacing or 0),
        "swing_share_ppm": ppm(grid.swing_share),
        "min_spacing_ppm": ppm(grid.min_spacing),
        "max_spacing_ppm": ppm(grid.max_spacing),
        "fee_floor_ppm": ppm(2 * round_trip_fee(settings, market)),
        "activation_ppm": ppm(grid.activation),
        "recentre_margin_ppm": ppm(grid.recentre_margin),
        "recentre_confirm": grid.recentre_confirm,
        "regime_confirm": grid.regime_confirm,
        "entry_drop_ppm": ppm(grid.entry_drop),
        "entry_confidence_ppm": ppm(grid.entry_confidence),
        "entry_levels": grid.entry_levels,
        "warmup": settings.signals.warmup_candles,
    }


def _trail_values(settings: Settings, profile: ProfileDefaults) -> dict[str, object]:
    trail, rules = settings.trail, action_rules(settings.grid.order_style)
    return {
        "base_trail_ppm": ppm(profile.base_trail),
        "trail_min": [ppm(low) for low, _ in TRAIL_BOUNDS],
        "trail_max": [ppm(high) for _, high in TRAIL_BOUNDS],
        "buy_cap_ppm": ppm(trail.buy_cap),
        "sell_margin_ppm": ppm(trail.sell_margin),
        "cluster_window_ppm": ppm(trail.cluster_window),
        "cluster_shift_ppm": ppm(trail.cluster_shift),
        "buy_policy": [int(rule.buy) for rule in rules],
        "sell_policy": [int(rule.sell) for rule in rules],
        "size_factor": [ppm(rule.size) for rule in rules],
        "trail_factor": [ppm(rule.trail) for rule in rules],
    }


def _size_values(settings: Settings) -> dict[str, float]:
    size = settings.size
    return {
        "order_share_ppm": ppm(size.order_share),
        "hold_confidence_ppm": ppm(size.hold_confidence),
        "kelly_min_trades": size.kelly_min_trades,
        "kelly_multiple": size.kelly_multiple,
        "kelly_floor": size.kelly_floor,
        "kelly_decay": size.kelly_decay,
    }


def _risk_values(settings: Settings, profile: ProfileDefaults) -> dict[str, int]:
    limits = settings.limits
    by_exposure = max(int(profile.max_exposure / (settings.size.order_share * settings.size.hold_confidence)), 1)
    return {
        "max_drawdown_ppm": ppm(profile.max_drawdown),
        "daily_loss_ppm": ppm(profile.daily_loss),
        "max_position_ppm": ppm(limits.max_position),
        "max_exposure_ppm": ppm(profile.max_exposure),
        "max_open_levels": by_exposure if limits.max_open_levels is None else limits.max_open_levels,
        "stop_ppm": ppm(profile.stop_loss * limits.early_stop),
        "take_ppm": ppm(profile.take_profit),
        "flatten_on_halt": int(limits.flatten_on_halt),
        "cooldown": limits.cooldown_candles,
    }


def _order_values(settings: Settings) -> dict[str, object]:
    orders = settings.orders
    periods = [period for text in orders.blackouts for period in _blackout(text)]
    if len(periods) > MAX_BLACKOUTS:
        raise UsageError(f"orders.blackouts has {len(periods)} periods within a UTC day; {MAX_BLACKOUTS} are possible")
    padding = [0] * (MAX_BLACKOUTS - len(periods))
    return {
        "improvement_ppm": ppm(orders.improvement),
        "cancel_rest_ppm": ppm(orders.cancel_rest_at),
        "lifetime": orders.lifetime_candles,
        "retry_candles": orders.retry_candles,
        "blackout_count": len(periods),
        "blackout_start": [start for start, _ in periods] + padding,
        "blackout_end": [end for _, end in periods] + padding,
    }


def _blackout(text: str) -> list[tuple[int, int]]:
    try:
        start, end = (_minute(clock) for clock in text.split("-"))
    except ValueError:
        raise UsageError(f"orders.blackouts: {text!r} is not a UTC period such as 13:25-13:40") from None
    # a period over midnight is two
    return [(start, end)] if start < end else [(start, 1_440), (0, end)]


def _minute(clock: str) -> int:
    hours, minutes = (int(part) for part in clock.split(":"))
    if not (0 <= hours <= 24 and 0 <= minutes < 60):
        raise ValueError(clock)
    return hours * 60 + minutes


def _refuse_unprofitable_spacing(settings: Settings, market: Market) -> None:
    spacing, least = settings.grid.spacing, 2 * round_trip_fee(settings, market)
    if spacing is not None and spacing < least:
        raise Refused(
            f"grid.spacing {spacing:.4%} is under twice the round-trip fee of {market.symbol} ({least:.4%}); "
            f"set it to {least:.4f} or more, or leave it to be derived"
        )


def _refuse_small_orders(settings: Settings, market: Market) -> None:
    size = settings.size
    value = float(settings.capital) * size.order_share * size.hold_confidence
    least = float(market.min_notional)
    if value < least:
        needed = least / (size.order_share * size.hold_confidence)
        raise Refused(
            f"orders of {value:.2f} {market.quote} (capital {settings.capital} x {size.order_share:.2%} x "
            f"{size.hold_confidence:.0%}) are under the {market.symbol} minimum of {least:g}; "
            f"use a capital of {needed:.0f} or more, or a larger size.order_share"
        )
