"""``Decider``: the decision core of one session on a clock. Pure: inputs in, intents and fills out, the same for ever.

It is the code that a backtest runs. Paper sessions on candles call `step`, so that the same candles make the same fills
as in a backtest; paper sessions on ticks let `match` play the exchange; live sessions are told what the venue does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from trading.engine.codes import Halt
from trading.engine.live import live_candle, live_price
from trading.engine.loop import step
from trading.engine.money import equity_at
from trading.engine.risk import resume
from trading.engine.state import Book, State, new_state, open_book
from trading.engine.tape import pack_tape
from trading.engine.tape_row import TapeRow
from trading.engine.venue import (
    BREACHES,
    first_breach,
    fund,
    halt_by_order,
    observe,
    order_ended,
    order_filled,
    order_refused,
    order_rests,
    settle,
)
from trading.errors import ExitCode, StateCorrupt
from trading.market.candles import Candles
from trading.market.rules import Market
from trading.market.timeframes import timeframe_ms
from trading.sessions.inputs import (
    Funded,
    Input,
    NewCandle,
    Ordered,
    OrderEnded,
    OrderFilled,
    OrderRefused,
    OrderRests,
    PastCandle,
    Price,
    Resumed,
)
from trading.sessions.strategy import TRAILING_GRID, Strategy
from trading.settings import Settings
from trading.signals import compute_signals
from trading.signals.streaming import SignalStream
from trading.signals.streaming_records import SignalRow

_DIGEST = 32


class Exchange(StrEnum):
    """Who fills the orders: the core's own `match` along candles, or on ticks, or a venue."""

    CANDLES = "candles"
    TICKS = "ticks"
    VENUE = "venue"


class InvariantBroken(StateCorrupt):
    """E007: what must always hold in the core does not hold."""

    exit_code = ExitCode.HALTED


class Intent(NamedTuple):
    """An order to place or to cancel, as `trading.engine.records.Intent` has it."""

    kind: int
    slot: int
    order_id: int
    side: int
    lots: int
    limit: int
    taker: int
    why: int


