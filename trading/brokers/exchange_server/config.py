"""How a built-in exchange is set up; pydantic, because it comes from command lines, files and tests."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from trading.settings import MarketSettings

Probability = Annotated[float, Field(ge=0, le=1)]

TEST_KEY = "gridbot-test-key"
# What signs requests to an exchange on this machine that holds no money.
TEST_SECRET = "gridbot-test-secret"  # noqa: S105


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FeeAsset(StrEnum):
    """What an order's fee is taken from."""

    RECEIVED = "received"
    QUOTE = "quote"


class FlowKind(StrEnum):
    """What moves the price of a symbol without candles of its own: a synthetic market, or nothing but pushes."""

    SYNTHETIC = "synthetic"
    STILL = "still"


class AccountConfig(_Section):
    """A customer and what the exchange is given for it."""

    name: str = Field("main", description="how the exchange calls the account")
    api_key: str = Field(TEST_KEY, description="the key of its requests")
    secret: str = Field(TEST_SECRET, description="what signs its requests", repr=False)
    can_withdraw: bool = Field(False, description="what the exchange tells of the key's permissions")
    balances: dict[str, Decimal] = Field({"USDT": Decimal(10_000)}, description="first balances by asset")


class LimitConfig(_Section):
    """Rate limits, counted on market time."""

    weight_per_minute: Annotated[int, Field(ge=1)] = Field(6_000, description="request weight in a minute")
    raw_requests_per_5_minutes: Annotated[int, Field(ge=1)] = Field(61_000, description="requests in five minutes")
    orders_per_10_seconds: Annotated[int, Field(ge=1)] = Field(100, description="new orders of an account")
    orders_per_day: Annotated[int, Field(ge=1)] = Field(200_000, description="new orders of an account")
    refusals_before_ban: Annotated[int, Field(ge=1)] = Field(10, description="429 answers in a minute before a 418")
    ban_s: Annotated[int, Field(ge=1)] = Field(120, description="first ban; each further one is twice as long")


class FaultConfig(_Section):
    """What goes wrong, each by its own probability per request, message or order; all 0 by default."""

    seed: int = Field(0, description="seed of all draws")
    latency: Probability = Field(0.0, description="answer late, by up to latency_ms")
    latency_ms: Annotated[int, Field(ge=0)] = Field(250, description="longest delay of an answer")
    drop_before: Probability = Field(0.0, description="close the connection before the request is worked on")
    drop_after: Probability = Field(0.0, description="work on the request, then close the connection unanswered")
    error_500: Probability = Field(0.0, description="answer 500 without doing anything")
    error_502: Probability = Field(0.0, description="answer 502 without doing anything")
    error_503: Probability = Field(0.0, description="answer 503 with the request done or not, by a coin")
    error_504: Probability = Field(0.0, description="answer 504 with the request done or not, by a coin")
    garbage: Probability = Field(0.0, description="answer 200 with truncated JSON or HTML, the request done")
    too_many: Probability = Field(0.0, description="begin a burst of 429 answers")
    too_many_s: Annotated[int, Field(ge=1)] = Field(5, description="length of such a burst")
    stale: Probability = Field(0.0, description="answer open orders, trades and account as they were before")
    stale_ms: Annotated[int, Field(ge=0)] = Field(5_000, description="how long before, market time")
    duplicate: Probability = Field(0.0, description="send a stream message twice")
    reorder: Probability = Field(0.0, description="send a stream message after the next one")
    disconnect: Probability = Field(0.0, description="cut a stream's connection when it should get a message")
    insufficient_funds: Probability = Field(0.0, description="refuse an order for want of funds")
    maintenance: Probability = Field(0.0, description="begin a maintenance window")
    maintenance_s: Annotated[int, Field(ge=1)] = Field(30, description="length of such a window, market time")
    delisting: Probability = Field(0.0, description="halt the symbol of a new order and cancel its open orders")
    delisting_s: Annotated[int, Field(ge=0)] = Field(60, description="length of that halt, market time; 0 is for good")
    clock_skew: Probability = Field(0.0, description="begin a time in which the exchange's clock is off")
    clock_skew_ms: int = Field(0, description="how far the clock is off; with clock_skew 0, always")
    clock_skew_s: Annotated[int, Field(ge=1)] = Field(30, description="length of such a time, market time")


class ExchangeConfig(_Section):
    """A built-in exchange."""

    symbols: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("BTC/USDT",), description="markets, BASE/QUOTE; those with candles of their own replay them"
    )
    timeframe: str = Field("1m", description="candle length of synthetic markets, and the shortest klines")
    seed: Annotated[int, Field(ge=0)] = Field(7, description="seed of prices, volumes and quotes")
    flow: FlowKind = Field(FlowKind.SYNTHETIC, description="what moves symbols that have no candles")
    start_ms: int = Field(1_735_689_600_000, description="market time at the start of synthetic markets, ms UTC")
    start_price: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(30_000.0, description="first price ever")
    history: Annotated[int, Field(ge=1, le=20_000)] = Field(1_500, description="closed candles at the start")
    trades_per_candle: Annotated[int, Field(ge=4, le=240)] = Field(6, description="trades of the flow in a candle")
    volume_scale: Annotated[float, Field(gt=0)] = Field(1.0, description="factor on the volume of all candles")
    spread: Annotated[float, Field(ge=0, lt=0.5)] = Field(0.0002, description="flow's bid-ask spread, share of price")
    depth_levels: Annotated[int, Field(ge=1, le=100)] = Field(10, description="price levels that the flow quotes")
    market: MarketSettings = Field(MarketSettings(), description="pinned filters and fees; else as in a backtest")
    fee_asset: FeeAsset = Field(FeeAsset.RECEIVED, description="where fees are taken from")
    accounts: Annotated[tuple[AccountConfig, ...], Field(min_length=1)] = Field(
        (AccountConfig(),), description="customers"
    )
    max_orders: Annotated[int, Field(ge=1)] = Field(200, description="open orders of an account in a market")
    keep_candles: Annotated[int, Field(ge=1_000)] = Field(20_000, description="newest klines that stay known")
    keep_trades: Annotated[int, Field(ge=1_000)] = Field(5_000, description="newest market trades that stay known")
    speed: Annotated[float, Field(gt=0, le=1_000)] = Field(1.0, description="market seconds in a real second")
    lockstep: bool = Field(False, description="market time moves by POST /sim/advance alone")
    limits: LimitConfig = Field(LimitConfig(), description="rate limits")
    faults: FaultConfig = Field(FaultConfig(), description="what goes wrong")
