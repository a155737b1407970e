"""The start of a session: its first, with history and a claim on money, or from its books after a stop or a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from trading.brokers.protocol import Broker
from trading.engine.codes import Halt
from trading.errors import GridBotError, Refused
from trading.exchange.clock import Clock
from trading.market.candles import Candles
from trading.market.feeds.protocol import ClosedCandle, Feed
from trading.orders.venue import Balance
from trading.sessions.decider import past_candles
from trading.sessions.inputs import PastCandle
from trading.sessions.keeper import SessionKeeper

_MOST_MISSED = 100_000

_log = logging.getLogger(__name__)


class SessionStart:
    """Brings a session's books to the present.

    Parameters
    ----------
    keeper : SessionKeeper
        Its books.
    feed : Feed
        Its market data.
    broker : Broker or None
        The venue; None where the core plays the exchange.
    clock : Clock
        Its clock.
    history_candles : int
        Candles asked for at the first start, for the signals to warm up on.
    """

    def __init__(
        self, keeper: SessionKeeper, feed: Feed, broker: Broker | None, clock: Clock, history_candles: int
    ) -> None:
        self._keeper = keeper
        self._feed = feed
        self._broker = broker
        self._clock = clock
        self._history = history_candles

    @property
    def is_first(self) -> bool:
        """Whether the session has never begun."""
        return not self._keeper.journal.has_core()

    async def begin(self) -> int:
        """Begin a session, and return how many candles it has seen before its first.

        Raises
        ------
        Refused
            When the account has less than the session's capital.
        """
        keeper = self._keeper
        candles = await self._feed.history(keeper.symbol, self._history)
        past = keeper.decider.see_history(candles)
        if self._broker is not None:
            await self._claim_money(self._broker)
        keeper.begin(past)
        return len(past)

    async def missed_candles(self) -> list[ClosedCandle]:
        """Return the candles that closed while the session was down, oldest first."""
        decider = self._keeper.decider
        seen_ms = decider.seen_ms
        due = max(2, (self._clock.now_ms() - seen_ms) // decider.step_ms + 2) if seen_ms else self._history
        candles = await self._feed.history(self._keeper.symbol, min(int(due), _MOST_MISSED))
        _log.info("recovering candle=%s missed_at_most=%s", int(decider.state.core.candle), due)
        return [candle for candle in _closed(candles, self._keeper.symbol) if candle.timestamp > seen_ms]

    def go_on(self, missed: Sequence[ClosedCandle], hear: Callable[[ClosedCandle], None], *, resume: bool) -> None:
        """Go on from the books.

        Parameters
        ----------
        missed : sequence of ClosedCandle
            What closed meanwhile.
        hear : callable
            Takes the newest of the missed candles, on which the session may decide.
        resume : bool
            Whether a person lets a halted session go on.
        """
        keeper = self._keeper
        halted = keeper.decider.halted
        if resume and (keeper.halt_reason is not None or halted is not Halt.NONE):
            keeper.resume()
        elif halted is Halt.ORDERED and keeper.halt_reason is None:
            keeper.resume("it was stopped on request, and is started again")
        for candle in missed[:-1]:
            keeper.tell(PastCandle(*columns(candle)))
        if missed:
            hear(missed[-1])

    async def learn_other_money(self) -> None:
        """Learn what the account has beside the session, once other sessions have gone and nothing is in flight."""
        keeper = self._keeper
        if self._broker is None or not keeper.may_learn_other_quote or keeper.records():
            return
        market = keeper.market
        with suppress(GridBotError):
            balances = await self._broker.balances()
            quote, base = (balances.get(asset, Balance()).total for asset in (market.quote, market.base))
            held = keeper.expected()[market.base]
            keeper.set_other_money(quote - keeper.cash, base - held + keeper.other_base)

    async def _claim_money(self, broker: Broker) -> None:
        market, capital = self._keeper.market, self._keeper.decider.settings.capital
        balances = await broker.balances()
        quote, base = (balances.get(asset, Balance()) for asset in (market.quote, market.base))
        if quote.free < capital:
            raise Refused(
                f"the account has {quote.free} free {market.quote} and the session's capital is {capital}; "
                "use a smaller --capital or deposit"
            )
        self._keeper.set_other_money(quote.total - capital, base.total)


def columns(candle: ClosedCandle) -> tuple[int, float, float, float, float, float, bool]:
    """Return a candle as the core's inputs take it."""
    return (
        candle.timestamp,
        candle.open,
        candle.high,
        candle.low,
        candle.close,
        candle.volume,
        candle.filled,
    )


def _closed(candles: Candles, symbol: str) -> list[ClosedCandle]:
    return [
        ClosedCandle(symbol, one.timestamp, one.open, one.high, one.low, one.close, one.volume, one.filled)
        for one in past_candles(candles)
    ]
