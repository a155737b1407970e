"""The exchange in Coinbase's words, without I/O: products, orders, fills and accounts as its REST answers tell them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from trading.brokers.exchange_server import coinbase_messages as messages
from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.coinbase_gate import error_body
from trading.brokers.exchange_server.coinbase_messages import FeeTotals, JsonObject
from trading.brokers.exchange_server.coinbase_requests import (
    AccountsQuery,
    CancelOrders,
    CandlesQuery,
    CreateOrder,
    FillsQuery,
    OrdersQuery,
    TradesQuery,
)
from trading.brokers.exchange_server.config import FeeAsset
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.records import (
    AssetBalance,
    Event,
    ExchangeRefusal,
    Execution,
    OrderRequest,
    OrderSnapshot,
    OrderUpdated,
)
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.errors import UsageError
from trading.market.timeframes import timeframe_ms

T = TypeVar("T")

_ALL = 1_000_000_000
_MOST_CANDLES = 350
# Binance's words for a refusal, and what Coinbase says instead: error, message, preview failure.
_REFUSALS = {
    "insufficient balance": (
        "INSUFFICIENT_FUND",
        "Insufficient balance in source account",
        "PREVIEW_INSUFFICIENT_FUND",
    ),
    "immediately match": (
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "Post only order would cross the book",
        "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY",
    ),
    "PERCENT_PRICE": ("INVALID_LIMIT_PRICE", "Limit price is out of bounds", "PREVIEW_INVALID_LIMIT_PRICE"),
    "PRICE_FILTER": ("INVALID_PRICE_PRECISION", "Too many decimals in price", "PREVIEW_INVALID_PRICE_PRECISION"),
    "MARKET_LOT_SIZE": ("UNKNOWN_FAILURE_REASON", "Order size is too large", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    "LOT_SIZE": ("INVALID_SIZE_PRECISION", "Too many decimals in order amount", "PREVIEW_INVALID_SIZE_PRECISION"),
    "NOTIONAL": ("UNKNOWN_FAILURE_REASON", "Order size is too small", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    "closed": ("ORDER_ENTRY_DISABLED", "Orderbook is in cancel only mode", "UNKNOWN_PREVIEW_FAILURE_REASON"),
}
_OTHER_REFUSAL = ("COMMANDER_REJECTED_NEW_ORDER", "The order was rejected", "UNKNOWN_PREVIEW_FAILURE_REASON")


class CoinbaseRefusal(Exception):
    """A request that is answered with an error body.

    Parameters
    ----------
    status : int
        HTTP.
    error : str
        Coinbase's word for it.
    text : str
        What went wrong.
    """

    def __init__(self, status: int, error: str, text: str) -> None:
        super().__init__(f"{error}: {text}")
        self.status = status
        self.body = error_body(error, text)


class FeeLedger:
    """What every order has paid so far, kept up with the exchange's events.

    Parameters
    ----------
    exchange : SimulatedExchange
        Whose orders; none may have traded yet.
    """

    def __init__(self, exchange: SimulatedExchange) -> None:
        self._totals: dict[int, FeeTotals] = {}
        exchange.on_event(self._on_event, (OrderUpdated,))

    def of(self, order_id: int) -> FeeTotals:
        """Return the totals of an order."""
        return self._totals.get(order_id, FeeTotals())

    def _on_event(self, event: Event) -> None:
        if isinstance(event, OrderUpdated) and event.execution is not None:
            before = self.of(event.order.order_id)
            self._totals[event.order.order_id] = FeeTotals(before.fees + event.execution.fee, before.count + 1)


class CoinbaseDialect:
    """Answers to Coinbase's requests.

    Parameters
    ----------
    exchange : SimulatedExchange
        What they are about; its fees must be taken in the quote currency, as Coinbase takes them.
    faults : Faults
        Delisting, missing funds, stale answers.
    history : AccountHistory
        What stale answers tell.

    Raises
    ------
    UsageError
        When the exchange takes fees from what is received.
    """

    def __init__(self, exchange: SimulatedExchange, faults: Faults, history: AccountHistory) -> None:
        if exchange.config.fee_asset is not FeeAsset.QUOTE:
            raise UsageError("the Coinbase dialect tells fees in quote currency; set fee_asset to quote")
        self.exchange = exchange
        self.ledger = FeeLedger(exchange)
        self._faults = faults
        self._history = history
        self._opened_ms = exchange.now_ms

    def symbol_of(self, product_id: str) -> str:
        """Return the symbol of a product.

        Raises
        ------
        CoinbaseRefusal
            404 when there is none.
        """
        symbol = self.exchange.find(product_id) if "-" in product_id else None
        if symbol is None:
            raise CoinbaseRefusal(404, "NOT_FOUND", f"valid product_id is required: {product_id}")
        return symbol

    def product(self, product_id: str) -> JsonObject:
        """Return one product."""
        return self._product(self.symbol_of(product_id))

    def products(self, product_type: str | None) -> JsonObject:
        """Return all products of a type; there are none but spot."""
        symbols = self.exchange.symbols if product_type in {None, "SPOT"} else ()
        return {"products": [self._product(symbol) for symbol in symbols], "num_products": len(symbols)}

    def book(self, product_id: str, limit: int) -> JsonObject:
        """Return the book of a product."""
        depth = self.exchange.depth(self.symbol_of(product_id), limit)
        return {"pricebook": messages.price_book(depth, product_id, self.exchange.now_ms)}

    def best_prices(self, product_ids: Sequence[str]) -> JsonObject:
        """Return the top of the book of some products, of all when none is named."""
        wanted = product_ids or [self.exchange.market(symbol).product_id for symbol in self.exchange.symbols]
        books = [
            messages.price_book(self.exchange.depth(self.symbol_of(name), 1), name, self.exchange.now_ms)
            for name in wanted
        ]
        return {"pricebooks": books}

    def candles(self, product_id: str, query: CandlesQuery) -> JsonObject:
        """Return candles, newest first.

        Raises
        ------
        CoinbaseRefusal
            400 when the granularity is unknown or too many candles are asked for.
        """
        timeframe = messages.GRANULARITIES.get(query.granularity)
        if timeframe is None:
            raise CoinbaseRefusal(400, "INVALID_ARGUMENT", f"Unsupported granularity: {query.granularity}")
        if (query.end - query.start) * 1000 > _MOST_CANDLES * timeframe_ms(timeframe):
            raise CoinbaseRefusal(
                400, "INVALID_ARGUMENT", f"number of candles requested should be less than {_MOST_CANDLES}"
            )
        symbol = self.symbol_of(product_id)
        klines = self.exchange.klines(symbol, timeframe, query.start * 1000, query.end * 1000, query.limit)
        return {"candles": [messages.candle(kline) for kline in reversed(klines)]}

    def trades(self, product_id: str, query: TradesQuery) -> JsonObject:
        """Return the latest trades, newest first, and the top of the book."""
        symbol = self.symbol_of(product_id)
        start_ms, end_ms = (None if second is None else second * 1000 for second in (query.start, query.end))
        found = self.exchange.trades_between(symbol, start_ms=start_ms, end_ms=end_ms, limit=_ALL)[-query.limit :]
        depth = self.exchange.depth(symbol, 1)
        return {
            "trades": [messages.market_trade(trade, product_id) for trade in reversed(found)],
            "best_bid": messages.amount_text(depth.bids[0].price) if depth.bids else "",
            "best_ask": messages.amount_text(depth.asks[0].price) if depth.asks else "",
        }

    def transaction_summary(self, account: str) -> JsonObject:
        """Return an account's fee tier."""
        fees = self.exchange.fees[self.exchange.symbols[0]]
        fills = [one for symbol in self.exchange.symbols for one in self._executions(account, symbol)]
        volume = sum((one.quote_quantity for one in fills), Decimal(0))
        paid = sum((one.fee for one in fills), Decimal(0))
        return {
            "total_volume": float(volume),
            "total_fees": float(paid),
            "fee_tier": {
                "pricing_tier": "Advanced 1",
                "usd_from": "0",
                "usd_to": "1000",
                "taker_fee_rate": messages.amount_text(Decimal(fees.taker_ppm).scaleb(-6)),
                "maker_fee_rate": messages.amount_text(Decimal(fees.maker_ppm).scaleb(-6)),
                "aop_from": "",
                "aop_to": "",
            },
            "margin_rate": None,
            "goods_and_services_tax": None,
            "advanced_trade_only_volume": float(volume),
            "advanced_trade_only_fees": float(paid),
            "coinbase_pro_volume": 0,
            "coinbase_pro_fees": 0,
            "total_balance": "",
            "has_promo_fee": False,
        }

    def place(self, account: str, body: CreateOrder) -> JsonObject:
        """Place an order; a client order id that was used before brings back its order and places none.

        Parameters
        ----------
        account : str
            Whose.
        body : CreateOrder
            What was sent.
        """
        known = self._by_client_id(account, body.client_order_id)
        if known is not None:
            return self._placed(known)
        symbol = self.exchange.find(body.product_id) if "-" in body.product_id else None
        if symbol is None:
            return _failed(body, ("INVALID_PRODUCT_ID", "Invalid product_id", "PREVIEW_INVALID_PRODUCT_ID"))
        try:
            return self._placed(self._place(account, body.request(symbol)))
        except ExchangeRefusal as refusal:
            words = next((words for part, words in _REFUSALS.items() if part in refusal.text), _OTHER_REFUSAL)
            return _failed(body, words)

    def cancel(self, account: str, body: CancelOrders) -> JsonObject:
        """Cancel orders; each has a result of its own."""
        return {"results": [self._cancelled(account, order_id) for order_id in body.order_ids]}

    def order(self, account: str, order_id: str) -> JsonObject:
        """Return one order.

        Raises
        ------
        CoinbaseRefusal
            404 when the account has none of that id.
        """
        found = self._by_id(account, order_id)
        if found is None:
            raise CoinbaseRefusal(404, "NOT_FOUND", "order with this orderID was not found")
        return {"order": self.told(found)}

    def orders(self, account: str, query: OrdersQuery) -> JsonObject:
        """Return a page of orders, newest first."""
        symbols = self._symbols({*query.product_ids, *query.product_id})
        start_ms, end_ms = _ms(query.start_date), _ms(query.end_date)
        statuses = frozenset(query.order_status)
        wanted = [
            order
            for order in self._orders(account, symbols, open_only=statuses == {"OPEN"})
            if _within(order.created_ms, start_ms, end_ms)
            and (not statuses or messages.STATUSES[order.status] in statuses)
            and (query.order_side is None or order.side is query.order_side)
            and (not query.order_ids or messages.order_uuid(order.order_id) in query.order_ids)
        ]
        page, cursor = _page(wanted, lambda order: order.order_id, query.cursor, query.limit)
        told = [self.told(order) for order in page]
        return {"orders": told, "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def fills(self, account: str, query: FillsQuery) -> JsonObject:
        """Return a page of fills, newest first."""
        start_ms, end_ms = _ms(query.start_sequence_timestamp), _ms(query.end_sequence_timestamp)
        stale_ms = self._stale_ms()
        if stale_ms is not None:
            end_ms = stale_ms if end_ms is None else min(end_ms, stale_ms)
        wanted_orders = {*query.order_ids, *query.order_id}
        wanted = [
            one
            for symbol in self._symbols({*query.product_ids, *query.product_id})
            for one in self._executions(account, symbol, start_ms, end_ms)
            if not wanted_orders or messages.order_uuid(one.order_id) in wanted_orders
        ]
        page, cursor = _page(wanted, _execution_key(self.exchange.symbols), query.cursor, query.limit)
        product_id = {symbol: self.exchange.market(symbol).product_id for symbol in self.exchange.symbols}
        return {"fills": [messages.fill(one, product_id[one.symbol]) for one in page], "cursor": cursor}

    def accounts(self, account: str, query: AccountsQuery) -> JsonObject:
        """Return a page of wallets, one for each asset."""
        balances = self._balances(account)
        place = {balance.asset: -number for number, balance in enumerate(balances)}
        page, cursor = _page(balances, lambda balance: place[balance.asset], query.cursor, query.limit)
        told = [messages.account(balance, account, self._opened_ms) for balance in page]
        return {"accounts": told, "has_next": bool(cursor), "cursor": cursor, "size": len(told)}

    def wallets(self, account: str) -> JsonObject:
        """Return all wallets in the older form."""
        found = [messages.wallet(balance, account, self._opened_ms) for balance in self._balances(account)]
        return {"pagination": {"next_uri": None, "limit": 250, "order": "desc"}, "data": found}

    def key_permissions(self, account: str) -> JsonObject:
        """Return what the account's key may do."""
        owner = self.exchange.accounts[account]
        return {
            "can_view": True,
            "can_trade": owner.can_trade,
            "can_transfer": owner.can_withdraw,
            "portfolio_uuid": messages.derived_uuid("portfolio", account),
            "portfolio_type": "DEFAULT",
        }

    def told(self, order: OrderSnapshot) -> JsonObject:
        """Return an order in Coinbase's words."""
        product_id = self.exchange.market(order.symbol).product_id
        return messages.order(order, product_id, self.ledger.of(order.order_id))

    def stream_told(self, order: OrderSnapshot) -> JsonObject:
        """Return an order in the words of the user channel."""
        product_id = self.exchange.market(order.symbol).product_id
        return messages.stream_order(order, product_id, self.ledger.of(order.order_id))

    def _product(self, symbol: str) -> JsonObject:
        exchange = self.exchange
        return messages.product(
            exchange.market(symbol), exchange.day_ticker(symbol), tradable=exchange.is_trading(symbol)
        )

    def _place(self, account: str, request: OrderRequest) -> OrderSnapshot:
        if self._faults.happens("delisting"):
            self.exchange.delist(request.symbol, self._faults.config.delisting_s)
        if self._faults.happens("insufficient_funds"):
            raise self.exchange.refuse_funds(account, request)
        placed = self.exchange.place(account, request)
        if placed is None:
            raise UsageError("the exchange answered an order as a test; report it")
        return placed.order

    def _placed(self, order: OrderSnapshot) -> JsonObject:
        order_id = messages.order_uuid(order.order_id)
        success = {
            "order_id": order_id,
            "product_id": self.exchange.market(order.symbol).product_id,
            "side": str(order.side),
            "client_order_id": order.client_id,
            "attached_order_id": "",
        }
        return {
            "success": True,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": order_id,
            "success_response": success,
            "order_configuration": messages.order_configuration(order),
        }

    def _cancelled(self, account: str, order_id: str) -> JsonObject:
        found = self._by_id(account, order_id)
        reason = "UNKNOWN_CANCEL_FAILURE_REASON"
        if found is None or not found.is_open:
            reason = "UNKNOWN_CANCEL_ORDER"
        else:
            self.exchange.cancel(account, found.symbol, found.order_id)
        return {"success": reason != "UNKNOWN_CANCEL_ORDER", "failure_reason": reason, "order_id": order_id}

    def _by_id(self, account: str, order_id: str) -> OrderSnapshot | None:
        number = messages.order_id_of(order_id)
        return None if number is None else self._found(account, number, None)

    def _by_client_id(self, account: str, client_id: str) -> OrderSnapshot | None:
        return self._found(account, None, client_id)

    def _found(self, account: str, order_id: int | None, client_id: str | None) -> OrderSnapshot | None:
        for symbol in self.exchange.symbols:
            try:
                return self.exchange.order(account, symbol, order_id, client_id)
            except ExchangeRefusal:
                continue
        return None

    def _symbols(self, product_ids: Iterable[str]) -> tuple[str, ...]:
        wanted = [self.symbol_of(product_id) for product_id in product_ids]
        return tuple(wanted) or self.exchange.symbols

    def _orders(self, account: str, symbols: Sequence[str], *, open_only: bool) -> Iterable[OrderSnapshot]:
        if not open_only:
            return [one for symbol in symbols for one in self.exchange.all_orders(account, symbol, limit=_ALL)]
        stale_ms = self._stale_ms()
        if stale_ms is None:
            found = self.exchange.open_orders(account)
        else:
            found = self._history.before(account, stale_ms).open_orders
        return [one for one in found if one.symbol in symbols]

    def _balances(self, account: str) -> tuple[AssetBalance, ...]:
        stale_ms = self._stale_ms()
        if stale_ms is None:
            return self.exchange.balances(account)
        return self._history.before(account, stale_ms).balances

    def _stale_ms(self) -> int | None:
        if not self._faults.happens("stale"):
            return None
        return self.exchange.now_ms - self._faults.config.stale_ms

    def _executions(
        self, account: str, symbol: str, start_ms: int | None = None, end_ms: int | None = None
    ) -> tuple[Execution, ...]:
        return self.exchange.my_trades(account, symbol, start_ms=start_ms, end_ms=end_ms, limit=_ALL)


def _failed(body: CreateOrder, words: tuple[str, str, str]) -> JsonObject:
    error, text, preview = words
    return {
        "success": False,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": "",
        "error_response": {
            "error": error,
            "message": text,
            "error_details": "",
            "preview_failure_reason": preview,
            "new_order_failure_reason": error,
        },
        "order_configuration": body.order_configuration.model_dump(mode="json", exclude_none=True),
    }


def _execution_key(symbols: Sequence[str]) -> Callable[[Execution], int]:
    place = {symbol: number for number, symbol in enumerate(symbols)}

    def key(one: Execution) -> int:
        # Trades of one account with itself do not happen, so an order has a trade id once.
        return (one.time_ms * len(place) + place[one.symbol]) * 2**40 + one.trade_id

    return key


def _page(found: Sequence[T], key: Callable[[T], int], cursor: str, limit: int) -> tuple[list[T], str]:
    """Return the records of one page, highest key first, and the cursor of the next page, empty at the end."""
    after = _cursor_key(cursor)
    newest_first = sorted(found, key=key, reverse=True)
    rest = newest_first if after is None else [one for one in newest_first if key(one) < after]
    page = rest[:limit]
    return page, _cursor(key(page[-1])) if len(rest) > limit else ""


def _cursor(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode()


def _cursor_key(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        return int(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as fault:
        raise CoinbaseRefusal(400, "INVALID_ARGUMENT", f"invalid cursor: {cursor}") from fault


def _within(time_ms: int, start_ms: int | None, end_ms: int | None) -> bool:
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
