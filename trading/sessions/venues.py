"""Where a session trades: a replay, the built-in exchange, or a real venue; each as one ``Venue``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from trading.brokers.ccxt_broker import CcxtBroker
from trading.brokers.exchange_server.config import ExchangeConfig
from trading.brokers.exchange_server.server import ExchangeServer
from trading.brokers.protocol import Broker
from trading.brokers.venue_rules import Fees, check_spot, parse_market
from trading.errors import DataError
from trading.exchange.account import AccountOptions, open_account, open_public
from trading.exchange.clock import Clock, LockstepClock, ScaledClock, SystemClock
from trading.exchange.credentials import Credentials
from trading.exchange.permissions import key_permissions, refuse_withdrawal
from trading.exchange.retry import Retry
from trading.market.candles import Candles
from trading.market.feeds.opening import open_feed
from trading.market.feeds.protocol import ClosedCandle, Feed, FeedEvent
from trading.market.feeds.replay import ReplayFeed
from trading.market.filling import fill_short_gaps
from trading.market.rule_tables import DEFAULT_FEE, market_for
from trading.market.rules import Market
from trading.market.timeframes import timeframe_ms
from trading.orders.venue import Balance
from trading.sessions.capital_budget import CapitalBudget
from trading.sessions.catalog import SessionCatalog
from trading.sessions.decider import Exchange
from trading.sessions.invested_capital import invested
from trading.sessions.rhythm import Rhythm
from trading.settings import Settings

# Real seconds that a session on a scaled clock leaves between its looks, comparisons and watches.
_SHORTEST_LOOK_S, _SHORTEST_RECONCILE_S, _SHORTEST_WATCH_S = 0.01, 0.1, 0.25


@dataclass(frozen=True, slots=True)
class Venue:
    """What a session stands on.

    Parameters
    ----------
    exchange : Exchange
        Who fills its orders.
    feed : Feed
        Its market data.
    broker : Broker or None
        The venue; None where the core plays the exchange.
    clock : Clock
        Its time.
    market : Market
        The market's rules.
    highest_price : float
        Highest price known, to see whether amounts fit.
    rhythm : Rhythm
        How often the session looks around.
    is_alone : callable
        Whether no other session trades on the account.
    """

    exchange: Exchange
    feed: Feed
    broker: Broker | None
    clock: Clock
    market: Market
    highest_price: float
    rhythm: Rhythm
    is_alone: Callable[[], bool] = lambda: True


class CandleClock:
    """The time of a replay: the close of the latest candle."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Return the time in milliseconds UTC."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and wait for nobody."""
        self._now_ms += round(seconds * 1000)

    def reach(self, time_ms: int) -> None:
        """Move on to a time, never back."""
        self._now_ms = max(self._now_ms, time_ms)


class TimedReplay:
    """A replay that moves its clock along.

    Parameters
    ----------
    feed : ReplayFeed
        The candles.
    clock : CandleClock
        Shows the close of the latest.
    step_ms : int
        Length of a candle.
    """

    def __init__(self, feed: ReplayFeed, clock: CandleClock, step_ms: int) -> None:
        self._feed = feed
        self._clock = clock
        self._step_ms = step_ms
        self._after_ms = 0

    async def history(self, symbol: str, count: int) -> Candles:
        """Return the candles before the first event; a recovered session hears the rest as events."""
        return await self._feed.history(symbol, count)

    async def events(self) -> AsyncIterator[FeedEvent]:
        """Yield the candles."""
        async for event in self._feed.events():
            if isinstance(event, ClosedCandle):
                self._clock.reach(event.timestamp + self._step_ms)
            yield event

    async def close(self) -> None:
        """End it."""
        await self._feed.close()


def replay_venue(candles: Candles, settings: Settings, seen_ms: int = 0) -> Venue:
    """Return a venue that replays candles through the core's own exchange, as a backtest does.

    Parameters
    ----------
    candles : Candles
        What is replayed.
    settings : Settings
        Warm-up and pinned market rules.
    seen_ms : int
        Open time of the last candle that the session has seen; 0 begins after the warm-up.
    """
    whole, warmup = fill_short_gaps(candles), settings.signals.warmup_candles
    if len(whole) <= warmup:
        raise DataError(
            f"{candles.symbol} has {len(candles)} candles and the warm-up takes {warmup}; "
            "use more candles or a smaller signals.warmup_candles"
        )
    # The last candle of the warm-up is the first in which a backtest may decide.
    row = max(warmup - 1, int(whole.timestamp.searchsorted(seen_ms, side="right")))
    clock = CandleClock(int(whole.timestamp[min(row, len(whole) - 1)]))
    return Venue(
        exchange=Exchange.CANDLES,
        feed=TimedReplay(ReplayFeed(whole, row), clock, candles.step_ms),
        broker=None,
        clock=clock,
        market=market_for(candles.symbol, whole[:warmup], settings.market),
        highest_price=float(candles.high.max()),
        rhythm=Rhythm(look_s=0, watch_s=3_600),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Which market at which venue, and how it is reached.

    Parameters
    ----------
    exchange_id : str
        ccxt's name of the venue.
    symbol, timeframe : str
        ``BASE/QUOTE``, and candles such as ``1m``.
    rest_url, ws_url : str or None
        Addresses in the place of the venue's own.
    testnet : bool
        The venue's own test network.
    poll_s : float or None
        Seconds between REST rounds.
    """

    exchange_id: str
    symbol: str
    timeframe: str
    rest_url: str | None = None
    ws_url: str | None = None
    testnet: bool = False
    poll_s: float | None = None


