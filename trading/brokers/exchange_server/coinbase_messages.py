"""What the Coinbase dialect says: pure functions from the exchange's records to products, orders, fills and events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.records import (
    AssetBalance,
    BookChanged,
    DayTicker,
    Depth,
    Execution,
    Kline,
    Level,
    MarketTrade,
    OrderSnapshot,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)

JsonObject: TypeAlias = dict[str, object]
"""A message before it becomes text."""

GRANULARITIES: Mapping[str, str] = {
    "ONE_MINUTE": "1m",
    "FIVE_MINUTE": "5m",
    "FIFTEEN_MINUTE": "15m",
    "THIRTY_MINUTE": "30m",
    "ONE_HOUR": "1h",
    "TWO_HOUR": "2h",
    "FOUR_HOUR": "4h",
    "SIX_HOUR": "6h",
    "ONE_DAY": "1d",
}
"""Coinbase's names of candle lengths, and ours."""

STATUSES: Mapping[OrderStatus, str] = {
    OrderStatus.NEW: "OPEN",
    OrderStatus.PARTIALLY_FILLED: "OPEN",
    OrderStatus.FILLED: "FILLED",
    OrderStatus.CANCELED: "CANCELLED",
    OrderStatus.EXPIRED: "CANCELLED",
    OrderStatus.EXPIRED_IN_MATCH: "CANCELLED",
}
"""Coinbase's names of order states; what an IOC or market order leaves over is cancelled there, not expired."""

_TIMES_IN_FORCE = {
    TimeInForce.GTC: "GOOD_UNTIL_CANCELLED",
    TimeInForce.IOC: "IMMEDIATE_OR_CANCEL",
    TimeInForce.FOK: "FILL_OR_KILL",
}
_NAMESPACE = uuid.UUID("6f3b2a53-7c55-4f0c-9c64-0a1f5f4f9d10")
# What all order ids begin with: the name space, and the bits that make them UUIDs of the usual kind.
_ORDER_PREFIX = _NAMESPACE.int >> 64 << 4 | 0x8
_FIAT = frozenset({"USD", "EUR", "GBP", "CAD", "CHF", "AUD", "JPY", "BRL"})
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class FeeTotals:
    """What all executions of one order have cost.

    Parameters
    ----------
    fees : Decimal
        Quote currency.
    count : int
        Number of executions.
    """

    fees: Decimal = Decimal(0)
    count: int = 0


def amount_text(value: Decimal) -> str:
    """Return an amount as Coinbase writes it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def time_text(time_ms: int) -> str:
    """Return a time in RFC 3339 with microseconds, as ``2023-01-18T01:37:38.091000Z``."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}000Z"


def time_of(text: str) -> int:
    """Return the milliseconds of an RFC 3339 time.

    Raises
    ------
    ValueError
        When it is none.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} names no time zone")
    return round(moment.timestamp() * 1000)


def order_uuid(order_id: int) -> str:
    """Return the UUID by which Coinbase's clients know an order."""
    return str(uuid.UUID(int=_ORDER_PREFIX << 60 | order_id))


def order_id_of(text: str) -> int | None:
    """Return the exchange's own id of an order's UUID; None where this exchange never gave it."""
    try:
        value = uuid.UUID(text).int
    except ValueError:
        return None
    return value & ((1 << 60) - 1) if value >> 60 == _ORDER_PREFIX else None


