"""Questions that venues answer in different ways: listings to their last page, and orders by our own id."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, Protocol

from ccxt.base.errors import ExchangeError, OrderNotFound

from trading.brokers.parsing import Raw, balance, decimal, mapping, parse_balances, sequence, text, time_ms
from trading.exchange.calls import AnswerUnusable
from trading.exchange.venue_client import VenueClient
from trading.orders.venue import Balance

Parsed = Mapping[str, object]
"""One of ccxt's unified structures."""

Account = tuple[dict[str, Balance], Raw]
"""Balances by asset, and the whole answer that told them."""

_BINANCE_PAGE = 1_000
_COINBASE_PAGE = 250
_KRAKEN_PAGE = 50
_GENERIC_PAGE = 100
_MOST_PAGES = 10_000
_COINBASE_UNKNOWN = "order with this orderID was not found"


class Dialect(Protocol):
    """How one venue is asked; every answer is checked to be of its form before ccxt reads it."""

    async def open_orders(self) -> Sequence[Parsed]:
        """Return all open orders of the symbol."""
        ...

    async def order_by_client_id(self, encoded: str) -> Parsed | None:
        """Return an order by the venue's form of our id; None when the venue knows none."""
        ...

    async def order_by_id(self, exchange_id: str) -> Parsed:
        """Return an order by the venue's id; ccxt raises OrderNotFound when it knows none."""
        ...

    async def trades_since(self, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of the account in the symbol from a time on."""
        ...

    async def trades_of(self, exchange_id: str, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of one order, which was placed at a time."""
        ...

    async def account(self) -> Account:
        """Return the account's assets, and the answer that told them."""
        ...


class _Asked:
    def __init__(self, client: VenueClient, symbol: str) -> None:
        self._client = client
        self._symbol = symbol

    @property
    def _market_id(self) -> str:
        return text(self._client.market(self._symbol), "id")

    async def account(self) -> Account:
        """Return the account's assets, as ccxt reads them."""
        answer = mapping(await self._client.fetch_balance(), "the account")
        return parse_balances(answer), answer

    async def _ask(self, endpoint: str, **request: object) -> object:
        return await getattr(self._client, endpoint)(request)

    def _orders(self, raws: Sequence[object]) -> list[Parsed]:
        market = self._client.market(self._symbol)
        return [self._client.parse_order(mapping(raw, "an order"), market) for raw in raws]

    def _trades(self, raws: Sequence[object]) -> list[Parsed]:
        market = self._client.market(self._symbol)
        return [self._client.parse_trade(mapping(raw, "a trade"), market) for raw in raws]


class BinanceDialect(_Asked):
    """Binance spot, REST v3: https://developers.binance.com/docs/binance-spot-api-docs/rest-api."""

    async def open_orders(self) -> Sequence[Parsed]:
        """Return all open orders of the symbol; one answer has them all."""
        return self._orders(sequence(await self._ask("privateGetOpenOrders", symbol=self._market_id), "open orders"))

    async def order_by_client_id(self, encoded: str) -> Parsed | None:
        """Return an order by our id; ccxt raises OrderNotFound when the venue knows none."""
        answer = await self._ask("privateGetOrder", symbol=self._market_id, origClientOrderId=encoded)
        return self._orders([answer])[0]

    async def order_by_id(self, exchange_id: str) -> Parsed:
        """Return an order by the venue's id."""
        return self._orders([await self._ask("privateGetOrder", symbol=self._market_id, orderId=exchange_id)])[0]

    async def trades_since(self, since_ms: int) -> Sequence[Parsed]:
        """Return all trades from a time on: the first page by time, the others by the id after the last."""
        return await self._paged(startTime=since_ms)

    async def trades_of(self, exchange_id: str, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of one order."""
        del since_ms
        # without an id to begin at the venue tells the newest only
        return await self._paged(orderId=exchange_id, fromId=0)

    async def account(self) -> Account:
        """Return the account's assets that are not nothing, and the answer, which tells its fees too."""
        answer = mapping(await self._ask("privateGetAccount", omitZeroBalances="true"), "the account")
        told: dict[str, Balance] = {}
        for entry in sequence(answer.get("balances"), "balances"):
            raw = mapping(entry, "a balance")
            asset = self._client.safe_currency_code(text(raw, "asset"))
            told[asset] = balance(asset, decimal(raw, "free"), decimal(raw, "locked"))
        return told, answer

    async def _paged(self, **first: object) -> Sequence[Parsed]:
        fixed = {name: value for name, value in first.items() if name != "startTime"}
        asked, found = first, list[object]()
        for _ in range(_MOST_PAGES):
            answer = await self._ask("privateGetMyTrades", symbol=self._market_id, limit=_BINANCE_PAGE, **asked)
            page = [mapping(raw, "a trade") for raw in sequence(answer, "trades")]
            found.extend(page)
            if len(page) < _BINANCE_PAGE:
                return self._trades(found)
            asked = {**fixed, "fromId": max(int(decimal(raw, "id")) for raw in page) + 1}
        raise _endless("trades")


class CoinbaseDialect(_Asked):
    """Coinbase Advanced Trade v3: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api."""

    async def open_orders(self) -> Sequence[Parsed]:
        """Return all open orders of the symbol."""
        orders = self._pages("v3PrivateGetBrokerageOrdersHistoricalBatch", "orders", order_status="OPEN")
        return self._orders([raw async for page in orders for raw in page])

    async def order_by_client_id(self, encoded: str) -> Parsed | None:
        """Return an order by our id: the venue has no such question, so its orders are read, the newest first."""
        async for page in self._pages("v3PrivateGetBrokerageOrdersHistoricalBatch", "orders"):
            for raw in page:
                if mapping(raw, "an order").get("client_order_id") == encoded:
                    return self._orders([raw])[0]
        return None

    async def order_by_id(self, exchange_id: str) -> Parsed:
        """Return an order by the venue's id."""
        try:
            answer = await self._ask("v3PrivateGetBrokerageOrdersHistoricalOrderId", order_id=exchange_id)
        except ExchangeError as error:
            # ccxt's own table has the venue's words wrong
            if _COINBASE_UNKNOWN in str(error):
                raise OrderNotFound(str(error)) from error
            raise
        return self._orders([mapping(answer, "the answer").get("order")])[0]

    async def trades_since(self, since_ms: int) -> Sequence[Parsed]:
        """Return all trades from a time on."""
        start = self._client.iso8601(since_ms)
        fills = self._pages("v3PrivateGetBrokerageOrdersHistoricalFills", "fills", start_sequence_timestamp=start)
        return self._trades([raw async for page in fills for raw in page])

    async def trades_of(self, exchange_id: str, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of one order."""
        del since_ms
        fills = self._pages("v3PrivateGetBrokerageOrdersHistoricalFills", "fills", order_id=exchange_id)
        return self._trades([raw async for page in fills for raw in page])

    async def account(self) -> Account:
        """Return the account's assets; an asset in several wallets counts once, with their sum."""
        told: dict[str, Balance] = {}
        async for page in self._listing("v3PrivateGetBrokerageAccounts", "accounts", limit=_COINBASE_PAGE):
            for entry in page:
                raw = mapping(entry, "an account")
                asset = self._client.safe_currency_code(text(raw, "currency"))
                free = decimal(mapping(raw.get("available_balance"), "what is free"), "value")
                locked = decimal(mapping(raw.get("hold"), "what is held"), "value")
                had = told.get(asset, Balance())
                told[asset] = balance(asset, had.free + free, had.locked + locked)
        return told, {}

    def _pages(self, endpoint: str, name: str, **request: object) -> AsyncIterator[Sequence[object]]:
        return self._listing(endpoint, name, product_id=self._market_id, limit=_COINBASE_PAGE, **request)

    async def _listing(self, endpoint: str, name: str, **request: object) -> AsyncIterator[Sequence[object]]:
        asked = dict(request)
        seen = set[str]()
        for _ in range(_MOST_PAGES):
            answer = mapping(await self._ask(endpoint, **asked), "the answer")
            yield sequence(answer.get(name), name)
            cursor = answer.get("cursor")
            if not cursor or answer.get("has_next") is False:
                return
            if not isinstance(cursor, str) or cursor in seen:
                raise AnswerUnusable(f"the listing of {name} leads back to where it was; it is not used")
            seen.add(cursor)
            asked["cursor"] = cursor
        raise _endless(name)


class KrakenDialect(_Asked):
    """Kraken spot REST: https://docs.kraken.com/api-reference."""

    async def open_orders(self) -> Sequence[Parsed]:
        """Return all open orders of the symbol; one answer has those of all symbols."""
        return self._of_symbol(await self._named("privatePostOpenOrders", "open"))

    async def order_by_client_id(self, encoded: str) -> Parsed | None:
        """Return an order by our id, from the open orders, then from those that have ended."""
        for endpoint, name in (("privatePostOpenOrders", "open"), ("privatePostClosedOrders", "closed")):
            orders = self._of_symbol(await self._named(endpoint, name, cl_ord_id=encoded))
            for order in orders:
                if order.get("clientOrderId") == encoded:
                    return order
        return None

    async def order_by_id(self, exchange_id: str) -> Parsed:
        """Return an order by the venue's id."""
        return await self._client.fetch_order(exchange_id, self._symbol, {})

    async def trades_since(self, since_ms: int) -> Sequence[Parsed]:
        """Return all trades from a time on; the venue's pages begin with the newest."""
        found: dict[str, Raw] = {}
        # a page moves on when a trade is made meanwhile: what comes twice counts once
        for page in range(_MOST_PAGES):
            # the venue leaves out what happened in the very second of `start`
            start, skip = since_ms // 1000 - 1, page * _KRAKEN_PAGE
            result = await self._result("privatePostTradesHistory", start=start, ofs=skip)
            trades = mapping(result.get("trades"), "trades")
            found |= {name: mapping(trade, "a trade") for name, trade in trades.items()}
            if len(trades) < _KRAKEN_PAGE:
                return [one for one in self._traded(found) if time_ms(one) >= since_ms]
        raise _endless("trades")

    async def trades_of(self, exchange_id: str, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of one order."""
        return [trade for trade in await self.trades_since(since_ms - 1_000) if trade.get("order") == exchange_id]

    async def account(self) -> Account:
        """Return the account's assets."""
        answer = mapping(await self._ask("privatePostBalanceEx"), "the answer")
        mapping(answer.get("result"), "the balances")
        return parse_balances(self._client.parse_balance(answer)), {}

    async def _result(self, endpoint: str, **request: object) -> Raw:
        return mapping(mapping(await self._ask(endpoint, **request), "the answer").get("result"), "the result")

    async def _named(self, endpoint: str, name: str, **request: object) -> list[Parsed]:
        orders = mapping((await self._result(endpoint, **request)).get(name), name)
        # an order knows its market by itself, under its older name
        return [self._client.parse_order({"id": key, **mapping(raw, "an order")}) for key, raw in orders.items()]

    def _traded(self, trades: Mapping[str, Raw]) -> list[Parsed]:
        return self._of_symbol([self._client.parse_trade({"id": key, **raw}) for key, raw in trades.items()])

    def _of_symbol(self, parsed: Sequence[Parsed]) -> list[Parsed]:
        for one in parsed:
            if not isinstance(one.get("symbol"), str):
                raise AnswerUnusable("an entry of the listing names no market; the listing is not used")
        return [one for one in parsed if one.get("symbol") == self._symbol]


class GenericDialect(_Asked):
    """Any other venue, by ccxt's unified questions."""

    async def open_orders(self) -> Sequence[Parsed]:
        """Return all open orders of the symbol."""
        return _listed(await self._client.fetch_open_orders(self._symbol, None, None, {}), "open orders")

    async def order_by_client_id(self, encoded: str) -> Parsed | None:
        """Return an order by our id, from the listings that the venue has."""
        for name, ask in (
            ("fetchOpenOrders", self._client.fetch_open_orders),
            ("fetchOrders", self._client.fetch_orders),
            ("fetchClosedOrders", self._client.fetch_closed_orders),
        ):
            if not self._client.has.get(name):
                continue
            for order in _listed(await ask(self._symbol, None, None, {}), "orders"):
                if order.get("clientOrderId") == encoded:
                    return order
        if not (self._client.has.get("fetchOrders") or self._client.has.get("fetchClosedOrders")):
            raise AnswerUnusable(f"{self._client.id} lists no ended orders, so nothing is known of {encoded}")
        return None

    async def order_by_id(self, exchange_id: str) -> Parsed:
        """Return an order by the venue's id."""
        return mapping(await self._client.fetch_order(exchange_id, self._symbol, {}), "an order")

    async def trades_since(self, since_ms: int) -> Sequence[Parsed]:
        """Return all trades from a time on, page after page by the time of the last."""
        found: dict[str, Parsed] = {}
        start = since_ms
        for _ in range(_MOST_PAGES):
            page = _listed(await self._client.fetch_my_trades(self._symbol, start, _GENERIC_PAGE, {}), "trades")
            fresh = {text(trade, "id"): trade for trade in page if text(trade, "id") not in found}
            found |= fresh
            if not fresh:
                return list(found.values())
            start = max(time_ms(trade) for trade in page)
        raise _endless("trades")

    async def trades_of(self, exchange_id: str, since_ms: int) -> Sequence[Parsed]:
        """Return all trades of one order."""
        return [trade for trade in await self.trades_since(since_ms - 1_000) if trade.get("order") == exchange_id]


_DIALECTS: Final[Mapping[str, Callable[[VenueClient, str], Dialect]]] = {
    "binance": BinanceDialect,
    "coinbase": CoinbaseDialect,
    "kraken": KrakenDialect,
}


def dialect_of(client: VenueClient, symbol: str) -> Dialect:
    """Return how a client's venue is asked about a symbol."""
    return _DIALECTS.get(client.id, GenericDialect)(client, symbol)


def _listed(value: object, what: str) -> list[Parsed]:
    return [mapping(one, what) for one in sequence(value, what)]


def _endless(what: str) -> AnswerUnusable:
    return AnswerUnusable(f"the listing of {what} has no end after {_MOST_PAGES} pages; it is not used")
