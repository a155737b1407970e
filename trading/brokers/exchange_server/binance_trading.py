"""Binance's signed endpoints for orders and the account."""

from __future__ import annotations

from trading.brokers.exchange_server import binance_views as views
from trading.brokers.exchange_server.binance_calls import Call, Endpoint, Security
from trading.brokers.exchange_server.parameters import Parameters, missing
from trading.brokers.exchange_server.records import (
    ExchangeRefusal,
    OrderRequest,
    OrderSnapshot,
    OrderType,
    PlacedOrder,
    ReplaceMode,
    Side,
    TimeInForce,
)

_MOST_ROWS = 1_000
_DAY_MS = 86_400_000
_DETAILS = ("ACK", "RESULT", "FULL")
_BAD_TYPE = (-1116, "Invalid orderType.")
_BAD_SIDE = (-1117, "Invalid side.")
_BAD_TIME_IN_FORCE = (-1115, "Invalid timeInForce.")
_BAD_MODE = (-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
_NOT_SPOKEN = ("STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class ReplaceFailed(ExchangeRefusal):
    """A cancel-replace of which at least one half failed; ``data`` goes into the answer."""

    def __init__(self, code: int, text: str, status: int, data: dict[str, object]) -> None:
        super().__init__(code, text)
        self.status = status
        self.data = data


def order_request(call: Call) -> OrderRequest:
    """Return the order that a call asks for.

    Raises
    ------
    ExchangeRefusal
        When a parameter is missing, malformed or not meant for the type.
    """
    parameters, symbol = call.parameters, call.market().symbol
    side = parameters.choice("side", Side, *_BAD_SIDE)
    if parameters.text("type") in _NOT_SPOKEN:
        raise ExchangeRefusal(-1013, "Stop loss orders are not supported for this symbol.")
    kind = parameters.choice("type", OrderType, *_BAD_TYPE)
    time_in_force = TimeInForce.GTC
    if kind is OrderType.LIMIT:
        time_in_force = parameters.choice("timeInForce", TimeInForce, *_BAD_TIME_IN_FORCE)
    elif "timeInForce" in parameters:
        raise ExchangeRefusal(-1106, "Parameter 'timeInForce' sent when not required.")
    quantity, price = parameters.amount("quantity"), parameters.amount("price")
    spend = parameters.amount("quoteOrderQty")
    if kind is OrderType.MARKET:
        if price is not None:
            raise ExchangeRefusal(-1106, "Parameter 'price' sent when not required.")
        if quantity is not None and spend is not None:
            raise ExchangeRefusal(-1128, "Combination of optional parameters invalid.")
    elif price is None:
        raise missing("price")
    elif spend is not None:
        raise ExchangeRefusal(-1106, "Parameter 'quoteOrderQty' sent when not required.")
    if quantity is None and spend is None:
        raise missing("quantity")
    client_id = parameters.client_id("newClientOrderId")
    return OrderRequest(symbol, side, kind, quantity, price, time_in_force, spend, client_id)


def _place(call: Call) -> object:
    request = order_request(call)
    placed = _placed(call, request)
    return views.placed_json(placed, call.market().id, _detail(call.parameters, request.type))


def _placed(call: Call, request: OrderRequest) -> PlacedOrder:
    if call.faults.happens("delisting"):
        call.exchange.delist(request.symbol, call.faults.config.delisting_s)
    if call.faults.happens("insufficient_funds"):
        raise call.exchange.refuse_funds(call.account.name, request)
    return call.exchange.place(call.account.name, request)


def _detail(parameters: Parameters, kind: OrderType) -> str:
    asked = parameters.text("newOrderRespType")
    if asked is None:
        return "FULL" if kind in {OrderType.MARKET, OrderType.LIMIT} else "ACK"
    if asked not in _DETAILS:
        raise ExchangeRefusal(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
    return asked


def _test(call: Call) -> object:
    call.exchange.check(order_request(call))
    return {}


def _which(
    call: Call, id_name: str = "orderId", client_name: str = "origClientOrderId"
) -> tuple[int | None, str | None]:
    order_id = call.parameters.integer(id_name)
    client_id = call.parameters.client_id(client_name)
    if order_id is None and client_id is None:
        raise ExchangeRefusal(-1102, f"Param '{client_name}' or '{id_name}' must be sent, but both were empty/null!")
    return order_id, client_id


def _query(call: Call) -> object:
    rules = call.market()
    order = call.exchange.order(call.account.name, rules.symbol, *_which(call))
    return views.order_json(order, rules.id)


def _cancel(call: Call) -> object:
    rules, cancel_id = call.market(), call.parameters.client_id("newClientOrderId")
    order_id, client_id = _which(call)
    order = call.exchange.cancel(call.account.name, rules.symbol, order_id, client_id, cancel_id)
    return views.cancelled_json(order, rules.id, cancel_id or f"cancel-{order.order_id}")


def _cancel_all(call: Call) -> object:
    rules = call.market()
    orders = call.exchange.cancel_all(call.account.name, rules.symbol)
    return [views.cancelled_json(order, rules.id, f"cancel-{order.order_id}") for order in orders]


def _cancel_replace(call: Call) -> object:
    parameters, rules = call.parameters, call.market()
    mode = parameters.choice("cancelReplaceMode", ReplaceMode, *_BAD_MODE)
    request = order_request(call)
    order_id, client_id = _which(call, "cancelOrderId", "cancelOrigClientOrderId")
    replaced = call.exchange.cancel_replace(call.account.name, rules.symbol, order_id, client_id, request, mode)
    cancelled, placed = replaced.cancelled, replaced.placed
    cancel_id = parameters.client_id("cancelNewClientOrderId")
    data: dict[str, object] = {
        "cancelResult": "SUCCESS" if isinstance(cancelled, OrderSnapshot) else "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED"
        if placed is None
        else "SUCCESS"
        if isinstance(placed, PlacedOrder)
        else "FAILURE",
        "cancelResponse": views.cancelled_json(cancelled, rules.id, cancel_id or f"cancel-{cancelled.order_id}")
        if isinstance(cancelled, OrderSnapshot)
        else _refusal_json(cancelled),
        "newOrderResponse": views.placed_json(placed, rules.id, _detail(parameters, request.type))
        if isinstance(placed, PlacedOrder)
        else None
        if placed is None
        else _refusal_json(placed),
    }
    failures = sum(isinstance(half, ExchangeRefusal) for half in (cancelled, placed))
    if failures == 0:
        return data
    if failures == 1 and placed is not None:
        raise ReplaceFailed(-2021, "Order cancel-replace partially failed.", 409, data)
    raise ReplaceFailed(-2022, "Order cancel-replace failed.", 400, data)


def _refusal_json(refusal: ExchangeRefusal) -> dict[str, object]:
    return {"code": refusal.code, "msg": refusal.text}


def _open_orders(call: Call) -> object:
    symbol = call.market().symbol if "symbol" in call.parameters else None
    stale_ms = call.stale_ms()
    if stale_ms is None:
        orders = call.exchange.open_orders(call.account.name, symbol)
    else:
        view = call.history.before(call.account.name, stale_ms)
        orders = tuple(order for order in view.open_orders if symbol is None or order.symbol == symbol)
    return [views.order_json(order, call.exchange.market(order.symbol).id) for order in orders]


def _all_orders(call: Call) -> object:
    parameters, rules = call.parameters, call.market()
    order_id, start, end = (parameters.integer(name) for name in ("orderId", "startTime", "endTime"))
    _check_day(start, end)
    limit = call.limit(500, _MOST_ROWS)
    orders = call.exchange.all_orders(call.account.name, rules.symbol, order_id, start, end, limit)
    return [views.order_json(order, rules.id) for order in orders]


def _my_trades(call: Call) -> object:
    parameters, rules = call.parameters, call.market()
    names = ("orderId", "fromId", "startTime", "endTime")
    order_id, from_id, start, end = (parameters.integer(name) for name in names)
    if from_id is not None and (start is not None or end is not None):
        raise ExchangeRefusal(-1128, "Combination of optional parameters invalid.")
    _check_day(start, end)
    stale_ms = call.stale_ms()
    if stale_ms is not None:
        end = stale_ms if end is None else min(end, stale_ms)
    limit = call.limit(500, _MOST_ROWS)
    trades = call.exchange.my_trades(call.account.name, rules.symbol, order_id, from_id, start, end, limit)
    return [views.execution_json(one, rules.id) for one in trades]


def _check_day(start_ms: int | None, end_ms: int | None) -> None:
    if start_ms is not None and end_ms is not None and end_ms - start_ms > _DAY_MS:
        raise ExchangeRefusal(-1127, "More than 24 hours between startTime and endTime.")


def _account(call: Call) -> object:
    account, exchange = call.account, call.exchange
    stale_ms = call.stale_ms()
    balances = (
        exchange.balances(account.name) if stale_ms is None else call.history.before(account.name, stale_ms).balances
    )
    fees = exchange.fees[exchange.symbols[0]]
    omit_zero = call.parameters.text("omitZeroBalances") == "true"
    return views.account_json(balances, fees, exchange.now_ms, can_withdraw=account.can_withdraw, omit_zero=omit_zero)


def _commission(call: Call) -> object:
    rules = call.market()
    return views.commission_json(rules.id, call.exchange.fees[rules.symbol])


def _order_limits(call: Call) -> object:
    used = call.limits.orders_used(call.account.name)
    rows = [row for row in views.rate_limits_json(call.limit_config) if row["rateLimitType"] == "ORDERS"]
    return [row | {"count": count} for row, count in zip(rows, used, strict=True)]


def _open_weight(parameters: Parameters) -> int:
    return 6 if "symbol" in parameters else 80


def _trades_weight(parameters: Parameters) -> int:
    return 5 if "orderId" in parameters else 20


_SIGNED = Security.SIGNED

TRADING = (
    Endpoint("POST", "/api/v3/order", _place, 1, _SIGNED, is_order=True),
    Endpoint("POST", "/api/v3/order/test", _test, 1, _SIGNED),
    Endpoint("GET", "/api/v3/order", _query, 4, _SIGNED),
    Endpoint("DELETE", "/api/v3/order", _cancel, 1, _SIGNED),
    Endpoint("POST", "/api/v3/order/cancelReplace", _cancel_replace, 1, _SIGNED, is_order=True),
    Endpoint("GET", "/api/v3/openOrders", _open_orders, _open_weight, _SIGNED),
    Endpoint("DELETE", "/api/v3/openOrders", _cancel_all, 1, _SIGNED),
    Endpoint("GET", "/api/v3/allOrders", _all_orders, 20, _SIGNED),
    Endpoint("GET", "/api/v3/myTrades", _my_trades, _trades_weight, _SIGNED),
    Endpoint("GET", "/api/v3/account", _account, 20, _SIGNED),
    Endpoint("GET", "/api/v3/account/commission", _commission, 20, _SIGNED),
    Endpoint("GET", "/api/v3/rateLimit/order", _order_limits, 40, _SIGNED),
)
"""All signed endpoints, with the weights that Binance published in 2025."""
