"""What the Binance streams say: pure functions from the exchange's records to the messages' own words."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from trading.brokers.exchange_server.records import (
    AssetBalance,
    BalancesChanged,
    BookChanged,
    DayTicker,
    Depth,
    KlineChanged,
    Level,
    MoneyMoved,
    OrderChange,
    OrderUpdated,
    TradeMade,
)

JsonObject: TypeAlias = dict[str, object]
"""A message before it becomes text."""

_NOTHING = Decimal(0)


def amount_text(value: Decimal) -> str:
    """Return an amount as Binance writes it: eight decimals, more only where the value has them."""
    return f"{value:.8f}" if value == value.quantize(Decimal("1E-8")) else f"{value:f}"


def trade_message(event: TradeMade, market_id: str) -> JsonObject:
    """Return a ``trade`` message.

    Parameters
    ----------
    event : TradeMade
        What happened.
    market_id : str
        Such as ``BTCUSDT``.
    """
    trade = event.trade
    return {
        "e": "trade",
        "E": event.time_ms,
        "s": market_id,
        "t": trade.trade_id,
        "p": amount_text(trade.price),
        "q": amount_text(trade.quantity),
        "T": trade.time_ms,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def aggregate_trade_message(event: TradeMade, market_id: str) -> JsonObject:
    """Return an ``aggTrade`` message; every trade is an aggregate of its own, with its own id.

    Parameters
    ----------
    event : TradeMade
        What happened.
    market_id : str
        Such as ``BTCUSDT``.
    """
    message = trade_message(event, market_id)
    trade_id = message.pop("t")
    return {**message, "e": "aggTrade", "a": trade_id, "f": trade_id, "l": trade_id}


def kline_message(event: KlineChanged, market_id: str) -> JsonObject:
    """Return a ``kline`` message.

    Parameters
    ----------
    event : KlineChanged
        What happened.
    market_id : str
        Such as ``BTCUSDT``.
    """
    kline = event.kline
    return {
        "e": "kline",
        "E": event.time_ms,
        "s": market_id,
        "k": {
            "t": kline.open_ms,
            "T": kline.close_ms,
            "s": market_id,
            "i": event.timeframe,
            "f": kline.first_trade_id,
            "L": kline.last_trade_id,
            "o": amount_text(kline.open),
            "c": amount_text(kline.close),
            "h": amount_text(kline.high),
            "l": amount_text(kline.low),
            "v": amount_text(kline.volume),
            "n": kline.trades,
            "x": event.closed,
            "q": amount_text(kline.quote_volume),
            "V": amount_text(kline.taker_volume),
            "Q": amount_text(kline.taker_quote_volume),
            "B": "0",
        },
    }


def depth_update_message(event: BookChanged, market_id: str) -> JsonObject:
    """Return a ``depthUpdate`` message; ``U`` to ``u`` are the update ids in it.

    Parameters
    ----------
    event : BookChanged
        What happened.
    market_id : str
        Such as ``BTCUSDT``.
    """
    return {
        "e": "depthUpdate",
        "E": event.time_ms,
        "s": market_id,
        "U": event.first_update_id,
        "u": event.last_update_id,
        "b": _levels(event.bids),
        "a": _levels(event.asks),
    }


def partial_depth_message(depth: Depth) -> JsonObject:
    """Return a message of the ``depth5``, ``depth10`` and ``depth20`` streams.

    Parameters
    ----------
    depth : Depth
        The best levels, already cut to the stream's number.
    """
    return {"lastUpdateId": depth.update_id, "bids": _levels(depth.bids), "asks": _levels(depth.asks)}


def book_ticker_message(event: BookChanged, market_id: str) -> JsonObject:
    """Return a ``bookTicker`` message; a side with nothing in it is told as zero.

    Parameters
    ----------
    event : BookChanged
        What happened.
    market_id : str
        Such as ``BTCUSDT``.
    """
    bid, ask = event.best_bid or Level(_NOTHING, _NOTHING), event.best_ask or Level(_NOTHING, _NOTHING)
    return {
        "u": event.last_update_id,
        "s": market_id,
        "b": amount_text(bid.price),
        "B": amount_text(bid.quantity),
        "a": amount_text(ask.price),
        "A": amount_text(ask.quantity),
    }


def mini_ticker_message(ticker: DayTicker, market_id: str, time_ms: int) -> JsonObject:
    """Return a ``24hrMiniTicker`` message.

    Parameters
    ----------
    ticker : DayTicker
        The last 24 hours.
    market_id : str
        Such as ``BTCUSDT``.
    time_ms : int
        Market time of the message.
    """
    return {
        "e": "24hrMiniTicker",
        "E": time_ms,
        "s": market_id,
        "c": amount_text(ticker.last),
        "o": amount_text(ticker.open),
        "h": amount_text(ticker.high),
        "l": amount_text(ticker.low),
        "v": amount_text(ticker.volume),
        "q": amount_text(ticker.quote_volume),
    }


def ticker_message(ticker: DayTicker, event: BookChanged, market_id: str) -> JsonObject:
    """Return a ``24hrTicker`` message.

    Parameters
    ----------
    ticker : DayTicker
        The last 24 hours.
    event : BookChanged
        Tells the time and the top of the book.
    market_id : str
        Such as ``BTCUSDT``.
    """
    change = ticker.last - ticker.open
    percent = change / ticker.open * 100 if ticker.open else _NOTHING
    weighted = ticker.quote_volume / ticker.volume if ticker.volume else ticker.last
    top = book_ticker_message(event, market_id)
    return {
        **mini_ticker_message(ticker, market_id, event.time_ms),
        "e": "24hrTicker",
        "p": amount_text(change),
        "P": f"{percent:.3f}",
        "w": f"{weighted:.8f}",
        "x": amount_text(ticker.previous_close),
        "Q": amount_text(ticker.last_quantity),
        **{name: top[name] for name in "bBaA"},
        "O": ticker.open_ms,
        "C": ticker.close_ms,
        "F": ticker.first_trade_id,
        "L": ticker.last_trade_id,
        "n": ticker.trades,
    }


def execution_report(event: OrderUpdated, market_id: str) -> JsonObject:
    """Return an ``executionReport``: ``x`` is what happened, ``X`` the state after it.

    Parameters
    ----------
    event : OrderUpdated
        What happened to the order.
    market_id : str
        Such as ``BTCUSDT``.
    """
    order, execution = event.order, event.execution
    cancelled = event.change is OrderChange.CANCELED
    report: JsonObject = {
        "e": "executionReport",
        "E": event.time_ms,
        "s": market_id,
        "c": (event.cancel_client_id or f"cancel-{order.order_id}") if cancelled else order.client_id,
        "S": str(order.side),
        "o": str(order.type),
        "f": str(order.time_in_force),
        "q": amount_text(order.quantity),
        "p": amount_text(order.price or _NOTHING),
        "P": amount_text(_NOTHING),
        "F": amount_text(_NOTHING),
        "g": -1,
        "C": order.client_id if cancelled else "",
        "x": str(event.change),
        "X": str(order.status),
        "r": "NONE",
        "i": order.order_id,
        "l": amount_text(execution.quantity if execution else _NOTHING),
        "z": amount_text(order.filled),
        "L": amount_text(execution.price if execution else _NOTHING),
        "n": amount_text(execution.fee) if execution else "0",
        "N": execution.fee_asset if execution else None,
        "T": execution.time_ms if execution else order.updated_ms,
        "t": execution.trade_id if execution else -1,
        "v": 0,
        "I": event.sequence,
        "w": order.is_open,
        "m": execution.is_maker if execution else False,
        "M": execution is not None,
        "O": order.created_ms,
        "Z": amount_text(order.quote_filled),
        "Y": amount_text(execution.quote_quantity if execution else _NOTHING),
        "Q": amount_text(order.quote_quantity or _NOTHING),
        "V": "NONE",
    }
    if order.is_open:
        report["W"] = order.created_ms
    return report


def account_position(event: BalancesChanged) -> JsonObject:
    """Return an ``outboundAccountPosition``: the assets that may have changed, as they are now.

    Parameters
    ----------
    event : BalancesChanged
        What happened.
    """
    return {
        "e": "outboundAccountPosition",
        "E": event.time_ms,
        "u": event.time_ms,
        "B": [_balance(balance) for balance in event.balances],
    }


def balance_update(event: MoneyMoved) -> JsonObject:
    """Return a ``balanceUpdate``: money that came or went other than by trading.

    Parameters
    ----------
    event : MoneyMoved
        The deposit or withdrawal.
    """
    transfer = event.transfer
    return {
        "e": "balanceUpdate",
        "E": event.time_ms,
        "a": transfer.asset,
        "d": amount_text(transfer.amount),
        "T": transfer.time_ms,
    }


def _balance(balance: AssetBalance) -> dict[str, str]:
    return {"a": balance.asset, "f": amount_text(balance.free), "l": amount_text(balance.locked)}


def _levels(levels: Sequence[Level]) -> list[list[str]]:
    return [[amount_text(level.price), amount_text(level.quantity)] for level in levels]
