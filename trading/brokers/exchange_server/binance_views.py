"""The exchange's records as Binance's JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from trading.brokers.exchange_server.config import LimitConfig
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.order_desk import Fees
from trading.brokers.exchange_server.records import (
    AssetBalance,
    DayTicker,
    Depth,
    Execution,
    Kline,
    Level,
    MarketTrade,
    OrderSnapshot,
    PlacedOrder,
    Transfer,
)
from trading.market.times import iso

Json: TypeAlias = "dict[str, object]"

_LEAST_DECIMALS = 8

NOTHING = "0.00000000"


def amount(value: Decimal | None) -> str:
    """Return an amount as Binance writes it: eight decimals, more where a market needs them; None is nothing."""
    if value is None:
        return NOTHING
    decimals = max(_LEAST_DECIMALS, -int(value.normalize().as_tuple().exponent))
    return f"{value:.{decimals}f}"


def symbol_json(rules: MarketRules, *, trading: bool) -> Json:
    """Return a symbol of exchangeInfo."""
    return {
        "symbol": rules.id,
        "status": "TRADING" if trading else "BREAK",
        "baseAsset": rules.base,
        "baseAssetPrecision": rules.base_decimals,
        "quoteAsset": rules.quote,
        "quotePrecision": rules.quote_decimals,
        "quoteAssetPrecision": rules.quote_decimals,
        "baseCommissionPrecision": rules.base_decimals,
        "quoteCommissionPrecision": rules.quote_decimals,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(rules),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def _filters(rules: MarketRules) -> list[Json]:
    lot = amount(rules.lot_size)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": amount(rules.min_price),
            "maxPrice": amount(rules.max_price),
            "tickSize": amount(rules.tick_size),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": amount(rules.min_quantity),
            "maxQty": amount(rules.max_quantity),
            "stepSize": lot,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": NOTHING,
            "maxQty": amount(rules.max_market_quantity),
            "stepSize": NOTHING,
        },
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": str(rules.price_up),
            "multiplierDown": str(rules.price_down),
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": amount(rules.min_notional),
            "applyMinToMarket": True,
            "maxNotional": "9000000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": rules.max_orders},
    ]


def rate_limits_json(limits: LimitConfig) -> list[Json]:
    """Return the rate limits of exchangeInfo."""
    rows = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        ("ORDERS", "SECOND", 10, limits.orders_per_10_seconds),
        ("ORDERS", "DAY", 1, limits.orders_per_day),
        ("RAW_REQUESTS", "MINUTE", 5, limits.raw_requests_per_5_minutes),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in rows
    ]


def kline_json(kline: Kline) -> list[object]:
    """Return a kline's twelve columns."""
    return [
        kline.open_ms,
        amount(kline.open),
        amount(kline.high),
        amount(kline.low),
        amount(kline.close),
        amount(kline.volume),
        kline.close_ms,
        amount(kline.quote_volume),
        kline.trades,
        amount(kline.taker_volume),
        amount(kline.taker_quote_volume),
        "0",
    ]


def _levels(levels: Iterable[Level]) -> list[list[str]]:
    return [[amount(level.price), amount(level.quantity)] for level in levels]


def depth_json(depth: Depth) -> Json:
    """Return a snapshot of the book."""
    return {"lastUpdateId": depth.update_id, "bids": _levels(depth.bids), "asks": _levels(depth.asks)}


def book_ticker_json(market_id: str, depth: Depth) -> Json:
    """Return the top of a book."""
    bid, ask = (half[0] if half else Level(Decimal(0), Decimal(0)) for half in (depth.bids, depth.asks))
    return {
        "symbol": market_id,
        "bidPrice": amount(bid.price),
        "bidQty": amount(bid.quantity),
        "askPrice": amount(ask.price),
        "askQty": amount(ask.quantity),
    }


def day_ticker_json(market_id: str, ticker: DayTicker, depth: Depth) -> Json:
    """Return the 24 hour ticker."""
    top = book_ticker_json(market_id, depth)
    change = ticker.last - ticker.open
    average = ticker.quote_volume / ticker.volume if ticker.volume else Decimal(0)
    return {
        "symbol": market_id,
        "priceChange": amount(change),
        "priceChangePercent": f"{change / ticker.open * 100:.3f}",
        "weightedAvgPrice": f"{average:.8f}",
        "prevClosePrice": amount(ticker.previous_close),
        "lastPrice": amount(ticker.last),
        "lastQty": amount(ticker.last_quantity),
        **{name: top[name] for name in ("bidPrice", "bidQty", "askPrice", "askQty")},
        "openPrice": amount(ticker.open),
        "highPrice": amount(ticker.high),
        "lowPrice": amount(ticker.low),
        "volume": amount(ticker.volume),
        "quoteVolume": amount(ticker.quote_volume),
        "openTime": ticker.open_ms,
        "closeTime": ticker.close_ms,
        "firstId": ticker.first_trade_id,
        "lastId": ticker.last_trade_id,
        "count": ticker.trades,
    }