class CoreFill(NamedTuple):
    """A fill and the account after it, as `trading.engine.records.Fill` has it."""

    timestamp: int
    candle: int
    order_id: int
    side: int
    price_ticks: int
    lots: int
    fee_units: int
    fee_microlots: int
    reason: int
    level: int
    cash_units: int
    position_lots: int
    dust_microlots: int
    reference_ticks: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an input led to.

    Parameters
    ----------
    taken : Input
        The input, with what only running it could tell (agents that overran their time).
    intents : tuple of Intent
        Orders to place and to cancel, oldest first.
    fills : tuple of CoreFill
        What was booked.
    """

    taken: Input
    intents: tuple[Intent, ...] = ()
    fills: tuple[CoreFill, ...] = ()


class Decider:
    """One session's core.

    Parameters
    ----------
    settings : Settings
        What the user set.
    market : Market
        The market's rules.
    timeframe : str
        Candle length.
    exchange : Exchange
        Who fills the orders.
    strategy : Strategy
        What makes the parameters.
    agent_budget_s : float, optional
        Time that an agent may take for one candle.
    """

    def __init__(
        self,
        settings: Settings,
        market: Market,
        timeframe: str,
        exchange: Exchange,
        *,
        strategy: Strategy = TRAILING_GRID,
        agent_budget_s: float | None = None,
    ) -> None:
        self.settings = settings
        self.market = market
        self.exchange = exchange
        self.timeframe = timeframe
        self.step_ms = timeframe_ms(timeframe)
        self.signals = SignalStream(settings, market.symbol, timeframe, time_budget_s=agent_budget_s)
        self.digest = bytes(_DIGEST)
        self.last_signal: SignalRow | None = None
        self.seen_ms = 0
        params = strategy.parameters(settings, market)
        self._params = params
        self._row = TapeRow(market, settings.fills.volume_share, settings.signals.warmup_candles)
        self._use(new_state(market.cash_units(settings.capital), int(params[0].pairs)))

    def _use(self, state: State) -> None:
        self.state = state
        self.book: Book = open_book(state, self._params)

    @property
    def equity_units(self) -> int:
        """Equity at the last price, cash units."""
        return int(equity_at(self.state.core, self.book.params.units, self.state.core.last_price))

    @property
    def position_microlots(self) -> int:
        """What is held, in millionths of a lot."""
        core = self.state.core
        return int(core.position_lots) * 1_000_000 + int(core.dust_microlots)

    @property
    def halted(self) -> Halt:
        """Why nothing is opened."""
        return Halt(int(self.state.core.halt))

    def see_history(self, candles: Candles) -> list[PastCandle]:
        """Take in the candles before the session's first, in one go, and return them as inputs for the recording."""
        if len(candles) == 0:
            return []
        self.signals.extend(candles)
        signals = compute_signals(candles, self.settings)
        warmup = self.settings.signals.warmup_candles
        tape = pack_tape(candles, signals, self.market, self.settings.fills.volume_share, warmup)
        observe(self.book, tape, 0, len(candles))
        past = past_candles(candles)
        self.seen_ms = past[-1].timestamp
        for candle in past[: self.settings.signals.warmup_candles]:
            self._row.learn_volume(candle)
        self.last_signal = self.signals.last
        return past

    def recall(self, candles: Candles) -> None:
        """Let signals and volume know the candles that the restored state has seen already."""
        self.signals.extend(candles)
        for candle in past_candles(candles[: self.settings.signals.warmup_candles]):
            self._row.learn_volume(candle)
        if len(candles):
            self.last_signal = self.signals.last
            self.seen_ms = int(candles.timestamp[-1])

    def apply(self, item: Input) -> Outcome:
        """Tell the core one input and return what follows.

        Raises
        ------
        InvariantBroken
            When the core's books do not add up afterwards: the session must not go on from this state.
        """
        out = self.book.out
        out.intent_count = out.fill_count = out.grid_count = 0
        taken = self._tell(item)
        breach = first_breach(self.book)
        if breach:
            raise InvariantBroken(
                f"{self.market.symbol}: {BREACHES[breach]} after {type(item).__name__} at candle "
                f"{int(self.state.core.candle)}; the session is stopped, its recording shows how it came to be"
            )
        if not (out.intent_count or out.fill_count):
            return Outcome(taken)
        intents, fills = self.book.intents, self.book.fills
        self.digest = hashlib.sha256(self.digest + intents.tobytes() + fills.tobytes()).digest()
        return Outcome(
            taken, tuple(Intent._make(row) for row in intents.tolist()), tuple(map(CoreFill._make, fills.tolist()))
        )

    def _tell(self, item: Input) -> Input:
        book = self.book
        match item:
            case Price():
                self._price(item)
            case NewCandle():
                return self._candle(item)
            case PastCandle():
                self._past(item)
            case _:
                self._venue_news(item)
                if self.exchange is Exchange.VENUE:
                    settle(book)
        return item

    def _venue_news(self, item: Input) -> None:
        book = self.book
        match item:
            case OrderFilled(core_id, slot, side, lots, price, fee, microlots, why):
                order_filled(book, core_id, slot, side, lots, price, fee, microlots, why)
            case OrderRests(core_id):
                order_rests(book, core_id)
            case OrderRefused(core_id, rule):
                order_refused(book, core_id, rule)
            case OrderEnded(core_id):
                order_ended(book, core_id)
            case Funded(units):
                fund(book, units)
            case Ordered(flatten):
                halt_by_order(book, flatten)
            case Resumed():
                resume(book)

    def _price(self, item: Price) -> None:
        opens_ms = item.time_ms - item.time_ms % self.step_ms
        live_price(self.book, opens_ms, item.ticks, item.narrow, self.exchange is Exchange.TICKS)

    def _candle(self, item: NewCandle) -> NewCandle:
        names = self.settings.signals.agents
        forced = frozenset(name for bit, name in enumerate(names) if item.skips >> bit & 1)
        row = self._signal(item, forced)
        skipped = self.signals.skipped()
        skips = sum(1 << bit for bit, name in enumerate(names) if name in skipped)
        taken = replace(item, skips=skips) if skips else item
        tape = self._row.pack(item, row)
        if self.exchange is Exchange.CANDLES:
            step(self.book, tape, 0)
        else:
            live_candle(self.book, tape, 0, self.exchange is Exchange.TICKS)
        return taken

    def _past(self, item: PastCandle) -> None:
        tape = self._row.pack(item, self._signal(item, frozenset()))
        if item.timestamp > self.book.core.time_ms:
            observe(self.book, tape, 0, 1)

    def _signal(self, item: NewCandle | PastCandle, forced: frozenset[str]) -> SignalRow:
        bar = (item.timestamp, item.open, item.high, item.low, item.close, item.volume)
        self.last_signal = self.signals.append(*bar, item.filled, forced_skips=forced)
        self.seen_ms = item.timestamp
        return self.last_signal

    def to_bytes(self) -> bytes:
        """Return the core's state, and all else that its next decision hangs on but the candles."""
        return self.digest + bytes([int(self.book.params.take_market)]) + self.state.to_bytes()

    def restore(self, saved: bytes) -> None:
        """Go on from a saved state; the candles that it has seen are told by `recall`.

        Raises
        ------
        StateCorrupt
            When the bytes are damaged or of another version.
        """
        if len(saved) <= _DIGEST:
            raise StateCorrupt("a saved session state is cut short; restore an older checkpoint")
        state = State.from_bytes(saved[_DIGEST + 1 :])
        self.digest = saved[:_DIGEST]
        self._use(state)
        self.book.params.take_market = saved[_DIGEST]


def past_candles(candles: Candles) -> list[PastCandle]:
    """Return candles as inputs."""
    filled = np.zeros(len(candles), bool) if candles.filled is None else candles.filled
    columns: Iterable[list[object]] = (
        candles.timestamp.tolist(),
        candles.open.tolist(),
        candles.high.tolist(),
        candles.low.tolist(),
        candles.close.tolist(),
        candles.volume.tolist(),
        filled.tolist(),
    )
    return [PastCandle(*row) for row in zip(*columns, strict=True)]
