"""The control endpoints under ``/sim``: what a test or a person does to the exchange and no client could."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trading.brokers.exchange_server.account_history import AccountHistory
from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.limits import RateLimits
from trading.brokers.exchange_server.market_clock import MarketClock
from trading.brokers.exchange_server.records import ExchangeRefusal
from trading.brokers.exchange_server.streams import StreamHub
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.errors import GridBotError, UsageError
from trading.market.names import parse_symbol

M = TypeVar("M", bound=BaseModel)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

VERSION = "1"
"""Of the control endpoints; a client that reads it knows that it speaks to no real exchange."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AdvanceBody(_Body):
    """Market time to let pass."""

    ms: Annotated[int, Field(ge=0, le=31_536_000_000)]


class DepositBody(_Body):
    """Money to bring in, or out when it is negative."""

    asset: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,24}$")]
    amount: Decimal
    account: str | None = None


class DelistBody(_Body):
    """A symbol to halt."""

    symbol: str
    seconds: Annotated[int, Field(ge=0)] = 0


class PriceBody(_Body):
    """Where to push the price."""

    price: Annotated[Decimal, Field(gt=0)]
    symbol: str | None = None
    volume: Annotated[Decimal, Field(gt=0)] | None = None


class Host(Protocol):
    """What the control endpoints need of the server."""

    exchange: SimulatedExchange
    faults: Faults
    limits: RateLimits
    history: AccountHistory
    market_clock: MarketClock
    hub: StreamHub

    def catch_up(self) -> int:
        """Bring the exchange to the present market time."""
        ...


class SimControl:
    """The control endpoints of one server.

    Parameters
    ----------
    host : Host
        The server.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/sim/status", _guarded(self.status)),
            web.post("/sim/advance", _guarded(self.advance)),
            web.get("/sim/faults", _guarded(self.faults)),
            web.post("/sim/faults", _guarded(self.faults)),
            web.post("/sim/deposit", _guarded(self.deposit)),
            web.post("/sim/delist", _guarded(self.delist)),
            web.post("/sim/price", _guarded(self.price)),
            web.post("/sim/disconnect", _guarded(self.disconnect)),
            web.post("/sim/silence", _guarded(self.silence)),
            web.get("/sim/audit", _guarded(self.audit)),
        ]

    def summary(self) -> dict[str, object]:
        """Return what ``/sim/status`` tells."""
        host = self._host
        exchange = host.exchange
        return {
            "gridbot_exchange": VERSION,
            "now_ms": exchange.now_ms,
            "speed": host.market_clock.speed,
            "lockstep": host.market_clock.lockstep,
            "ended": exchange.ended,
            "timeframe": exchange.timeframe,
            "symbols": list(exchange.symbols),
            "prices": {symbol: str(exchange.last_price(symbol)) for symbol in exchange.symbols},
            "orders": len(exchange.audit_log.accepted),
            "requests": len(exchange.audit_log.received),
            "faults": dict(host.faults.counts),
            "streams": dict(host.hub.counts),
            "rate_limited": host.limits.refusals,
            "banned": host.limits.bans,
        }

    async def status(self, request: web.Request) -> dict[str, object]:
        """Answer what the exchange is doing."""
        del request
        self._host.catch_up()
        return self.summary()

    async def advance(self, request: web.Request) -> dict[str, object]:
        """Move market time, and answer when everything up to then has been told."""
        body = await _body(request, AdvanceBody)
        host = self._host
        if not host.market_clock.lockstep:
            raise UsageError("market time moves by itself here; start the exchange with --lockstep to move it by hand")
        host.market_clock.advance(body.ms)
        now_ms = host.catch_up()
        await host.hub.flush()
        return {"now_ms": now_ms}

    async def faults(self, request: web.Request) -> dict[str, object]:
        """Set faults, and answer what is set."""
        host = self._host
        if request.method == "POST":
            changes = await _json(request)
            config = host.faults.change(changes)
            if config.stale > 0:
                host.history.start()
        return {"faults": host.faults.config.model_dump(), "counts": dict(host.faults.counts)}

    async def deposit(self, request: web.Request) -> dict[str, object]:
        """Bring money in or out."""
        body = await _body(request, DepositBody)
        exchange = self._host.exchange
        self._host.catch_up()
        account = body.account or next(iter(exchange.accounts))
        if account not in exchange.accounts:
            raise UsageError(f"there is no account {account!r}; there are {', '.join(exchange.accounts)}")
        transfer = exchange.deposit(account, body.asset, body.amount)
        return {"id": transfer.transfer_id, "amount": str(transfer.amount), "now_ms": transfer.time_ms}

    async def delist(self, request: web.Request) -> dict[str, object]:
        """Halt a symbol."""
        body = await _body(request, DelistBody)
        self._host.catch_up()
        self._host.exchange.delist(self._symbol(body.symbol), body.seconds)
        return {}

    async def price(self, request: web.Request) -> dict[str, object]:
        """Push the price."""
        body = await _body(request, PriceBody)
        self._host.catch_up()
        reached = self._host.exchange.push_price(self._symbol(body.symbol), body.price, body.volume)
        await self._host.hub.flush()
        return {"price": str(reached)}

    async def disconnect(self, request: web.Request) -> dict[str, object]:
        """Cut all streams."""
        del request
        return {"connections": self._host.hub.disconnect_all()}

    async def silence(self, request: web.Request) -> dict[str, object]:
        """Leave all streams open and say nothing more on them."""
        del request
        return {"connections": self._host.hub.silence_all()}

    async def audit(self, request: web.Request) -> dict[str, object]:
        """Answer everything that was asked and that became of it."""
        del request
        self._host.catch_up()
        return self._host.exchange.audit()

    def _symbol(self, name: str | None) -> str:
        exchange = self._host.exchange
        return exchange.symbols[0] if name is None else exchange.find(name) or parse_symbol(name)


def _guarded(answer: Callable[[web.Request], Awaitable[dict[str, object]]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await answer(request))
        except ExchangeRefusal as refusal:
            return web.json_response({"error": refusal.text, "code": refusal.code}, status=400)
        except GridBotError as error:
            return web.json_response({"error": str(error)}, status=400)

    return handler


async def _json(request: web.Request) -> dict[str, object]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UsageError(f"{request.path} takes a JSON object")
    return body


async def _body(request: web.Request, model: type[M]) -> M:
    try:
        return model.model_validate(await _json(request))
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        raise UsageError(f"{request.path}: {name or 'body'}: {problem['msg']}") from None
