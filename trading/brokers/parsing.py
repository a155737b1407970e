"""From ccxt's unified structures to ours: exact, and an answer that does not fit is unusable, never guessed at."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar

from trading.brokers.codecs import ClientIdCodec
from trading.exchange.calls import AnswerUnusable
from trading.orders.states import OrderState
from trading.orders.venue import Balance, VenueFill, VenueOrder

T = TypeVar("T")
Raw = Mapping[str, object]
"""One of ccxt's unified structures, or a part of one."""

_log = logging.getLogger(__name__)

_SIDES: Final = {"buy": 1, "sell": -1}
_ENDED: Final = {
    "canceled": OrderState.CANCELLED,
    "cancelled": OrderState.CANCELLED,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}
# coinbase tells of its queues in capitals
_OPEN: Final = {"open", "canceling", "pending", "queued", "cancel_queued", "edit_queued"}
_LAST_MS = 2**53
_WORD = re.compile(r"[^\s\[\]{}()'\"\x00-\x1f]{1,256}")
# Wider than any market's; what is beyond is nonsense, and could take for ever to compute with.
_LARGEST, _MOST_DECIMALS = 40, 40
_NOT_ASSETS = {"info", "free", "used", "total", "debt", "timestamp", "datetime"}


def mapping(value: object, what: str) -> Raw:
    """Return a value that must be a mapping with text for names.

    Raises
    ------
    AnswerUnusable
        When it is none.
    """
    if not isinstance(value, Mapping):
        raise AnswerUnusable(f"{what} is no record but {type(value).__name__}; nothing is taken from it")
    return value


def sequence(value: object, what: str) -> Sequence[object]:
    """Return a value that must be a list.

    Raises
    ------
    AnswerUnusable
        When it is none.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise AnswerUnusable(f"{what} is no list but {type(value).__name__}; nothing is taken from it")
    return value


def text(raw: Raw, name: str) -> str:
    """Return a field that must be one word of text, or a whole number.

    Raises
    ------
    AnswerUnusable
        When it is missing or something else.
    """
    value = raw.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    # ccxt makes text of whatever it finds, records and lists too
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise _unfit(name, value)
    return value


def decimal(raw: Raw, name: str) -> Decimal:
    """Return a field that must be a number, exactly as it is written.

    Raises
    ------
    AnswerUnusable
        When it is missing, not finite or something else.
    """
    value = raw.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise _unfit(name, value)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise _unfit(name, value) from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_MOST_DECIMALS or number.adjusted() > _LARGEST:
        raise _unfit(name, value)
    return number


def time_ms(raw: Raw, name: str = "timestamp") -> int:
    """Return a field that must be a time in milliseconds UTC.

    Raises
    ------
    AnswerUnusable
        When it is missing or something else.
    """
    number = decimal(raw, name)
    if number != number.to_integral_value() or not 0 < number < _LAST_MS:
        raise _unfit(name, raw.get(name))
    return int(number)


def parse_order(value: object, symbol: str, codec: ClientIdCodec) -> VenueOrder:
    """Return an order.

    Parameters
    ----------
    value : object
        ccxt's order structure.
    symbol : str
        The market that was asked about.
    codec : ClientIdCodec
        Reads our ids.

    Raises
    ------
    AnswerUnusable
        When any part of it is missing or impossible.
    """
    raw = mapping(value, "the order")
    _check_symbol(raw, symbol)
    quantity, filled = decimal(raw, "amount"), decimal(raw, "filled")
    if quantity <= 0 or not 0 <= filled <= quantity:
        raise AnswerUnusable(f"an order has {filled} of {quantity} filled, which cannot be; it is asked for again")
    return VenueOrder(
        client_id=own_id(raw, codec),
        exchange_id=text(raw, "id"),
        symbol=symbol,
        side=_side(raw),
        state=_state(raw, quantity, filled),
        quantity=quantity,
        filled=filled,
        price=_price(raw),
        time_ms=time_ms(raw),
    )


def parse_fill(value: object, symbol: str, codec: ClientIdCodec) -> VenueFill:
    """Return a trade of one of the account's orders.

    Parameters
    ----------
    value : object
        ccxt's trade structure.
    symbol, codec
        As in `parse_order`.

    Raises
    ------
    AnswerUnusable
        When any part of it is missing or impossible.
    """
    raw = mapping(value, "the trade")
    _check_symbol(raw, symbol)
    price, quantity = decimal(raw, "price"), decimal(raw, "amount")
    if price <= 0 or quantity <= 0:
        raise AnswerUnusable(f"a trade of {quantity} at {price} cannot be; it is asked for again")
    fee = mapping(raw.get("fee"), "the fee of a trade")
    info = raw.get("info")
    return VenueFill(
        trade_id=text(raw, "id"),
        exchange_id=text(raw, "order"),
        # binance's stream tells our id with the trade as "c"
        client_id=own_id(raw, codec) or (own_id(info, codec, "c") if isinstance(info, Mapping) else None),
        symbol=symbol,
        side=_side(raw),
        price=price,
        quantity=quantity,
        fee=decimal(fee, "cost"),
        fee_asset=text(fee, "currency"),
        time_ms=time_ms(raw),
        is_maker=raw.get("takerOrMaker") == "maker",
    )


def parse_balances(value: object) -> dict[str, Balance]:
    """Return an account's assets.

    Parameters
    ----------
    value : object
        ccxt's balance structure: a record of free, used and total by asset.

    Raises
    ------
    AnswerUnusable
        When any part of it is missing, negative or not a number.
    """
    raw = mapping(value, "the account")
    balances = {}
    for asset, entry in raw.items():
        if asset not in _NOT_ASSETS and isinstance(asset, str):
            balances[asset] = _balance(asset, mapping(entry, f"the balance of {asset}"))
    return balances


def balance(asset: str, free: Decimal, locked: Decimal) -> Balance:
    """Return one asset's balance.

    Raises
    ------
    AnswerUnusable
        When a part of it is negative.
    """
    if min(free, locked) < 0:
        raise AnswerUnusable(f"the balance of {asset} is below zero, which spot cannot be; it is not used")
    return Balance(free=free, locked=locked)


def parse_listing(values: Iterable[object], what: str, codec: ClientIdCodec, parse: Callable[[object], T]) -> list[T]:
    """Return what can be read of a listing; only what is plainly of other software may be left out.

    Parameters
    ----------
    values : iterable of object
        ccxt's structures.
    what : str
        What is listed, for the log.
    codec : ClientIdCodec
        Tells ours from others.
    parse : callable
        Reads one.

    Raises
    ------
    AnswerUnusable
        When one of them cannot be read and may be ours.
    """
    parsed = []
    for value in values:
        try:
            parsed.append(parse(value))
        except AnswerUnusable:
            theirs = value.get("clientOrderId") if isinstance(value, Mapping) else None
            if not isinstance(theirs, str) or not theirs or codec.decode(theirs) is not None:
                raise
            _log.info("foreign_%s_left_out client_id=%s", what, theirs[:36])
    return parsed


def own_id(raw: Raw, codec: ClientIdCodec, name: str = "clientOrderId") -> str | None:
    """Return our id that a structure carries; None when it carries none, or somebody else's."""
    theirs = raw.get(name)
    return codec.decode(theirs) if isinstance(theirs, str) else None


