"""What must be known of a venue to trade there: facts by exchange, and a market's rules from ccxt's structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from trading.brokers.parsing import Raw, decimal, mapping
from trading.errors import Refused
from trading.exchange.calls import AnswerUnusable
from trading.market.rules import Market

_DECIMAL_PLACES = 2
_SIGNIFICANT_DIGITS = 3


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """What ccxt does not tell of a venue.

    Parameters
    ----------
    fee_in_base : bool or None
        Whether a buy's fee is taken from what was bought; None: as ccxt says.
    fees_in_account : bool
        Whether the answer about balances tells the account's fees too (``commissionRates``).
    buys_by_money : bool
        Whether a market buy can only be told how much money to spend; an immediate limit order is sent instead.
    client_id_name : str
        Under which name ccxt passes our id on with a new order.
    whole_stream_orders : bool
        Whether the stream's orders, as ccxt reads them, tell all; else they only say which order to ask for.
    money_event : str
        Name of the stream event for money that came or went other than by trading; empty where there is none.
    stream_trade : mapping of str to str
        How the stream itself names a trade's price, amount and time, where ccxt puts something else in the place of
        what is missing, such as the order's limit for the price.
    """

    fee_in_base: bool | None = None
    fees_in_account: bool = False
    buys_by_money: bool = False
    client_id_name: str = "clientOrderId"
    whole_stream_orders: bool = False
    money_event: str = ""
    stream_trade: Mapping[str, str] = field(default_factory=dict)


_FACTS: Final[Mapping[str, VenueFacts]] = {
    # https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints
    "binance": VenueFacts(
        fee_in_base=True,
        fees_in_account=True,
        whole_stream_orders=True,
        money_event="balanceUpdate",
        stream_trade={"price": "L", "amount": "l", "timestamp": "T"},
    ),
    # https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order
    "coinbase": VenueFacts(fee_in_base=False, buys_by_money=True, client_id_name="client_order_id"),
    # https://docs.kraken.com/api-reference/trading/add-order ("fciq": fee in quote, the default)
    "kraken": VenueFacts(fee_in_base=False, whole_stream_orders=True),
}


def facts_of(exchange_id: str) -> VenueFacts:
    """Return what is known of a venue beside what ccxt says."""
    return _FACTS.get(exchange_id, VenueFacts())


@dataclass(frozen=True, slots=True)
class Fees:
    """An account's fees in one market.

    Parameters
    ----------
    maker, taker : Decimal
        Shares of the value.
    source : str
        Who says so.
    """

    maker: Decimal
    taker: Decimal
    source: str


def check_spot(value: object, symbol: str, exchange_id: str) -> None:
    """Refuse a market that is not spot, or not open for trading.

    Parameters
    ----------
    value : object
        ccxt's market structure.
    symbol, exchange_id : str
        Named in the error.

    Raises
    ------
    Refused
        When it is not.
    """
    raw = mapping(value, f"the market of {symbol}")
    if raw.get("spot") is not True or raw.get("contract"):
        raise Refused(
            f"{symbol} on {exchange_id} is no spot market; margin, futures and leverage are refused, choose BASE/QUOTE"
        )
    if raw.get("active") is False:
        raise Refused(f"{exchange_id} does not trade {symbol} at present; choose another symbol or try again later")


def parse_fees(value: object, source: str) -> Fees:
    """Return fees from a record with ``maker`` and ``taker``.

    Raises
    ------
    AnswerUnusable
        When one of them is missing, or no share.
    """
    raw = mapping(value, f"the fees ({source})")
    maker, taker = decimal(raw, "maker"), decimal(raw, "taker")
    if not (abs(maker) < 1 and abs(taker) < 1):
        raise AnswerUnusable(f"fees of {maker} and {taker} of the value cannot be ({source}); they are not used")
    # a rebate is not counted on
    return Fees(max(maker, Decimal(0)), max(taker, Decimal(0)), source)


def parse_market(value: object, symbol: str, exchange_id: str, precision_mode: int, fees: Fees) -> Market:
    """Return a market's rules.

    Parameters
    ----------
    value : object
        ccxt's market structure.
    symbol, exchange_id : str
        Which market of which exchange.
    precision_mode : int
        How the exchange's ``precision`` is meant: ccxt's DECIMAL_PLACES, SIGNIFICANT_DIGITS or TICK_SIZE.
    fees : Fees
        The account's fees.

    Raises
    ------
    AnswerUnusable
        When a step is missing or impossible.
    Refused
        When prices have significant digits instead of a tick.
    """
    raw = mapping(value, f"the market of {symbol}")
    if precision_mode == _SIGNIFICANT_DIGITS:
        raise Refused(f"{exchange_id} rounds prices to significant digits, which a grid cannot use; choose another")
    precision = mapping(raw.get("precision"), f"the precision of {symbol}")
    facts = facts_of(exchange_id)
    in_base = raw.get("feeSide") in {"get", "base"} if facts.fee_in_base is None else facts.fee_in_base
    return Market(
        symbol=symbol,
        tick_size=_step(precision, "price", precision_mode),
        lot_size=_step(precision, "amount", precision_mode),
        min_notional=_least_value(raw),
        maker_fee=fees.maker,
        taker_fee=fees.taker,
        fee_in_base=in_base,
        source=f"{exchange_id}, fees from {fees.source}",
    )


def _step(precision: Raw, name: str, precision_mode: int) -> Decimal:
    number = decimal(precision, name)
    step = Decimal(1).scaleb(-int(number)) if precision_mode == _DECIMAL_PLACES else number
    if step <= 0:
        raise AnswerUnusable(f"the step of {name} cannot be {step}; the market is not used")
    return step.normalize()


def _least_value(raw: Raw) -> Decimal:
    limits = mapping(raw.get("limits"), "the limits of the market")
    cost = limits.get("cost")
    if not isinstance(cost, Mapping) or cost.get("min") is None:
        return Decimal(0)
    least = decimal(cost, "min")
    if least < 0:
        raise AnswerUnusable(f"the least order value cannot be {least}; the market is not used")
    return least