class Solitude:
    """Whether no other session trades on an account; looked up again only when somebody may have come.

    Parameters
    ----------
    budget : CapitalBudget
        Where all sessions of the account claim their capital.
    account, session : str
        Whose, and which one is asked for.
    """

    def __init__(self, budget: CapitalBudget, account: str, session: str) -> None:
        self._budget = budget
        self._account = account
        self._session = session
        self._alone_at: tuple[int, int] | None = None

    def __call__(self) -> bool:
        """Return whether this is so now."""
        state = self._file_state()
        if state is not None and state == self._alone_at:
            return True
        alone = all(claim.session == self._session for claim in self._budget.claims(self._account))
        # the state from before the look: what is written meanwhile is looked at next time
        self._alone_at = state if alone else None
        return alone

    def _file_state(self) -> tuple[int, int] | None:
        # a write-ahead file means that somebody is writing, or has not closed
        path = self._budget.path
        if path.with_name(f"{path.name}-wal").exists():
            return None
        try:
            told = path.stat()
        except FileNotFoundError:
            return None
        return told.st_mtime_ns, told.st_size


@dataclass(frozen=True, slots=True)
class Share:
    """A session's part of an account's quote currency.

    Parameters
    ----------
    session : str
        Whose.
    cash : Decimal
        How much of it; its capital, or what is left of that while it holds something.
    is_sure : bool
        Whether the account must have it: an order that rests may have filled since, and turned it into base currency.
    """

    session: str
    cash: Decimal
    is_sure: bool = True


@asynccontextmanager
async def account_venue(
    place: Place, credentials: Credentials, clock: Clock, share: Share, home: Path
) -> AsyncIterator[Venue]:
    """Open a venue on which orders are real, at least to the venue.

    Parameters
    ----------
    place : Place
        Which market.
    credentials : Credentials
        The account's keys.
    clock : Clock
        The session's time.
    share : Share
        Quote currency that the session claims.
    home : Path
        The data home, where sessions of one account share their capital and the venue's patience.

    Raises
    ------
    Refused
        When the venue refuses keys or market, the keys may withdraw money, or other sessions leave too little capital.
    ConnectionLost
        When the venue does not answer.
    """
    is_simulated = not isinstance(clock, SystemClock)
    options = AccountOptions(budget_file=None if is_simulated else home / "requests.sqlite")
    client = open_account(
        place.exchange_id,
        credentials,
        rest_url=place.rest_url,
        ws_url=place.ws_url,
        testnet=place.testnet,
        clock=clock,
        options=options,
    )
    market_time = clock.now_ms if is_simulated else None
    broker = CcxtBroker(place.exchange_id, place.symbol, client, clock, market_time_ms=market_time)
    catalog = SessionCatalog(home)
    budget = CapitalBudget(home, catalog.is_running)
    account, session = credentials.fingerprint, share.session
    try:
        await broker.open()
        refuse_withdrawal(
            await key_permissions(client, place.exchange_id, Retry(place.exchange_id, clock)), place.exchange_id
        )
        market = await broker.market()
        total = await _shared_capital(broker, market.quote, budget, account, catalog, session)
        budget.claim(account, session, market.quote, share.cash, total if share.is_sure else Decimal("Infinity"))
        feed = _feed(place, clock)
        price = await highest_price(feed, place.symbol)
        yield Venue(
            exchange=Exchange.VENUE,
            feed=feed,
            broker=broker,
            clock=clock,
            market=market,
            highest_price=price,
            rhythm=rhythm_of(clock, place.timeframe),
            is_alone=Solitude(budget, account, session),
        )
    finally:
        budget.release(account, session)
        await broker.close()


async def _shared_capital(
    broker: Broker, quote: str, budget: CapitalBudget, account: str, catalog: SessionCatalog, session: str
) -> Decimal:
    # Others trade meanwhile: the smaller reading is right, or refuses too much for a moment.
    def others() -> Decimal:
        claims = [one for one in budget.claims(account) if one.session != session and one.currency == quote]
        return invested(catalog, claims)

    before = others()
    balance = (await broker.balances()).get(quote, Balance()).total
    return balance + min(before, others())


