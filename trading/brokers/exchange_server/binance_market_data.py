"""Binance's public endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from trading.brokers.exchange_server import binance_views as views
from trading.brokers.exchange_server.binance_calls import Call, Endpoint
from trading.brokers.exchange_server.markets import MarketRules
from trading.brokers.exchange_server.parameters import Parameters, missing
from trading.brokers.exchange_server.records import ExchangeRefusal
from trading.market.timeframes import timeframe_ms

_INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
_MOST_ROWS = 1_000


def _ping(_: Call) -> object:
    return {}


def _time(call: Call) -> object:
    return {"serverTime": call.server_ms}


def _exchange_info(call: Call) -> object:
    exchange = call.exchange
    symbols = [
        views.symbol_json(rules, trading=exchange.is_trading(rules.symbol)) for rules in _markets(call) or _all(call)
    ]
    return {
        "timezone": "UTC",
        "serverTime": call.server_ms,
        "rateLimits": views.rate_limits_json(call.limit_config),
        "exchangeFilters": [],
        "symbols": symbols,
    }


def _depth(call: Call) -> object:
    return views.depth_json(call.exchange.depth(call.market().symbol, call.limit(100, 5_000)))


def _trades(call: Call) -> object:
    trades = call.exchange.recent_trades(call.market().symbol, call.limit(500, _MOST_ROWS))
    return [views.trade_json(trade) for trade in trades]


def _historical_trades(call: Call) -> object:
    first, limit = call.parameters.integer("fromId"), call.limit(500, _MOST_ROWS)
    trades = call.exchange.trades_between(call.market().symbol, first, limit=limit)
    return [views.trade_json(trade) for trade in trades]


def _aggregate_trades(call: Call) -> object:
    parameters = call.parameters
    first, start, end = (parameters.integer(name) for name in ("fromId", "startTime", "endTime"))
    limit = call.limit(500, _MOST_ROWS)
    trades = call.exchange.trades_between(call.market().symbol, first, start, end, limit)
    return [views.aggregate_trade_json(trade) for trade in trades]


def _klines(call: Call) -> object:
    parameters, symbol = call.parameters, call.market().symbol
    interval = parameters.required("interval")
    if interval not in _INTERVALS:
        raise ExchangeRefusal(-1120, "Invalid interval.")
    start, end = (parameters.integer(name) for name in ("startTime", "endTime"))
    klines = call.exchange.klines(symbol, interval, start, end, call.limit(500, _MOST_ROWS))
    return [views.kline_json(kline) for kline in klines]


def _average_price(call: Call) -> object:
    rules = call.market()
    minutes = max(1, 300_000 // timeframe_ms(call.exchange.timeframe))
    klines = call.exchange.klines(rules.symbol, call.exchange.timeframe, limit=minutes)
    volume = sum(kline.volume for kline in klines)
    price = sum(kline.quote_volume for kline in klines) / volume if volume else call.exchange.last_price(rules.symbol)
    return {"mins": 5, "price": f"{price:.8f}", "closeTime": klines[-1].close_ms}


def _price(call: Call) -> object:
    return _one_or_all(
        call, lambda rules: {"symbol": rules.id, "price": views.amount(call.exchange.last_price(rules.symbol))}
    )


def _book_ticker(call: Call) -> object:
    return _one_or_all(call, lambda rules: views.book_ticker_json(rules.id, call.exchange.depth(rules.symbol, 1)))


def _day_ticker(call: Call) -> object:
    exchange = call.exchange
    return _one_or_all(
        call,
        lambda rules: views.day_ticker_json(
            rules.id, exchange.day_ticker(rules.symbol), exchange.depth(rules.symbol, 1)
        ),
    )


def _one_or_all(call: Call, view: Callable[[MarketRules], object]) -> object:
    if "symbol" in call.parameters:
        return view(call.market())
    return [view(rules) for rules in _markets(call) or _all(call)]


def _all(call: Call) -> Sequence[MarketRules]:
    return [call.exchange.market(symbol) for symbol in call.exchange.symbols]


def _markets(call: Call) -> Sequence[MarketRules]:
    parameters = call.parameters
    if "symbol" in parameters:
        return [call.market()]
    listed = parameters.text("symbols")
    if listed is None:
        return []
    try:
        ids = json.loads(listed)
    except ValueError:
        ids = None
    if not isinstance(ids, list) or not ids:
        raise missing("symbols")
    return [call.market_named(str(market_id)) for market_id in ids]


def _depth_weight(parameters: Parameters) -> int:
    limit = parameters.integer("limit") or 100
    return next((weight for most, weight in ((100, 5), (500, 25), (1_000, 50)) if limit <= most), 250)


def _by_symbol(one: int, several: int) -> Callable[[Parameters], int]:
    def weight(parameters: Parameters) -> int:
        return one if "symbol" in parameters else several

    return weight


MARKET_DATA = (
    Endpoint("GET", "/api/v3/ping", _ping, 1),
    Endpoint("GET", "/api/v3/time", _time, 1),
    Endpoint("GET", "/api/v3/exchangeInfo", _exchange_info, 20),
    Endpoint("GET", "/api/v3/depth", _depth, _depth_weight),
    Endpoint("GET", "/api/v3/trades", _trades, 25),
    Endpoint("GET", "/api/v3/historicalTrades", _historical_trades, 25),
    Endpoint("GET", "/api/v3/aggTrades", _aggregate_trades, 4),
    Endpoint("GET", "/api/v3/klines", _klines, 2),
    Endpoint("GET", "/api/v3/uiKlines", _klines, 2),
    Endpoint("GET", "/api/v3/avgPrice", _average_price, 2),
    Endpoint("GET", "/api/v3/ticker/price", _price, _by_symbol(2, 4)),
    Endpoint("GET", "/api/v3/ticker/bookTicker", _book_ticker, _by_symbol(2, 4)),
    Endpoint("GET", "/api/v3/ticker/24hr", _day_ticker, _by_symbol(2, 80)),
)
"""All public endpoints, with the weights that Binance published in 2025."""
