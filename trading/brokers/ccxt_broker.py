"""``CcxtBroker``: any ccxt spot exchange as a ``Broker``; each call is one question, its answer exact or an error."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import TypeVar

from trading.brokers.codecs import ClientIdCodec, codec_for
from trading.brokers.dialects import Dialect, Parsed, dialect_of
from trading.brokers.parsing import (
    decimal,
    mapping,
    oldest_first,
    parse_fill,
    parse_listing,
    parse_order,
    text,
    time_ms,
)
from trading.brokers.protocol import Funding, FundsRejected, Hint, OrderRejected
from trading.brokers.venue_funding import funding_teller
from trading.brokers.venue_rules import Fees, check_spot, facts_of, parse_fees, parse_market
from trading.brokers.venue_streams import HintStream, StreamPolicy
from trading.errors import ConnectionLost, Refused
from trading.exchange.calls import AnswerUnusable, CallPolicy, Reason, VenueCalls, VenueRefusal
from trading.exchange.circuit import CircuitBreaker
from trading.exchange.clock import Clock
from trading.exchange.failures import quote
from trading.exchange.offset import clock_offset_ms
from trading.exchange.venue_client import VenueClient
from trading.market.rules import Market
from trading.orders.states import OrderState
from trading.orders.venue import Balance, NewOrder, VenueFill, VenueOrder

T = TypeVar("T")

_log = logging.getLogger(__name__)

_SIDE_NAMES = {1: "buy", -1: "sell"}
# How far above the best price an immediate limit order goes where the venue has no market buy by quantity.
_REACH = Decimal("1.01")


@dataclass(frozen=True, slots=True)
class BrokerPolicy:
    """How a broker deals with its venue.

    Parameters
    ----------
    calls : CallPolicy
        Retries.
    streams : StreamPolicy
        Pauses and ages of streams.
    """

    calls: CallPolicy = field(default_factory=CallPolicy)
    streams: StreamPolicy = field(default_factory=StreamPolicy)


class CcxtBroker:
    """One symbol on one account of an exchange.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    symbol : str
        ``BASE/QUOTE``.
    client : VenueClient
        Made by ``open_account``; this broker closes it.
    clock : Clock
        Every pause is slept on it.
    policy : BrokerPolicy, optional
        Patience.
    breaker : CircuitBreaker, optional
        To share with others who use the exchange.
    jitter : callable
        Uniform random numbers in [0, 1).
    market_time_ms : callable, optional
        The time that orders and trades carry, where the venue signs by another clock than it trades by, as the
        built-in exchange does; None asks the venue for its time.
    """

    def __init__(
        self,
        exchange_id: str,
        symbol: str,
        client: VenueClient,
        clock: Clock,
        policy: BrokerPolicy | None = None,
        breaker: CircuitBreaker | None = None,
        jitter: Callable[[], float] = random.random,
        market_time_ms: Callable[[], int] | None = None,
    ) -> None:
        self.symbol = symbol
        self._market_time_ms = market_time_ms
        self._exchange_id = exchange_id
        self._client = client
        self._clock = clock
        self._policy = policy or BrokerPolicy()
        self._jitter = jitter
        self._streams: HintStream | None = None
        self._codec: ClientIdCodec = codec_for(exchange_id)
        self._facts = facts_of(exchange_id)
        self._dialect: Dialect = dialect_of(client, symbol)
        self._calls = VenueCalls(
            exchange_id, clock, breaker or CircuitBreaker(clock), self._resync, self._policy.calls, jitter
        )

    @property
    def clock_offset_ms(self) -> int:
        """The venue's clock less this machine's, as it was measured last; requests are signed with it added."""
        return self._client.offset_ms

    async def open(self) -> None:
        """Load the markets, measure the clock's offset, check the keys.

        Raises
        ------
        Refused
            When the symbol is no spot market of the exchange, or the exchange refuses the keys.
        ConnectionLost, RateLimited
            When no usable answer came.
        """
        await self._read("the markets", self._loaded)
        await self._resync()
        try:
            await self.balances()
        except VenueRefusal as error:
            if error.reason is Reason.KEYS:
                raise Refused(f"{error}; check the keys, and that they may be used from this address") from error
            raise

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()

    async def time_ms(self) -> int:
        """Return the venue's clock, by which orders and trades are dated; milliseconds UTC."""
        if self._market_time_ms is not None:
            return self._market_time_ms()
        return await self._read("its time", self._told_time)

    async def market(self) -> Market:
        """Return the venue's rules and this account's fees for the symbol.

        Raises
        ------
        Refused
            When it is not open for spot trading, or has rules that a grid cannot keep.
        """
        raw = self._client.market(self.symbol)
        check_spot(raw, self.symbol, self._exchange_id)
        fees = await self._read("the fees", self._fees)
        return parse_market(raw, self.symbol, self._exchange_id, self._client.precisionMode, fees)

    async def place(self, order: NewOrder) -> VenueOrder:
        """Send an order once and return the venue's answer.

        An id that the venue has already taken is no error: the order of that id is returned.

        Raises
        ------
        ConnectionLost
            When it may have arrived or not.
        RateLimited
            When it was not carried out, since the venue asks for a pause.
        OrderRejected, FundsRejected
            When the venue, or a rule of its market, refuses it.
        """
        encoded = self._codec.encode(order.client_id)
        kind, price = await self._kind_and_price(order)
        amount = self._exact(self._client.amount_to_precision, order.quantity, "quantity")
        sent_price = None if price is None else self._exact(self._client.price_to_precision, price, "price")
        params = {self._facts.client_id_name: encoded, **({"timeInForce": "IOC"} if kind == "ioc" else {})}

        async def send() -> VenueOrder:
            answer = await self._client.create_order(
                self.symbol,
                "market" if kind == "market" else "limit",
                _SIDE_NAMES[order.side],
                amount,
                sent_price,
                params,
            )
            return self._placed(order, price, answer)

        try:
            # ccxt changes the rounding of this task's decimal context
            with localcontext():
                return await self._calls.send(f"order {order.client_id}", send)
        except VenueRefusal as error:
            if error.reason is Reason.DUPLICATE_ID:
                return await self._sent_before(order.client_id)
            raise _rejected(error) from error

    async def cancel(self, client_id: str, exchange_id: str | None) -> VenueOrder:
        """Cancel an order and return it as it is now; one that is final already is returned as that.

        Raises
        ------
        ConnectionLost
            When it may be cancelled or not.
        OrderRejected
            When the venue refuses, and the order is open still or unknown.
        """
        known = exchange_id
        if known is None:
            order = await self.order(client_id, None)
            if order is None:
                raise OrderRejected(f"{self._exchange_id} knows no order {client_id}; there is nothing to cancel")
            if order.is_final:
                return order
            known = order.exchange_id
        what = f"the cancel of order {client_id}"
        refusal: VenueRefusal | None = None
        try:
            await self._calls.send(what, lambda: self._client.cancel_order(known, self.symbol, {}))
        except VenueRefusal as error:
            refusal = error
        # the answer to a cancel tells little; the order itself tells all
        order = await self.order(client_id, known)
        if order is not None and (refusal is None or order.is_final):
            return order
        if refusal is not None:
            raise _rejected(refusal) from refusal
        raise AnswerUnusable(f"{self._exchange_id} took {what} and does not know the order; it is asked for again")

    async def cancel_all(self) -> Sequence[VenueOrder]:
        """Cancel every open order of this symbol that carries this software's ids; others are left alone."""
        ours = [order for order in await self.open_orders() if order.client_id is not None]
        return [await self.cancel(str(order.client_id), order.exchange_id) for order in ours]

    async def open_orders(self) -> Sequence[VenueOrder]:
        """Return all open orders of the symbol, those of other software too."""

        async def ask() -> list[VenueOrder]:
            return parse_listing(await self._dialect.open_orders(), "order", self._codec, self._order)

        return await self._read("the open orders", ask)

    async def order(self, client_id: str, exchange_id: str | None) -> VenueOrder | None:
        """Return an order; None only when the venue itself says that it knows none of that id."""
        encoded = self._codec.encode(client_id)

        async def ask() -> VenueOrder | None:
            if exchange_id is not None:
                return self._order(await self._dialect.order_by_id(exchange_id))
            found = await self._dialect.order_by_client_id(encoded)
            return None if found is None else self._order(found)

        try:
            order = await self._read(f"order {client_id}", ask)
        except VenueRefusal as error:
            if error.reason is Reason.UNKNOWN_ORDER:
                return None
            raise
        if order is not None and order.client_id not in {None, client_id}:
            raise AnswerUnusable(f"{self._exchange_id} answered about {order.client_id} when asked about {client_id}")
        return None if order is None else replace(order, client_id=client_id)

    async def fills_since(self, since_ms: int) -> Sequence[VenueFill]:
        """Return the account's trades in the symbol from a time of the venue's clock on, oldest first, all of them."""

        async def ask() -> list[VenueFill]:
            return self._fills(await self._dialect.trades_since(since_ms))

        return [fill for fill in await self._read("the trades", ask) if fill.time_ms >= since_ms]

    async def fills_of(self, order: VenueOrder) -> Sequence[VenueFill]:
        """Return all trades of one order, oldest first; the venue's list may lag behind ``order.filled``."""

        async def ask() -> list[VenueFill]:
            return self._fills(await self._dialect.trades_of(order.exchange_id, order.time_ms))

        fills = await self._read(f"the trades of order {order.client_id or order.exchange_id}", ask)
        ours = [fill for fill in fills if fill.exchange_id == order.exchange_id]
        return [replace(fill, client_id=order.client_id) for fill in ours]

    async def balances(self) -> Mapping[str, Balance]:
        """Return the account's assets."""

        async def ask() -> Mapping[str, Balance]:
            return (await self._dialect.account())[0]

        return await self._read("the account", ask)

    async def funding_since(self, since_ms: int) -> Sequence[Funding]:
        """Return completed deposits and withdrawals from a time of the venue's clock on, oldest first.

        A venue that lists none, or does not let these keys see the list, tells none.
        """
        tell = funding_teller(self._exchange_id)

        async def ask() -> list[Funding]:
            return await tell(self._client, since_ms)

        try:
            told = await self._read("deposits and withdrawals", ask)
        except VenueRefusal as error:
            _log.info("funding_untold venue=%s reason=%s", self._exchange_id, error)
            return []
        return sorted((one for one in told if one.time_ms >= since_ms), key=lambda one: (one.time_ms, one.funding_id))

    def hints(self) -> AsyncIterator[Hint]:
        """Yield what the venue's private stream tells; ends at once where there is none, survives disconnects."""
        streams = HintStream(
            self._client,
            self.symbol,
            self._codec,
            self._facts,
            self.order,
            self._clock,
            self._policy.streams,
            self._jitter,
        )
        self._streams = streams
        return streams.hints()

    async def _read(self, what: str, ask: Callable[[], Awaitable[T]]) -> T:
        if self._streams is not None:
            self._streams.look_at_age()
        return await self._calls.read(what, ask)

    async def _loaded(self) -> None:
        markets = mapping(await self._client.load_markets(), "the list of markets")
        if not markets:
            raise AnswerUnusable(f"{self._exchange_id} lists no markets at all; it is asked again")
        if self.symbol not in markets:
            raise Refused(f"{self._exchange_id} does not list {self.symbol}; check its spelling, such as BTC/USDT")
        check_spot(markets[self.symbol], self.symbol, self._exchange_id)

    async def _told_time(self) -> int:
        return time_ms({"timestamp": await self._client.fetch_time()})

    async def _resync(self) -> None:
        if not self._client.has.get("fetchTime"):
            return
        # the offset is what the machine's own clock lacks, whatever was added to it before
        before = self._client.offset_ms

        async def ask() -> int:
            return await clock_offset_ms(self._told_time, lambda: self._client.milliseconds() - before)

        self._client.offset_ms = await self._read("its time", ask)

    async def _fees(self) -> Fees:
        if self._facts.fees_in_account:
            answer = (await self._dialect.account())[1]
            return parse_fees(answer.get("commissionRates"), "the account")
        if self._client.has.get("fetchTradingFee"):
            return parse_fees(await self._client.fetch_trading_fee(self.symbol), "the account")
        if self._client.has.get("fetchTradingFees"):
            fees = mapping(await self._client.fetch_trading_fees(), "the fees")
            return parse_fees(fees.get(self.symbol), "the account")
        return parse_fees(self._client.market(self.symbol), "the exchange's list")

    async def _kind_and_price(self, order: NewOrder) -> tuple[str, Decimal | None]:
        if order.price is not None:
            return "limit", order.price
        if order.side < 0 or not self._facts.buys_by_money:
            return "market", None

        async def ask() -> Decimal:
            return decimal(mapping(await self._client.fetch_ticker(self.symbol), "the ticker"), "ask")

        best = await self._read("the best price", ask)
        tick = decimal(mapping(self._client.market(self.symbol)["precision"], "the precision"), "price")
        return "ioc", (best * _REACH / tick).to_integral_value(rounding="ROUND_CEILING") * tick

    def _exact(self, rounded: Callable[[str, str], str], value: Decimal, what: str) -> str:
        written = f"{value:f}"
        try:
            with localcontext():
                sent = rounded(self.symbol, written)
        except Exception as error:
            raise OrderRejected(f"a {what} of {written} cannot be sent: {quote(error)}; place whole steps") from error
        if Decimal(sent) != value:
            raise OrderRejected(
                f"a {what} of {written} is not on the steps of {self.symbol} at {self._exchange_id}, which would make "
                f"{sent} of it; place whole steps"
            )
        return sent

    def _placed(self, order: NewOrder, price: Decimal | None, answer: object) -> VenueOrder:
        raw = mapping(answer, "the answer to an order")
        theirs = raw.get("clientOrderId")
        if theirs is not None and theirs != self._codec.encode(order.client_id):
            raise AnswerUnusable(f"{self._exchange_id} answered order {order.client_id} with another id; look it up")
        if raw.get("status") is None or raw.get("amount") is None:
            # some venues answer with the id alone: it rests as it was sent, and how it goes on is asked for
            return VenueOrder(
                client_id=order.client_id,
                exchange_id=text(raw, "id"),
                symbol=self.symbol,
                side=order.side,
                state=OrderState.SUBMITTED,
                quantity=order.quantity,
                filled=Decimal(0),
                price=price,
                time_ms=self._dated() if raw.get("timestamp") is None else time_ms(raw),
            )
        placed = self._order(raw)
        if (placed.side, placed.quantity) != (order.side, order.quantity):
            raise AnswerUnusable(f"{self._exchange_id} answered order {order.client_id} with another one")
        return replace(placed, client_id=order.client_id)

    def _dated(self) -> int:
        return self._client.milliseconds() if self._market_time_ms is None else self._market_time_ms()

    async def _sent_before(self, client_id: str) -> VenueOrder:
        order = await self.order(client_id, None)
        if order is None:
            raise ConnectionLost(f"{self._exchange_id} says that order {client_id} was sent before, yet knows none")
        return order

    def _order(self, raw: object) -> VenueOrder:
        return parse_order(raw, self.symbol, self._codec)

    def _fills(self, raws: Sequence[Parsed]) -> list[VenueFill]:
        return oldest_first(parse_fill(raw, self.symbol, self._codec) for raw in raws)


def _rejected(error: VenueRefusal) -> OrderRejected:
    return FundsRejected(str(error)) if error.reason is Reason.FUNDS else OrderRejected(str(error))