def oldest_first(fills: Iterable[VenueFill]) -> list[VenueFill]:
    """Return trades by time, each once."""
    unique = {fill.trade_id: fill for fill in fills}
    return sorted(unique.values(), key=lambda fill: (fill.time_ms, _numeric_first(fill.trade_id)))


def _numeric_first(trade_id: str) -> tuple[int, str]:
    return (int(trade_id), "") if trade_id.isascii() and trade_id.isdigit() else (0, trade_id)


def _side(raw: Raw) -> int:
    side = raw.get("side")
    if not isinstance(side, str) or side not in _SIDES:
        raise _unfit("side", side)
    return _SIDES[side]


def _state(raw: Raw, quantity: Decimal, filled: Decimal) -> OrderState:
    told = raw.get("status")
    status = told.lower() if isinstance(told, str) else ""
    if status in _ENDED:
        return _ENDED[status]
    if status == "closed":
        # what a market or immediate order leaves over is cancelled
        return OrderState.FILLED if filled == quantity else OrderState.CANCELLED
    if status not in _OPEN:
        raise _unfit("status", told)
    if filled == quantity:
        return OrderState.FILLED
    return OrderState.PARTIAL if filled else OrderState.SUBMITTED


def _price(raw: Raw) -> Decimal | None:
    if raw.get("type") == "market" or raw.get("price") is None:
        return None
    price = decimal(raw, "price")
    if price < 0:
        raise _unfit("price", price)
    return price or None


def _check_symbol(raw: Raw, symbol: str) -> None:
    if raw.get("symbol") != symbol:
        raise AnswerUnusable(f"an answer about {symbol} speaks of {str(raw.get('symbol'))[:40]!r}; it is not used")


def _balance(asset: str, entry: Raw) -> Balance:
    parts = {name: decimal(entry, name) for name in ("free", "used", "total") if entry.get(name) is not None}
    if "free" not in parts and {"used", "total"} <= parts.keys():
        parts["free"] = parts["total"] - parts["used"]
    if "used" not in parts and {"free", "total"} <= parts.keys():
        parts["used"] = parts["total"] - parts["free"]
    if not {"free", "used"} <= parts.keys():
        raise AnswerUnusable(f"the balance of {asset} does not tell what is free and what is locked; it is not used")
    return balance(asset, parts["free"], parts["used"])


def _unfit(name: str, value: object) -> AnswerUnusable:
    shown = repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    return AnswerUnusable(f"the answer's {name} cannot be {shown[:60]}; it is not used")
