"""Opening an exchange's client: for an account, or for public streams; whatever it may not reach it cannot reach."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from trading.errors import Refused, UsageError
from trading.exchange.addresses import NOWHERE, hosts, moved, rest_base, stream_base
from trading.exchange.clock import Clock, SystemClock
from trading.exchange.credentials import Credentials
from trading.exchange.limiter import Limiter, rule_for, shared_budget
from trading.exchange.venue_client import VenueClient

_TIMEOUT_MS = 10_000


@dataclass(frozen=True, slots=True)
class AccountOptions:
    """What may be set of a client beside its addresses.

    Parameters
    ----------
    timeout_ms : int
        Patience with one answer, milliseconds.
    budget_file : Path, optional
        A file in which all processes of this machine share one budget of requests; None shares it in this process.
    """

    timeout_ms: int = _TIMEOUT_MS
    budget_file: Path | None = None


def open_account(
    exchange_id: str,
    credentials: Credentials,
    *,
    rest_url: str | None = None,
    ws_url: str | None = None,
    testnet: bool = False,
    clock: Clock | None = None,
    options: AccountOptions | None = None,
) -> VenueClient:
    """Open a client of an account on an exchange's spot market; no call is made yet.

    Its numbers are exact text, its pace is the shared limiter's.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the exchange.
    credentials : Credentials
        The account's keys.
    rest_url, ws_url : str, optional
        Servers that speak the exchange's protocol, and replace every address of it; without `ws_url` no stream can be
        opened then.
    testnet : bool
        Use the exchange's own test network.
    clock : Clock, optional
        What the limiter waits on.
    options : AccountOptions, optional
        The rest.

    Returns
    -------
    VenueClient
        A ccxt.pro exchange; close it in the event loop that used it.

    Raises
    ------
    UsageError
        When ccxt does not know the exchange, or an address is none.
    Refused
        When it has no spot market, no test network, or an address of it cannot be replaced.
    """
    client = _opened(exchange_id, rest_url, ws_url, testnet=testnet, clock=clock, options=options or AccountOptions())
    client.apiKey, client.secret, client.password = credentials.api_key, credentials.secret, credentials.password or ""
    # ccxt keeps every digit when its numbers are text
    client.number = str
    return client


def open_public(
    exchange_id: str,
    rest_url: str | None = None,
    ws_url: str | None = None,
    *,
    testnet: bool = False,
    clock: Clock | None = None,
    options: AccountOptions | None = None,
) -> VenueClient:
    """Open a client without keys for an exchange's public data and streams; numbers are floats.

    Parameters
    ----------
    exchange_id, rest_url, ws_url, testnet, clock, options
        As in `open_account`.

    Raises
    ------
    UsageError, Refused
        As `open_account` does.
    """
    return _opened(exchange_id, rest_url, ws_url, testnet=testnet, clock=clock, options=options or AccountOptions())


def _opened(
    exchange_id: str,
    rest_url: str | None,
    ws_url: str | None,
    *,
    testnet: bool,
    clock: Clock | None,
    options: AccountOptions,
) -> VenueClient:
    if testnet and (rest_url or ws_url):
        raise UsageError("a test network has its own addresses; leave out either --testnet or the addresses")
    client = _constructed(exchange_id, options.timeout_ms)
    if testnet:
        _use_testnet(client)
    if rest_url is not None:
        _move(client, rest_url, ws_url)
    elif ws_url is not None:
        raise UsageError("--ws-url alone would leave orders going to the real exchange; give --rest-url too")
    venue = f"{exchange_id}@{next(hosts(client.urls['api']), '')}"
    rule = rule_for(exchange_id, client.rollingWindowSize)
    limiter = Limiter(shared_budget(options.budget_file), venue, clock or SystemClock(), rule)
    client.pace, client.observe = limiter.acquire, limiter.observe
    return client


def _constructed(exchange_id: str, timeout_ms: int) -> VenueClient:
    import ccxt.async_support as ccxt
    from ccxt import pro

    from trading.exchange.client import SPARING_OPTIONS
    from trading.exchange.watched import Watched

    if exchange_id not in ccxt.exchanges:
        raise UsageError(f"there is no exchange {exchange_id!r}; ccxt's names are such as binance, coinbase, kraken")
    streams = exchange_id in pro.exchanges
    kind = type(
        f"Watched{exchange_id.title()}",
        (Watched, getattr(pro if streams else ccxt, exchange_id)),
        {"has_streams": streams},
    )
    client = cast(
        "VenueClient",
        kind({"enableRateLimit": False, "timeout": timeout_ms, "options": dict(SPARING_OPTIONS.get(exchange_id, {}))}),
    )
    # ccxt writes whole requests, with their signatures, into its log at the level of debugging
    client.logger = logging.getLogger("gridbot.exchange.silent")
    client.logger.disabled = True
    if client.has.get("spot") is False:
        raise Refused(f"{exchange_id} has no spot market; margin, futures and leverage are refused, choose another")
    client.options["defaultType"] = "spot"
    return client


def _use_testnet(client: VenueClient) -> None:
    if not client.urls.get("test"):
        raise Refused(f"{client.id} has no test network; use --rest-url with the built-in exchange instead")
    client.set_sandbox_mode(True)


def _move(client: VenueClient, rest_url: str, ws_url: str | None) -> None:
    rest = rest_base(rest_url)
    streams = NOWHERE if ws_url is None else stream_base(ws_url)
    hostname = client.hostname or ""
    urls: dict[str, object] = {"api": moved(client.urls["api"], rest, streams, hostname)}
    # nothing else is ever asked, and no later switch to a test network may find its way out
    client.urls = urls
    client.options.update(_moved_options(client.options, rest, streams, hostname))
    allowed = frozenset({urlsplit(rest).netloc, urlsplit(streams).netloc})
    strangers = sorted(set(hosts(client.urls)) - allowed)
    if strangers:
        raise Refused(f"{client.id} would still reach {', '.join(strangers)}, so the exchange is not opened")
    client.allowed_hosts = allowed
    client.has_streams = client.has_streams and ws_url is not None
    if rest.startswith("http://"):
        client.timeout_on_exit = 0  # ccxt waits for TLS to end


def _moved_options(options: Mapping[str, object], rest: str, streams: str, hostname: str) -> dict[str, object]:
    return {
        name: moved(value, rest, streams, hostname)
        for name, value in options.items()
        if isinstance(value, str) and value.startswith(("http://", "https://", "ws://", "wss://"))
    }
