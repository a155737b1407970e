"""Putting a session together: its books, clock, feed, broker and locks, anew or from its journal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import trading
from trading.errors import Refused, UsageError
from trading.exchange.clock import Clock, SystemClock
from trading.exchange.credentials import Credentials
from trading.exchange.simulated import SimulatedTime
from trading.market.candles import Candles
from trading.market.names import parse_symbol
from trading.market.sources import home_store, open_candles
from trading.market.timeframes import timeframe_ms
from trading.market.times import time_ms
from trading.orders.journal import Journal, holds_session
from trading.orders.journal_rows import SessionFacts
from trading.sessions.books import decider_of, market_json
from trading.sessions.catalog import SessionCatalog, default_name
from trading.sessions.decider import Decider
from trading.sessions.events import Listener
from trading.sessions.keeper import SessionKeeper
from trading.sessions.live_requests import LiveRequest, PaperRequest, SessionRequest
from trading.sessions.live_session import LiveSession, Rhythm
from trading.sessions.recording import exchange_of
from trading.sessions.venues import Place, Share, Venue, account_venue, built_in_venue, public_venue, replay_venue
from trading.setting_sources import data_home, settings_with_sources
from trading.settings import Settings

CommitHook = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A session as it is asked for, before anything is opened.

    Parameters
    ----------
    name : str
        The session's name.
    mode : str
        ``paper`` or ``live``.
    settings : Settings
        What the user set.
    symbol, timeframe : str
        ``BASE/QUOTE``, and candles such as ``1m``.
    request : SessionRequest
        The rest.
    home : Path
        The data home.
    credentials : Credentials, optional
        Keys, where a venue holds the account.
    rhythm : Rhythm, optional
        How often the session looks around; by what its clock is, otherwise.
    on_commit : callable, optional
        Told of each step of the journal, for tests of what a crash leaves behind.
    """

    name: str
    mode: Literal["paper", "live"]
    settings: Settings
    symbol: str
    timeframe: str
    request: SessionRequest
    home: Path
    credentials: Credentials | None = None
    rhythm: Rhythm | None = None
    on_commit: CommitHook | None = field(default=None, compare=False)

    @property
    def is_replay(self) -> bool:
        """Whether it trades a replay of candles."""
        return isinstance(self.request, PaperRequest) and self.request.candles is not None

    @property
    def needs_account(self) -> bool:
        """Whether orders go to a venue: live, or paper at an address of the user's."""
        return self.mode == "live" or self.request.rest_url is not None

    @property
    def exchange(self) -> str:
        """The venue's name in the journal."""
        if self.is_replay:
            return "replay"
        return self.request.exchange or ("binance" if self.needs_account else "built-in")

    @property
    def account(self) -> str:
        """Hash of the key, or what stands for an account that is this session's own."""
        return self.credentials.fingerprint if self.credentials is not None else f"paper-{self.name}"


def plan_of(request: SessionRequest) -> Plan:
    """Return what a request asks for.

    Raises
    ------
    UsageError
        When a setting is off, or symbol and timeframe are missing.
    """
    settings, _ = settings_with_sources(request.set, symbol=request.symbol, capital=request.capital, risk=request.risk)
    mode: Literal["paper", "live"] = "live" if isinstance(request, LiveRequest) else "paper"
    symbol = settings.symbol
    if isinstance(request, PaperRequest) and request.candles is not None:
        candles = replayed(request)
        symbol, timeframe = candles.symbol, candles.timeframe
    else:
        timeframe = request.timeframe or "1m"
        timeframe_ms(timeframe)
    if symbol is None:
        raise UsageError("which market? Give --symbol BASE/QUOTE, such as --symbol BTC/USDT")
    symbol = parse_symbol(symbol)
    name = request.session or default_name(mode, symbol)
    return Plan(name, mode, settings, symbol, timeframe, request, data_home(request.home))


def replayed(request: PaperRequest) -> Candles:
    """Return the candles that a paper session replays."""
    start, end = (None if text is None else time_ms(text) for text in (request.start, request.end))
    store = home_store(request.home)
    return open_candles(str(request.candles), store, request.symbol, request.timeframe, start, end)


@asynccontextmanager
async def opened(plan: Plan, listener: Listener) -> AsyncIterator[LiveSession]:
    """Open a session with all that it stands on, and let everything go at the end.

    Raises
    ------
    Refused
        When the account or the market cannot carry it.
    StateCorrupt
        When its journal cannot be trusted.
    """
    async with AsyncExitStack() as stack:
        files = SessionCatalog(plan.home).files_of(plan.name)
        journal = _existing(plan, files.journal)
        known: Decider | None = None
        if journal is not None:
            stack.callback(journal.close)
            # what it began with holds for its market and its warm-up, too
            plan = replace(plan, settings=Settings.model_validate_json(journal.facts.settings_json))
            known = decider_of(journal, exchange_of(plan.exchange, plan.account))
        venue = await stack.enter_async_context(_venue(plan, journal, known))
        stack.push_async_callback(venue.feed.close)
        if journal is None:
            journal = Journal.create(files.journal, new_facts(plan, venue), on_commit=plan.on_commit)
            stack.callback(journal.close)
        decider = known or decider_of(journal, venue.exchange)
        keeper = SessionKeeper(journal, decider, venue.clock, listener, venue.is_alone)
        minutes = plan.request.max_minutes
        yield LiveSession(
            keeper,
            venue.feed,
            venue.broker,
            venue.clock,
            rhythm=plan.rhythm or venue.rhythm,
            history_candles=plan.request.history,
            end_ms=None if minutes is None else venue.clock.now_ms() + int(minutes * 60_000),
            resume=plan.request.resume,
            cancel_at_end=plan.request.cancel_orders,
        )