def derived_uuid(*parts: object) -> str:
    """Return the UUID that belongs to some words: the same ones always give the same."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))


def product(rules: MarketRules, ticker: DayTicker, *, tradable: bool) -> JsonObject:
    """Return a product as ``GET /products`` tells it.

    Parameters
    ----------
    rules : MarketRules
        The market's filters.
    ticker : DayTicker
        Its last 24 hours.
    tradable : bool
        Whether orders are taken.
    """
    change = (ticker.last - ticker.open) / ticker.open * 100 if ticker.open else Decimal(0)
    return {
        "product_id": rules.product_id,
        "price": amount_text(ticker.last),
        "price_percentage_change_24h": f"{change:.8f}",
        "volume_24h": amount_text(ticker.volume),
        "volume_percentage_change_24h": "0",
        "base_increment": amount_text(rules.lot_size),
        "quote_increment": amount_text(rules.tick_size),
        "quote_min_size": amount_text(rules.min_notional),
        "quote_max_size": "150000000",
        "base_min_size": amount_text(rules.min_quantity),
        "base_max_size": amount_text(rules.max_quantity),
        "base_name": rules.base,
        "quote_name": rules.quote,
        "watched": False,
        "is_disabled": not tradable,
        "new": False,
        "status": "online" if tradable else "delisted",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": not tradable,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": rules.quote,
        "base_currency_id": rules.base,
        "fcm_trading_session_details": None,
        "mid_market_price": "",
        "alias": "",
        "alias_to": [],
        "base_display_symbol": rules.base,
        "quote_display_symbol": rules.quote,
        "view_only": False,
        "price_increment": amount_text(rules.tick_size),
        "display_name": rules.product_id,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": amount_text(ticker.quote_volume),
    }


def candle(kline: Kline) -> JsonObject:
    """Return a candle; its start is in seconds."""
    return {
        "start": str(kline.open_ms // 1000),
        "low": amount_text(kline.low),
        "high": amount_text(kline.high),
        "open": amount_text(kline.open),
        "close": amount_text(kline.close),
        "volume": amount_text(kline.volume),
    }


def market_trade(trade: MarketTrade, product_id: str) -> JsonObject:
    """Return a public trade; ``side`` is the maker's, as Coinbase tells it."""
    return {
        "trade_id": str(trade.trade_id),
        "product_id": product_id,
        "price": amount_text(trade.price),
        "size": amount_text(trade.quantity),
        "time": time_text(trade.time_ms),
        "side": str(Side.BUY if trade.buyer_is_maker else Side.SELL),
    }


def price_book(depth: Depth, product_id: str, time_ms: int) -> JsonObject:
    """Return a book as ``GET /product_book`` tells it."""
    return {
        "product_id": product_id,
        "bids": _book_side(depth.bids),
        "asks": _book_side(depth.asks),
        "time": time_text(time_ms),
    }


def order_configuration(order: OrderSnapshot) -> JsonObject:
    """Return an order's configuration in the form in which it could have been sent."""
    if order.type is OrderType.MARKET:
        if order.quote_quantity is not None:
            return {"market_market_ioc": {"quote_size": amount_text(order.quote_quantity)}}
        return {"market_market_ioc": {"base_size": amount_text(order.quantity)}}
    sizes: JsonObject = {
        "base_size": amount_text(order.quantity),
        "limit_price": amount_text(order.price or Decimal(0)),
    }
    if order.type is OrderType.LIMIT_MAKER or order.time_in_force is TimeInForce.GTC:
        return {"limit_limit_gtc": {**sizes, "post_only": order.type is OrderType.LIMIT_MAKER}}
    return {"sor_limit_ioc" if order.time_in_force is TimeInForce.IOC else "limit_limit_fok": sizes}


def order(snapshot: OrderSnapshot, product_id: str, totals: FeeTotals) -> JsonObject:
    """Return an order as ``GET /orders/historical`` tells it.

    Parameters
    ----------
    snapshot : OrderSnapshot
        The order.
    product_id : str
        Such as ``BTC-USD``.
    totals : FeeTotals
        Of its executions.
    """
    average = snapshot.quote_filled / snapshot.filled if snapshot.filled else Decimal(0)
    sign = 1 if snapshot.side is Side.BUY else -1
    return {
        "order_id": order_uuid(snapshot.order_id),
        "product_id": product_id,
        "user_id": derived_uuid("user", snapshot.account),
        "order_configuration": order_configuration(snapshot),
        "side": str(snapshot.side),
        "client_order_id": snapshot.client_id,
        "status": STATUSES[snapshot.status],
        "time_in_force": _time_in_force(snapshot),
        "created_time": time_text(snapshot.created_ms),
        "completion_percentage": _completion(snapshot),
        "filled_size": amount_text(snapshot.filled),
        "average_filled_price": amount_text(average),
        "fee": "",
        "number_of_fills": str(totals.count),
        "filled_value": amount_text(snapshot.quote_filled),
        "pending_cancel": False,
        "size_in_quote": snapshot.quote_quantity is not None,
        "total_fees": amount_text(totals.fees),
        "size_inclusive_of_fees": False,
        "total_value_after_fees": amount_text(snapshot.quote_filled + sign * totals.fees),
        "trigger_status": "INVALID_ORDER_TYPE",
        "order_type": "MARKET" if snapshot.type is OrderType.MARKET else "LIMIT",
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not snapshot.is_open and snapshot.filled > 0,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "User requested cancel" if snapshot.status is OrderStatus.CANCELED else "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": amount_text(_held(snapshot)),
        "last_fill_time": time_text(snapshot.updated_ms) if snapshot.filled else None,
    }