@asynccontextmanager
async def public_venue(place: Place, settings: Settings, clock: Clock) -> AsyncIterator[Venue]:
    """Open a venue for its prices only: the core plays the exchange on its ticks.

    Raises
    ------
    ConnectionLost, Refused
        When the venue does not answer, or does not trade the symbol.
    """
    client = open_public(
        place.exchange_id, place.rest_url, place.ws_url, testnet=place.testnet, clock=clock, options=AccountOptions()
    )
    try:
        await client.load_markets()
        raw = client.market(place.symbol)
        check_spot(raw, place.symbol, place.exchange_id)
        pinned = [getattr(settings.market, name) for name in ("maker_fee", "taker_fee")]
        told = [raw.get("maker"), raw.get("taker")]
        known = [one if one is not None else other for one, other in zip(pinned, told, strict=True)]
        maker, taker = (DEFAULT_FEE if rate is None else Decimal(str(rate)) for rate in known)
        fees = Fees(maker, taker, "the venue's public fees")
        market = parse_market(raw, place.symbol, place.exchange_id, client.precisionMode, fees)
    finally:
        await client.close()
    feed = _feed(place, clock)
    price = await highest_price(feed, place.symbol)
    yield Venue(Exchange.TICKS, feed, None, clock, market, price, rhythm_of(clock, place.timeframe))


@asynccontextmanager
async def built_in_venue(
    place: Place, settings: Settings, speed: float, seed: int, seen_ms: int = 0
) -> AsyncIterator[Venue]:
    """Open the built-in exchange in this process, for its prices only.

    Parameters
    ----------
    place : Place
        Which market.
    settings : Settings
        Pinned market rules.
    speed : float
        Market seconds in a real second.
    seed : int
        Seed of the market.
    seen_ms : int
        Market time that a session has come to before: the same market goes on there.
    """
    config = ExchangeConfig(
        symbols=(place.symbol,), timeframe=place.timeframe, speed=speed, seed=seed, market=settings.market
    )
    opening = ExchangeServer(config)
    if seen_ms > config.start_ms:
        opening.exchange.advance_to(seen_ms)
        opening.market_clock.advance(seen_ms - config.start_ms)
    async with opening as server:
        clock = ScaledClock(server.exchange.now_ms, speed)
        here = replace(place, exchange_id="binance", rest_url=server.url, ws_url=None)
        async with public_venue(here, settings, clock) as venue:
            yield venue


def rhythm_of(clock: Clock, timeframe: str) -> Rhythm:
    """Return how often a session looks around.

    Where time is simulated, a look costs the machine as much as on the real clock while less of the market passes, so
    that looks are counted by the candle, or by the real second.

    Parameters
    ----------
    clock : Clock
        The session's.
    timeframe : str
        Length of its candles.
    """
    if isinstance(clock, LockstepClock):
        return Rhythm(look_s=0, trades_s=_lockstep_poll_s(timeframe), watch_s=60.0)
    if isinstance(clock, ScaledClock):
        return Rhythm(
            look_s=max(_SHORTEST_LOOK_S, min(0.5, 1.0 / clock.speed)),
            trades_s=max(5.0, _SHORTEST_LOOK_S * clock.speed),
            reconcile_s=max(60.0, _SHORTEST_RECONCILE_S * clock.speed),
            watch_s=max(5.0, _SHORTEST_WATCH_S * clock.speed),
        )
    return Rhythm()


async def highest_price(feed: Feed, symbol: str) -> float:
    """Return the highest price of the latest candles."""
    candles = await feed.history(symbol, 500)
    if len(candles) == 0:
        raise DataError(f"the venue has no closed candles of {symbol}; check the symbol and the timeframe")
    return float(candles.high.max())


def _lockstep_poll_s(timeframe: str) -> float:
    # four prices a candle, as a backtest has them
    return min(60.0, timeframe_ms(timeframe) / 4_000)


def _feed(place: Place, clock: Clock) -> Feed:
    poll_s = place.poll_s
    if poll_s is None and isinstance(clock, LockstepClock):
        poll_s = _lockstep_poll_s(place.timeframe)
    elif poll_s is None and isinstance(clock, ScaledClock):
        # a round takes real time: at 1,000 times the speed there can be one a minute of the market
        poll_s = max(min(5.0, timeframe_ms(place.timeframe) / 12_000), 0.05 * clock.speed)
    return open_feed(
        place.exchange_id,
        [place.symbol],
        place.timeframe,
        clock,
        rest_url=place.rest_url,
        ws_url=place.ws_url,
        poll_s=poll_s,
        testnet=place.testnet,
    )