def _existing(plan: Plan, path: Path) -> Journal | None:
    if not holds_session(path):
        return None
    journal = Journal.open(path, on_commit=plan.on_commit)
    facts = journal.facts
    found = (facts.mode, facts.exchange, facts.symbol, facts.timeframe)
    wanted = (plan.mode, plan.exchange, plan.symbol, plan.timeframe)
    if found != wanted:
        journal.close()
        raise UsageError(
            f"session {plan.name} is there and trades {' '.join(found)}, not {' '.join(wanted)}; "
            "give this one another --session"
        )
    if plan.needs_account and facts.account != plan.account:
        journal.close()
        raise Refused(f"session {plan.name} trades another account; use that account's keys, or another --session")
    try:
        _refuse_other_settings(plan, Settings.model_validate_json(facts.settings_json))
    except UsageError:
        journal.close()
        raise
    return journal


def _refuse_other_settings(plan: Plan, kept: Settings) -> None:
    # A session keeps what it began with; what is asked for now and differs must not be passed over in silence.
    request = plan.request
    asked = [given.partition("=")[0].strip() for given in request.set]
    asked += [name for name in ("capital", "risk") if getattr(request, name) is not None]
    for name in asked:
        old, new = (_value_of(settings, name) for settings in (kept, plan.settings))
        if old != new:
            raise UsageError(
                f"session {plan.name} was begun with {name}={old} and keeps that, so {new} cannot be had; "
                "leave it out, or give this one another --session"
            )


def _value_of(settings: Settings, name: str) -> object:
    value: object = settings.model_dump(mode="json")
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _came_to_ms(journal: Journal | None) -> int:
    if journal is None:
        return 0
    last = journal.last_equity()
    return journal.facts.created_ms if last is None else last.time_ms


def _share(plan: Plan, journal: Journal | None, known: Decider | None) -> Share:
    if journal is None or known is None:
        return Share(plan.name, plan.settings.capital)
    cash = known.market.money(max(1, int(known.state.core.cash)))
    at_rest = known.position_microlots == 0 and not journal.open_records()
    return Share(plan.name, cash, is_sure=at_rest)


def new_facts(plan: Plan, venue: Venue) -> SessionFacts:
    """Return what a session is that begins now.

    Raises
    ------
    Refused, UsageError
        When the market cannot carry it, or a setting does not fit.
    """
    market = venue.market
    market.check_fits(plan.settings.capital, venue.highest_price)
    Decider(plan.settings, market, plan.timeframe, venue.exchange)
    now = venue.clock.now_ms()
    return SessionFacts(
        name=plan.name,
        mode=plan.mode,
        exchange=plan.exchange,
        symbol=plan.symbol,
        timeframe=plan.timeframe,
        capital=plan.settings.capital,
        settings_json=plan.settings.model_dump_json(exclude={"home"}),
        market_json=market_json(market),
        created_ms=now,
        origin_ms=now,
        version=trading.__version__,
        account=plan.account,
    )


@asynccontextmanager
async def _venue(plan: Plan, journal: Journal | None, known: Decider | None) -> AsyncIterator[Venue]:
    request = plan.request
    if isinstance(request, PaperRequest) and request.candles is not None:
        yield replay_venue(replayed(request), plan.settings, known.seen_ms if known is not None else 0)
        return
    place = Place(
        plan.exchange, plan.symbol, plan.timeframe, request.rest_url, request.ws_url, request.testnet, request.poll_s
    )
    if plan.credentials is not None:
        async with _clock(request.rest_url) as clock:
            share = _share(plan, journal, known)
            async with account_venue(place, plan.credentials, clock, share, plan.home) as venue:
                yield venue
    elif isinstance(request, PaperRequest) and request.exchange is None:
        async with built_in_venue(place, plan.settings, request.speed, request.seed, _came_to_ms(journal)) as venue:
            yield venue
    else:
        async with public_venue(place, plan.settings, SystemClock()) as venue:
            yield venue


@asynccontextmanager
async def _clock(rest_url: str | None) -> AsyncIterator[Clock]:
    if rest_url is None:
        yield SystemClock()
        return
    time = SimulatedTime(rest_url)
    try:
        yield await time.clock()
    finally:
        await time.close()