def fill(execution: Execution, product_id: str) -> JsonObject:
    """Return a fill as ``GET /orders/historical/fills`` tells it; its commission must be in quote currency."""
    trade = derived_uuid("trade", execution.symbol, execution.trade_id, execution.order_id)
    return {
        "entry_id": derived_uuid("entry", execution.symbol, execution.trade_id, execution.order_id),
        "trade_id": trade,
        "order_id": order_uuid(execution.order_id),
        "trade_time": time_text(execution.time_ms),
        "trade_type": "FILL",
        "price": amount_text(execution.price),
        "size": amount_text(execution.quantity),
        "commission": amount_text(execution.fee),
        "product_id": product_id,
        "sequence_timestamp": time_text(execution.time_ms),
        "liquidity_indicator": "MAKER" if execution.is_maker else "TAKER",
        "size_in_quote": False,
        "user_id": derived_uuid("user", execution.account),
        "side": str(execution.side),
        "retail_portfolio_id": derived_uuid("portfolio", execution.account),
    }


def account(balance: AssetBalance, owner: str, opened_ms: int) -> JsonObject:
    """Return one asset's wallet as ``GET /accounts`` tells it.

    Parameters
    ----------
    balance : AssetBalance
        What is in it.
    owner : str
        The account's name at the exchange.
    opened_ms : int
        When it was opened.
    """
    return {
        "uuid": derived_uuid("account", owner, balance.asset),
        "name": f"{balance.asset} Wallet",
        "currency": balance.asset,
        "available_balance": {"value": amount_text(balance.free), "currency": balance.asset},
        "default": True,
        "active": True,
        "created_at": time_text(opened_ms),
        "updated_at": time_text(opened_ms),
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if balance.asset in _FIAT else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": amount_text(balance.locked), "currency": balance.asset},
        "retail_portfolio_id": derived_uuid("portfolio", owner),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def wallet(balance: AssetBalance, owner: str, opened_ms: int) -> JsonObject:
    """Return one asset's wallet as the older ``GET /v2/accounts`` tells it, by which ccxt reads balances."""
    fiat = balance.asset in _FIAT
    identity = derived_uuid("account", owner, balance.asset)
    return {
        "id": identity,
        "name": f"{balance.asset} Wallet",
        "primary": False,
        "type": "fiat" if fiat else "wallet",
        "currency": {"code": balance.asset, "name": balance.asset, "type": "fiat" if fiat else "crypto"},
        "balance": {"amount": amount_text(balance.free + balance.locked), "currency": balance.asset},
        "created_at": time_text(opened_ms),
        "updated_at": time_text(opened_ms),
        "resource": "account",
        "resource_path": f"/v2/accounts/{identity}",
        "allow_deposits": True,
        "allow_withdrawals": True,
    }


def stream_order(snapshot: OrderSnapshot, product_id: str, totals: FeeTotals) -> JsonObject:
    """Return an order as the ``user`` channel tells it.

    Parameters
    ----------
    snapshot : OrderSnapshot
        The order.
    product_id : str
        Such as ``BTC-USD``.
    totals : FeeTotals
        Of its executions.
    """
    told = order(snapshot, product_id, totals)
    return {
        "avg_price": told["average_filled_price"],
        "cancel_reason": told["cancel_message"],
        "client_order_id": told["client_order_id"],
        "completion_percentage": told["completion_percentage"],
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "cumulative_quantity": told["filled_size"],
        "filled_value": told["filled_value"],
        "leaves_quantity": amount_text(snapshot.remaining if snapshot.is_open else Decimal(0)),
        "limit_price": amount_text(snapshot.price or Decimal(0)),
        "number_of_fills": told["number_of_fills"],
        "order_id": told["order_id"],
        "order_side": told["side"],
        "order_type": "Market" if snapshot.type is OrderType.MARKET else "Limit",
        "outstanding_hold_amount": told["outstanding_hold_amount"],
        "post_only": "true" if snapshot.type is OrderType.LIMIT_MAKER else "false",
        "product_id": product_id,
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": derived_uuid("portfolio", snapshot.account),
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "status": told["status"],
        "stop_price": "",
        "time_in_force": told["time_in_force"],
        "total_fees": told["total_fees"],
        "total_value_after_fees": told["total_value_after_fees"],
        "trigger_status": "INVALID_ORDER_TYPE",
        "creation_time": told["created_time"],
        "end_time": _NEVER,
        "start_time": _NEVER,
    }


def stream_ticker(rules: MarketRules, ticker: DayTicker, event: BookChanged | None) -> JsonObject:
    """Return a ticker as the ``ticker`` channel tells it; ``ticker_batch`` leaves the book out.

    Parameters
    ----------
    rules : MarketRules
        The market.
    ticker : DayTicker
        Its last 24 hours.
    event : BookChanged or None
        Tells the top of the book; None leaves it out.
    """
    change = (ticker.last - ticker.open) / ticker.open * 100 if ticker.open else Decimal(0)
    told: JsonObject = {
        "type": "ticker",
        "product_id": rules.product_id,
        "price": amount_text(ticker.last),
        "volume_24_h": amount_text(ticker.volume),
        "low_24_h": amount_text(ticker.low),
        "high_24_h": amount_text(ticker.high),
        "low_52_w": amount_text(ticker.low),
        "high_52_w": amount_text(ticker.high),
        "price_percent_chg_24_h": f"{change:.8f}",
    }
    if event is not None:
        for name, best in (("best_bid", event.best_bid), ("best_ask", event.best_ask)):
            told[name] = amount_text(best.price) if best else "0"
            told[f"{name}_quantity"] = amount_text(best.quantity) if best else "0"
    return told


def level2_snapshot(depth: Depth, product_id: str, time_ms: int) -> JsonObject:
    """Return the first event of a ``level2`` subscription: the whole book."""
    return _level2("snapshot", product_id, depth.bids, depth.asks, time_ms)


def level2_update(event: BookChanged, product_id: str) -> JsonObject:
    """Return a change of the book; quantity 0 takes a level away."""
    return _level2("update", product_id, event.bids, event.asks, event.time_ms)


def _level2(kind: str, product_id: str, bids: Sequence[Level], asks: Sequence[Level], time_ms: int) -> JsonObject:
    updates = [
        {
            "side": side,
            "event_time": time_text(time_ms),
            "price_level": amount_text(level.price),
            "new_quantity": amount_text(level.quantity),
        }
        for side, levels in (("bid", bids), ("offer", asks))
        for level in levels
    ]
    return {"type": kind, "product_id": product_id, "updates": updates}


def _book_side(levels: Sequence[Level]) -> list[dict[str, str]]:
    return [{"price": amount_text(level.price), "size": amount_text(level.quantity)} for level in levels]


def _time_in_force(order: OrderSnapshot) -> str:
    in_force = TimeInForce.IOC if order.type is OrderType.MARKET else order.time_in_force
    return _TIMES_IN_FORCE[in_force]


def _completion(order: OrderSnapshot) -> str:
    if order.status is OrderStatus.FILLED:
        return "100"
    return f"{order.filled / order.quantity * 100:.2f}" if order.quantity else "0"


def _held(order: OrderSnapshot) -> Decimal:
    if not order.is_open:
        return Decimal(0)
    return order.remaining * (order.price or Decimal(0)) if order.side is Side.BUY else order.remaining
