"""Market rules where a user pins none: a table of common symbols, else an estimate from the warm-up candles."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from trading.errors import DataError
from trading.market.candles import PRICE_COLUMNS, Candles
from trading.market.names import USD_LIKE, base_of, quote_of
from trading.market.rules import Market
from trading.settings import MarketSettings

DEFAULT_FEE = Decimal("0.001")
_STABLE_DOLLARS = ("USDT", "USDC", "FDUSD", "USD")
# Tick and lot of Binance spot against dollars; they change now and then, so a tick is checked against the candles.
_TICK_AND_LOT = {
    "BTC": ("0.01", "0.00001"),
    "ETH": ("0.01", "0.0001"),
    "BNB": ("0.01", "0.001"),
    "SOL": ("0.01", "0.001"),
    "XRP": ("0.0001", "0.1"),
    "ADA": ("0.0001", "0.1"),
    "DOGE": ("0.00001", "1"),
    "LTC": ("0.01", "0.001"),
    "BCH": ("0.1", "0.001"),
    "LINK": ("0.01", "0.01"),
    "AVAX": ("0.01", "0.01"),
    "DOT": ("0.001", "0.01"),
    "ATOM": ("0.001", "0.01"),
    "UNI": ("0.001", "0.01"),
    "NEAR": ("0.001", "0.1"),
    "ETC": ("0.01", "0.01"),
    "TRX": ("0.0001", "0.1"),
    "XLM": ("0.0001", "1"),
    "SHIB": ("0.00000001", "1"),
}
_DOLLAR_NOTIONAL = Decimal(5)
_NOTIONAL = {
    "BTC": Decimal("0.0001"),
    "ETH": Decimal("0.001"),
    "BNB": Decimal("0.01"),
    "EUR": Decimal(5),
    "GBP": Decimal(5),
    "AUD": Decimal(10),
    "CAD": Decimal(10),
    "CHF": Decimal(5),
    "BRL": Decimal(25),
    "TRY": Decimal(200),
    "JPY": Decimal(750),
    "KRW": Decimal(7_500),
} | dict.fromkeys(USD_LIKE, _DOLLAR_NOTIONAL)

# A small order is taken to be 100 times the least one, and one lot at most 0.01% of it.
_LOT_SHARE_OF_NOTIONAL = 0.01
# One lot at one tick is at least this much money, so that a few hundred thousand of the quote still count exactly.
_LEAST_STEP = Decimal("1E-10")
_CHEAP_EXPONENT = 5
_FINEST_TICK = 12
# A tick finer than this share of the price is float noise, not a rule of a market.
_COARSEST_SHARE = 1e-3
_NOISE_SHARE = 1e-7
_OFF_TICK_SHARE = 0.001
_PINNABLE = ("tick_size", "lot_size", "min_notional", "maker_fee", "taker_fee", "fee_in_base")


@dataclass(frozen=True, slots=True)
class _Rules:
    tick: Decimal
    lot: Decimal
    origin: str


def market_for(symbol: str, warmup: Candles, pinned: MarketSettings) -> Market:
    """Return a symbol's market rules: pinned ones, else the table's, else estimates from the warm-up candles.

    The table counts only when the warm-up prices are multiples of its tick. An estimated tick is the power of ten of
    the finest decimal among the warm-up prices; an estimated lot is the power of ten worth at most 0.01% of a small
    order; the least order value follows from the quote currency. Fees default to 0.1%.

    Parameters
    ----------
    symbol : str
        ``BASE/QUOTE``.
    warmup : Candles
        The first candles of the run; no later ones, or the rules would know the future.
    pinned : MarketSettings
        What the user sets.

    Returns
    -------
    Market
        Its ``source`` says which rule comes from where.

    Raises
    ------
    DataError
        When there are no warm-up candles and a rule must be estimated.
    """
    quote = quote_of(symbol)
    notional = _NOTIONAL.get(quote, _DOLLAR_NOTIONAL)
    rules = _rules(symbol, warmup, pinned, notional)
    pins = [name for name in _PINNABLE if getattr(pinned, name) is not None]
    assumed = [] if {"maker_fee", "taker_fee"} <= set(pins) else [f"default fee {float(DEFAULT_FEE) * 100:g}%"]
    if quote not in _NOTIONAL and pinned.min_notional is None:
        assumed.append(f"least order value {notional} assumed")
    pinned_names = [f"pinned: {', '.join(pins)}"] if pins else []
    return Market(
        symbol=symbol,
        tick_size=pinned.tick_size or rules.tick,
        lot_size=pinned.lot_size or rules.lot,
        min_notional=notional if pinned.min_notional is None else pinned.min_notional,
        maker_fee=_fee(pinned.maker_fee),
        taker_fee=_fee(pinned.taker_fee),
        fee_in_base=bool(pinned.fee_in_base),
        spread=Decimal(str(pinned.spread)),
        source="; ".join([rules.origin, *pinned_names, *assumed]),
    )


def _fee(share: float | None) -> Decimal:
    return DEFAULT_FEE if share is None else Decimal(str(share))


def _rules(symbol: str, warmup: Candles, pinned: MarketSettings, notional: Decimal) -> _Rules:
    if pinned.tick_size is not None and pinned.lot_size is not None:
        return _Rules(pinned.tick_size, pinned.lot_size, "as set")
    base, quote = base_of(symbol), quote_of(symbol)
    prices = np.concatenate([getattr(warmup, name) for name in PRICE_COLUMNS])
    if len(prices) == 0:
        raise DataError(
            f"{symbol}: no warm-up candles to take market rules from; set market.tick_size and market.lot_size"
        )
    if quote in _STABLE_DOLLARS and base in _TICK_AND_LOT:
        tick, lot = (Decimal(text) for text in _TICK_AND_LOT[base])
        if pinned.tick_size is not None or _on_grid(prices, tick):
            return _Rules(tick, lot, "tick and lot from the table of common symbols")
        reason = f"estimated from {len(warmup)} warm-up candles, whose prices do not fit the table's tick {tick}"
    else:
        reason = f"tick and lot estimated from {len(warmup)} warm-up candles"
    tick = pinned.tick_size or estimate_tick(prices)
    return _Rules(tick, _estimate_lot(prices, tick, notional), reason)


def _on_grid(prices: NDArray[np.float64], tick: Decimal) -> bool:
    counts = prices / float(tick)
    # A price that is a multiple misses a whole number only by rounding: a few units in the last place of the count.
    off = np.abs(counts - np.rint(counts)) > np.maximum(1e-6, counts * 1e-14)
    off |= np.rint(counts) < 1
    return bool(off.mean() <= _OFF_TICK_SHARE)


def estimate_tick(prices: NDArray[np.float64]) -> Decimal:
    """Return the power of ten of the finest decimal among prices, blind to float noise.

    Parameters
    ----------
    prices : ndarray of float64, shape (n,)
        Positive prices, quote currency.

    Returns
    -------
    Decimal
        A power of ten, at most 1, at most 1e-3 of the median price (round prices are no proof of a coarse tick) and
        at least 1e-12; when all prices are noisy, about 1e-7 of the median price.
    """
    median = np.median(prices)
    first, floor = (
        int(np.clip(-np.floor(np.log10(median * share)), 0, _FINEST_TICK)) for share in (_COARSEST_SHARE, _NOISE_SHARE)
    )
    decimals = next((count for count in range(first, floor) if _on_grid(prices, Decimal(1).scaleb(-count))), floor)
    return Decimal(1).scaleb(-decimals)


def _estimate_lot(prices: NDArray[np.float64], tick: Decimal, notional: Decimal) -> Decimal:
    value = float(notional) * _LOT_SHARE_OF_NOTIONAL
    exponent = int(np.floor(np.log10(value / np.median(prices))))
    # A lot of more than one unit is rare, but where a unit is worth next to nothing 64 bits cannot count them singly.
    lot = Decimal(1).scaleb(exponent if exponent >= _CHEAP_EXPONENT else min(0, exponent))
    least = int(np.ceil(np.log10(float(_LEAST_STEP / tick))))
    return max(lot, Decimal(1).scaleb(least))
