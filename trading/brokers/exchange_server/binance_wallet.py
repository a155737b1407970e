"""The few wallet endpoints that trading software asks: deposits, withdrawals, fees, what a key may do."""

from __future__ import annotations

from trading.brokers.exchange_server import binance_views as views
from trading.brokers.exchange_server.binance_calls import Call, Endpoint, Security
from trading.brokers.exchange_server.records import Transfer


def _system_status(_: Call) -> object:
    return {"status": 0, "msg": "normal"}


def _deposits(call: Call) -> object:
    return [views.transfer_json(one) for one in _transfers(call) if one.amount >= 0]


def _withdrawals(call: Call) -> object:
    return [views.transfer_json(one) for one in _transfers(call) if one.amount < 0]


def _transfers(call: Call) -> list[Transfer]:
    parameters = call.parameters
    coin, start, end = parameters.text("coin"), parameters.integer("startTime"), parameters.integer("endTime")
    found = [
        one
        for one in call.exchange.transfers(call.account.name)
        if coin in {None, one.asset} and (start is None or one.time_ms >= start) and (end is None or one.time_ms <= end)
    ]
    skipped, limit = parameters.integer("offset") or 0, call.limit(1_000, 1_000)
    return found[::-1][skipped : skipped + limit]


def _trade_fee(call: Call) -> object:
    exchange = call.exchange
    symbols = [call.market().symbol] if "symbol" in call.parameters else exchange.symbols
    return [views.trade_fee_json(exchange.market(symbol).id, exchange.fees[symbol]) for symbol in symbols]


def _restrictions(call: Call) -> object:
    return views.restrictions_json(can_withdraw=call.account.can_withdraw, time_ms=call.exchange.config.start_ms)


_SIGNED = Security.SIGNED

WALLET = (
    Endpoint("GET", "/sapi/v1/system/status", _system_status, 1),
    Endpoint("GET", "/sapi/v1/capital/deposit/hisrec", _deposits, 1, _SIGNED),
    Endpoint("GET", "/sapi/v1/capital/withdraw/history", _withdrawals, 1, _SIGNED),
    Endpoint("GET", "/sapi/v1/asset/tradeFee", _trade_fee, 1, _SIGNED),
    Endpoint("GET", "/sapi/v1/account/apiRestrictions", _restrictions, 1, _SIGNED),
)
"""All wallet endpoints."""
