"""The command ``exchange``: the built-in exchange on this machine, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import Field, ValidationError
from rich.console import RenderableType

from trading.brokers.exchange_server.config import (
    TEST_KEY,
    TEST_SECRET,
    AccountConfig,
    ExchangeConfig,
    FaultConfig,
    FeeAsset,
)
from trading.brokers.exchange_server.server import ExchangeServer
from trading.commands import News, Progress, Step
from trading.errors import ExitCode, UsageError
from trading.exchange.background import in_background
from trading.exchange.clock import Clock, SystemClock
from trading.market.candles import Candles
from trading.market.names import parse_symbol
from trading.market.requests import HomeRequest
from trading.market.sources import home_store, open_candles

_LOOK_S = 0.2


class ExchangeRequest(HomeRequest):
    """A built-in exchange to run."""

    symbol: list[str] = Field([], description="BASE/QUOTE with a synthetic market; repeatable [BTC/USDT]")
    candles: list[str] = Field([], description="candle file or stored symbol to replay; repeatable")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(0, description="port on 127.0.0.1; 0 takes a free one")
    speed: Annotated[float, Field(ge=0.1, le=1_000)] = Field(1.0, description="market seconds in a real second")
    lockstep: bool = Field(False, description="market time moves by POST /sim/advance alone")
    seed: Annotated[int, Field(ge=0)] = Field(7, description="the same seed and requests give the same market")
    start_price: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        30_000.0, description="where the synthetic history begins, quote currency"
    )
    timeframe: str = Field("1m", description="candle length of synthetic markets")
    history: Annotated[int, Field(ge=1, le=20_000)] = Field(1_500, description="closed candles at the start")
    balance: list[str] = Field([], description="ASSET=AMOUNT that the account has; repeatable [USDT=10000]")
    fee_asset: FeeAsset = Field(
        FeeAsset.RECEIVED, description="what fees are taken from; with quote it also speaks for Coinbase"
    )
    key: str = Field(TEST_KEY, description="API key of the account; no real one")
    secret: str = Field(TEST_SECRET, description="secret of that key; no real one")
    fault: list[str] = Field([], description="name=probability, as in drop_after=0.05, or name=value; repeatable")
    minutes: Annotated[float, Field(gt=0)] | None = Field(None, description="real minutes after which it ends")


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    """An exchange that has ended.

    Parameters
    ----------
    url : str
        Where it was.
    summary : dict of str to object
        As ``/sim/status`` told it at the end.
    """

    url: str
    summary: dict[str, object]
    exit_code: ExitCode = ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return the address and the last status."""
        return {"event": "stopped", "url": self.url, **self.summary}

    def as_text(self) -> RenderableType:
        """Return one sentence."""
        faults = self.summary["faults"]
        happened = sum(faults.values()) if isinstance(faults, dict) else 0
        return (
            f"The exchange took {self.summary['orders']:,} of {self.summary['requests']:,} order requests; "
            f"{happened:,} faults happened."
        )


def exchange(request: ExchangeRequest, clock: Clock | None = None) -> Generator[Step, None, ExchangeResult]:
    """Run the built-in exchange until Ctrl-C or for some minutes.

    Parameters
    ----------
    request : ExchangeRequest
        Its markets, its account and its faults.
    clock : Clock, optional
        Real time; None is the machine's.

    Yields
    ------
    News
        Its address, once it can be reached.
    Progress
        Market time, now and then.

    Returns
    -------
    ExchangeResult
        What happened; also after Ctrl-C, which is how it ends well.

    Raises
    ------
    UsageError
        When a symbol, a balance or a fault is off.
    DataError
        When the candles cannot be replayed.
    Refused
        When the port cannot be opened.
    """
    candles = _candles(request)
    config = exchange_config(request)
    running = _Running(request, ExchangeServer(config, candles, request.port, clock), clock or SystemClock())
    try:
        yield from in_background(running.work)
    except KeyboardInterrupt:
        if running.url is None:
            raise
    return ExchangeResult(running.url or "", running.server.control.summary())


def exchange_config(request: ExchangeRequest) -> ExchangeConfig:
    """Return the exchange that a request describes.

    Parameters
    ----------
    request : ExchangeRequest
        As given on the command line.

    Raises
    ------
    UsageError
        When a symbol, a balance or a fault is off.
    """
    symbols = tuple(parse_symbol(symbol) for symbol in request.symbol)
    values: dict[str, object] = {
        "timeframe": request.timeframe,
        "seed": request.seed,
        "start_price": request.start_price,
        "history": request.history,
        "speed": request.speed,
        "lockstep": request.lockstep,
        "fee_asset": request.fee_asset,
        # A synthetic market begins now, so that clients which ask for the last hours find them.
        "start_ms": SystemClock().now_ms(),
        "accounts": (AccountConfig(api_key=request.key, secret=request.secret, balances=_balances(request)),),
        "faults": _faults(request.fault),
    }
    if symbols:
        values["symbols"] = symbols
    return ExchangeConfig.model_validate(values)


class _Running:
    def __init__(self, request: ExchangeRequest, server: ExchangeServer, clock: Clock) -> None:
        self.server = server
        self.url: str | None = None
        self._request = request
        self._clock = clock

    async def work(self, tell: Callable[[Step], None]) -> None:
        ends_ms = None if self._request.minutes is None else self._clock.now_ms() + self._request.minutes * 60_000
        async with self.server as server:
            self.url = server.url
            tell(self._started())
            while ends_ms is None or self._clock.now_ms() < ends_ms:
                await self._clock.sleep(_LOOK_S)
                tell(Progress(f"{server.url} serves", len(server.exchange.audit_log.accepted), unit="orders"))

    def _started(self) -> News:
        server, request = self.server, self._request
        data = {
            "event": "started",
            "url": server.url,
            "ws_url": server.ws_url,
            "key": request.key,
            **server.control.summary(),
        }
        symbols = ", ".join(server.exchange.symbols)
        # The secret of a test account guards nothing; what a person sets is not repeated.
        secret = request.secret if request.secret == TEST_SECRET else "as given"
        return News(data, f"{server.url} trades {symbols}; key {request.key}, secret {secret}; Ctrl-C ends it.")


def _candles(request: ExchangeRequest) -> list[Candles]:
    if not request.candles:
        return []
    store = home_store(request.home)
    # A synthetic market of one minute says nothing of what a stored symbol should be resampled to.
    timeframe = request.timeframe if "timeframe" in request.model_fields_set else None
    return [open_candles(target, store, timeframe=timeframe) for target in request.candles]


def _balances(request: ExchangeRequest) -> dict[str, Decimal]:
    if not request.balance:
        return {"USDT": Decimal(10_000)}
    balances = {}
    for text in request.balance:
        asset, _, amount = text.partition("=")
        try:
            balances[asset.upper()] = Decimal(amount)
        except InvalidOperation:
            raise UsageError(f"--balance {text!r} is not ASSET=AMOUNT, such as USDT=10000") from None
    if any(not amount.is_finite() or amount < 0 for amount in balances.values()):
        raise UsageError("a balance is a number of 0 or more, such as USDT=10000")
    return balances


def _faults(texts: list[str]) -> FaultConfig:
    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--fault {text!r} is not name=probability, such as drop_after=0.05")
        values[name.strip().replace("-", "_")] = value
    try:
        return FaultConfig.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        known = ", ".join(FaultConfig.model_fields)
        raise UsageError(f"--fault {name}: {problem['msg']}; the faults are {known}") from None
