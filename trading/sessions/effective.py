"""Every setting as it holds in a run: pinned, from the profile, or derived, under one dotted name each."""

from __future__ import annotations

from collections.abc import Mapping

from trading.engine.codes import PPM
from trading.engine.state import Records
from trading.market.rules import Market
from trading.profiles import profile_in_force
from trading.settings import Section, Settings

_FROM_PARAMS = {
    "grid.buy_levels": ("buy_levels", 1),
    "grid.sell_levels": ("sell_levels", 1),
    "trail.base": ("base_trail_ppm", PPM),
    "limits.max_drawdown": ("max_drawdown_ppm", PPM),
    "limits.daily_loss": ("daily_loss_ppm", PPM),
    "limits.max_exposure": ("max_exposure_ppm", PPM),
    "limits.max_open_levels": ("max_open_levels", 1),
    "limits.take_profit": ("take_ppm", PPM),
}


def effective_settings(
    settings: Settings, params: Records, market: Market, first_grid: Records | None = None
) -> dict[str, object]:
    """Return every setting's value in force, by dotted name.

    Parameters
    ----------
    settings : Settings
        What was set; None where a value is derived.
    params : recarray of PARAMS, shape (1,)
        What was derived.
    market : Market
        The market's rules.
    first_grid : recarray of GRID, optional
        The first grid laid, whose spacing and centre stand for a derived spacing.
    """
    values: dict[str, object] = {"symbol": market.symbol, "capital": settings.capital, "risk": settings.risk.value}
    for section, content in settings:
        if isinstance(content, Section):
            values |= {f"{section}.{name}": value for name, value in content}
    for name in ("tick_size", "lot_size", "min_notional", "maker_fee", "taker_fee", "fee_in_base"):
        values[f"market.{name}"] = getattr(market, name)
    values["market.source"] = market.source
    values |= _derived(values, params)
    profile = profile_in_force(settings)
    values |= {"limits.min_confidence": profile.min_confidence, "limits.stop_loss": profile.stop_loss}
    if first_grid is not None and len(first_grid):
        values["grid.spacing"] = int(first_grid[0].spacing_ppm) / PPM
        values["grid.first_centre"] = market.price(first_grid[0].centre)
    return values


def _derived(values: Mapping[str, object], params: Records) -> dict[str, object]:
    record = params[0]
    derived: dict[str, object] = {}
    for name, (field, scale) in _FROM_PARAMS.items():
        if values[name] is None:
            derived[name] = int(record[field]) if scale == 1 else int(record[field]) / scale
    derived["limits.stop_at"] = int(record["stop_ppm"]) / PPM
    derived["grid.least_spacing"] = int(max(record["min_spacing_ppm"], record["fee_floor_ppm"])) / PPM
    return derived
