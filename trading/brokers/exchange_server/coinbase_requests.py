"""What clients of the Coinbase dialect may send: order bodies and list queries, checked by shape."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading.brokers.exchange_server.records import OrderRequest, OrderType, Side, TimeInForce

Amount = Annotated[Decimal, Field(gt=0, max_digits=40, allow_inf_nan=False)]


class _Body(BaseModel):
    # Coinbase ignores what it does not know.
    model_config = ConfigDict(extra="ignore", frozen=True)


class LimitSizes(_Body):
    """A limit order's size and price."""

    base_size: Amount
    limit_price: Amount
    post_only: bool = False


class MarketSizes(_Body):
    """A market order's size, in one of the two currencies."""

    base_size: Amount | None = None
    quote_size: Amount | None = None

    @model_validator(mode="after")
    def _one_size(self) -> MarketSizes:
        if (self.base_size is None) == (self.quote_size is None):
            raise ValueError("exactly one of base_size and quote_size is needed")
        return self


class OrderConfiguration(_Body):
    """The forms of orders that are spoken; exactly one is given."""

    limit_limit_gtc: LimitSizes | None = None
    sor_limit_ioc: LimitSizes | None = None
    limit_limit_fok: LimitSizes | None = None
    market_market_ioc: MarketSizes | None = None

    @model_validator(mode="after")
    def _one_form(self) -> OrderConfiguration:
        given = (self.limit_limit_gtc, self.sor_limit_ioc, self.limit_limit_fok, self.market_market_ioc)
        if sum(form is not None for form in given) != 1:
            raise ValueError("exactly one supported order configuration is needed")
        return self


class CreateOrder(_Body):
    """The body of ``POST /orders``."""

    client_order_id: Annotated[str, Field(min_length=1, max_length=128)]
    product_id: str
    side: Side
    order_configuration: OrderConfiguration

    def request(self, symbol: str) -> OrderRequest:
        """Return the order as the exchange takes it.

        Parameters
        ----------
        symbol : str
            ``BASE/QUOTE`` of the product.
        """
        form, client_id = self.order_configuration, self.client_order_id
        if form.market_market_ioc is not None:
            sizes = form.market_market_ioc
            return OrderRequest(
                symbol,
                self.side,
                OrderType.MARKET,
                quantity=sizes.base_size,
                quote_quantity=sizes.quote_size,
                client_id=client_id,
            )
        limits = (
            (form.limit_limit_gtc, TimeInForce.GTC),
            (form.sor_limit_ioc, TimeInForce.IOC),
            (form.limit_limit_fok, TimeInForce.FOK),
        )
        limit, in_force = next((sizes, in_force) for sizes, in_force in limits if sizes is not None)
        kind = OrderType.LIMIT_MAKER if limit.post_only else OrderType.LIMIT
        return OrderRequest(symbol, self.side, kind, limit.base_size, limit.limit_price, in_force, client_id=client_id)


class CancelOrders(_Body):
    """The body of ``POST /orders/batch_cancel``."""

    order_ids: Annotated[list[str], Field(min_length=1, max_length=100)]


class _Page(_Body):
    cursor: str = ""


class AccountsQuery(_Page):
    """The query of ``GET /accounts``."""

    limit: Annotated[int, Field(ge=1, le=250)] = 49


class OrdersQuery(_Page):
    """The query of ``GET /orders/historical/batch``."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    product_ids: list[str] = Field(default_factory=list)
    product_id: list[str] = Field(default_factory=list)
    order_ids: list[str] = Field(default_factory=list)
    order_status: list[str] = Field(default_factory=list)
    order_side: Side | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None


class FillsQuery(_Page):
    """The query of ``GET /orders/historical/fills``."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    product_ids: list[str] = Field(default_factory=list)
    product_id: list[str] = Field(default_factory=list)
    order_ids: list[str] = Field(default_factory=list)
    order_id: list[str] = Field(default_factory=list)
    start_sequence_timestamp: datetime | None = None
    end_sequence_timestamp: datetime | None = None


class CandlesQuery(_Body):
    """The query of ``GET /products/{product_id}/candles``; times are in seconds."""

    start: Annotated[int, Field(ge=0, le=10**11)]
    end: Annotated[int, Field(ge=0, le=10**11)]
    granularity: str
    limit: Annotated[int, Field(ge=1, le=350)] = 350


class TradesQuery(_Body):
    """The query of ``GET /products/{product_id}/ticker``; times are in seconds."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    start: int | None = None
    end: int | None = None