def trade_json(trade: MarketTrade) -> Json:
    """Return a public trade."""
    return {
        "id": trade.trade_id,
        "price": amount(trade.price),
        "qty": amount(trade.quantity),
        "quoteQty": amount(trade.quote_quantity),
        "time": trade.time_ms,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate_trade_json(trade: MarketTrade) -> Json:
    """Return a public trade as an aggregate of one."""
    return {
        "a": trade.trade_id,
        "p": amount(trade.price),
        "q": amount(trade.quantity),
        "f": trade.trade_id,
        "l": trade.trade_id,
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def _order_fields(order: OrderSnapshot, market_id: str, client_id: str) -> Json:
    return {
        "symbol": market_id,
        "orderId": order.order_id,
        "orderListId": -1,
        "clientOrderId": client_id,
        "price": amount(order.price),
        "origQty": amount(order.quantity),
        "executedQty": amount(order.filled),
        "origQuoteOrderQty": amount(order.quote_quantity),
        "cummulativeQuoteQty": amount(order.quote_filled),
        "status": order.status.value,
        "timeInForce": order.time_in_force.value,
        "type": order.type.value,
        "side": order.side.value,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def order_json(order: OrderSnapshot, market_id: str) -> Json:
    """Return an order as queries tell it."""
    return _order_fields(order, market_id, order.client_id) | {
        "stopPrice": NOTHING,
        "icebergQty": NOTHING,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.created_ms,
    }


def cancelled_json(order: OrderSnapshot, market_id: str, cancel_client_id: str) -> Json:
    """Return the answer to a cancel; its client id is the cancel's own."""
    fields = _order_fields(order, market_id, cancel_client_id)
    return fields | {"origClientOrderId": order.client_id, "transactTime": order.updated_ms}


def placed_json(placed: PlacedOrder, market_id: str, detail: str) -> Json:
    """Return the answer to a new order, in one of Binance's three lengths.

    Parameters
    ----------
    placed : PlacedOrder
        The order and what filled at once.
    market_id : str
        Such as ``BTCUSDT``.
    detail : str
        ``"ACK"``, ``"RESULT"`` or ``"FULL"``.
    """
    order = placed.order
    fields = _order_fields(order, market_id, order.client_id) | {
        "transactTime": order.created_ms,
        "workingTime": order.created_ms,
    }
    if detail == "ACK":
        return {name: fields[name] for name in ("symbol", "orderId", "orderListId", "clientOrderId", "transactTime")}
    if detail == "FULL":
        fields["fills"] = [
            {
                "price": amount(one.price),
                "qty": amount(one.quantity),
                "commission": amount(one.fee),
                "commissionAsset": one.fee_asset,
                "tradeId": one.trade_id,
            }
            for one in placed.executions
        ]
    return fields


def execution_json(one: Execution, market_id: str) -> Json:
    """Return a trade of an account."""
    return {
        "symbol": market_id,
        "id": one.trade_id,
        "orderId": one.order_id,
        "orderListId": -1,
        "price": amount(one.price),
        "qty": amount(one.quantity),
        "quoteQty": amount(one.quote_quantity),
        "commission": amount(one.fee),
        "commissionAsset": one.fee_asset,
        "time": one.time_ms,
        "isBuyer": one.side.value == "BUY",
        "isMaker": one.is_maker,
        "isBestMatch": True,
    }


def account_json(
    balances: Sequence[AssetBalance], fees: Fees, time_ms: int, *, can_withdraw: bool, omit_zero: bool
) -> Json:
    """Return an account."""
    maker, taker = (amount(Decimal(ppm) / 1_000_000) for ppm in (fees.maker_ppm, fees.taker_ppm))
    return {
        "makerCommission": fees.maker_ppm // 100,
        "takerCommission": fees.taker_ppm // 100,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": maker, "taker": taker, "buyer": NOTHING, "seller": NOTHING},
        "canTrade": True,
        "canWithdraw": can_withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": time_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": one.asset, "free": amount(one.free), "locked": amount(one.locked)}
            for one in balances
            if not omit_zero or one.free or one.locked
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def commission_json(market_id: str, fees: Fees) -> Json:
    """Return the fees of a symbol."""
    none = {"maker": NOTHING, "taker": NOTHING, "buyer": NOTHING, "seller": NOTHING}
    maker, taker = (amount(Decimal(ppm) / 1_000_000) for ppm in (fees.maker_ppm, fees.taker_ppm))
    return {
        "symbol": market_id,
        "standardCommission": none | {"maker": maker, "taker": taker},
        "specialCommission": none,
        "taxCommission": none,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": NOTHING,
        },
    }


def trade_fee_json(market_id: str, fees: Fees) -> Json:
    """Return the fees of a symbol as the wallet's endpoint tells them."""
    maker, taker = (str(Decimal(ppm) / 1_000_000) for ppm in (fees.maker_ppm, fees.taker_ppm))
    return {"symbol": market_id, "makerCommission": maker, "takerCommission": taker}


def transfer_json(transfer: Transfer) -> Json:
    """Return a deposit or a withdrawal."""
    text = f"exchange-transfer-{transfer.transfer_id}"
    fields: Json = {
        "id": text,
        "amount": str(abs(transfer.amount)),
        "coin": transfer.asset,
        "network": transfer.asset,
        "address": "loopback",
        "addressTag": "",
        "txId": text,
        "transferType": 1,
    }
    if transfer.amount >= 0:
        return fields | {"status": 1, "insertTime": transfer.time_ms, "confirmTimes": "1/1", "unlockConfirm": 0}
    times = {"applyTime": _utc(transfer.time_ms), "completeTime": _utc(transfer.time_ms)}
    return fields | times | {"status": 6, "transactionFee": "0", "confirmNo": 1, "info": ""}


def restrictions_json(*, can_withdraw: bool, time_ms: int) -> Mapping[str, object]:
    """Return what a key may do."""
    return {
        "ipRestrict": False,
        "createTime": time_ms,
        "enableReading": True,
        "enableWithdrawals": can_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableSpotAndMarginTrading": True,
    }


def _utc(time_ms: int) -> str:
    return iso(time_ms - time_ms % 1_000).replace("T", " ").removesuffix("Z")
