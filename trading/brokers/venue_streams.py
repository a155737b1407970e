"""A venue's private streams as hints: merged into one, opened again when they break, and never the truth."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

from trading.brokers.codecs import ClientIdCodec
from trading.brokers.parsing import Raw, decimal, mapping, own_id, parse_fill, parse_order, sequence, text
from trading.brokers.protocol import Hint
from trading.brokers.venue_rules import VenueFacts
from trading.errors import GridBotError
from trading.exchange.calls import AnswerUnusable
from trading.exchange.clock import Clock
from trading.exchange.failures import backoff_s
from trading.exchange.venue_client import VenueClient
from trading.orders.venue import VenueOrder

_log = logging.getLogger(__name__)

_Look = Callable[[str, str], Awaitable[VenueOrder | None]]
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """How streams are kept.

    Parameters
    ----------
    first_s, cap_s : float
        First and greatest pause before a broken stream is opened again, seconds.
    rotate_s : float
        Age at which a stream is opened anew, seconds; venues cut them at 24 hours.
    waiting : int
        Hints that may wait to be read; when there are more, all give way to one that says that something was lost.
    """

    first_s: float = 0.5
    cap_s: float = 30.0
    rotate_s: float = 23 * 3600.0
    waiting: int = 1_000


class HintStream:
    """Reads the private streams of one account in one symbol.

    Parameters
    ----------
    client : VenueClient
        Opens them.
    symbol : str
        ``BASE/QUOTE``.
    codec : ClientIdCodec
        Reads our ids.
    facts : VenueFacts
        What the venue's streams are worth.
    look : callable
        Asks for an order by our id and the venue's, where the stream tells only that it changed.
    clock : Clock
        Every pause is slept on it.
    policy : StreamPolicy
        Pauses and ages.
    jitter : callable
        Uniform random numbers in [0, 1).
    """

    def __init__(
        self,
        client: VenueClient,
        symbol: str,
        codec: ClientIdCodec,
        facts: VenueFacts,
        look: _Look,
        clock: Clock,
        policy: StreamPolicy | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._symbol = symbol
        self._codec = codec
        self._facts = facts
        self._look = look
        self._clock = clock
        self._policy = policy or StreamPolicy()
        self._jitter = jitter
        self._hints: asyncio.Queue[Hint] = asyncio.Queue(self._policy.waiting)
        self._changed: asyncio.Queue[tuple[str, str]] = asyncio.Queue(self._policy.waiting)
        self._old = asyncio.Event()
        self._generation = 0
        self._failures = 0
        self._opened_ms = clock.now_ms()
        # what happened before the first subscription was not told either
        self._gap = True

    async def hints(self) -> AsyncIterator[Hint]:
        """Yield hints until closed; ends at once where the client has no streams."""
        pumps = self._pumps()
        if not pumps:
            return
        self._client.on_raw, self._client.on_dropped = self._seen, self._lost
        tasks: list[asyncio.Task[None]] = [
            asyncio.create_task(pump) for pump in (*pumps, self._looks(), self._rotation())
        ]
        try:
            while True:
                yield await self._hints.get()
        finally:
            self._client.on_raw = self._client.on_dropped = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.close_ws_clients()

    def look_at_age(self) -> None:
        """Open the streams anew when they are old; called now and then, since waiting may move a simulated clock."""
        if self._clock.now_ms() - self._opened_ms >= self._policy.rotate_s * 1000:
            self._old.set()

    def _pumps(self) -> list[Coroutine[object, object, None]]:
        if not self._client.has_streams:
            return []
        streams = (
            ("watchOrders", self._client.watch_orders, self._order),
            ("watchMyTrades", self._client.watch_my_trades, self._fill),
        )
        return [self._pump(watch, read) for name, watch, read in streams if self._client.has.get(name)]

    async def _pump(self, watch: Callable[[str], Awaitable[Sequence[Raw]]], read: Callable[[Raw], Hint | None]) -> None:
        while True:
            generation = self._generation
            self._opened_ms = self._clock.now_ms()
            try:
                # no other await stands between two questions: what came in between would not wake the second
                while True:
                    self._tell_all(await watch(self._symbol), read)
            except asyncio.CancelledError:
                # ccxt cancels its own futures when a stream is closed under them
                if _is_cancelled():
                    raise
            except Exception as error:  # noqa: BLE001 - whatever breaks a stream, it is opened again
                _log.warning("stream_broken venue=%s error=%s", self._client.id, type(error).__name__)
            await self._begin_anew(generation)
            await self._clock.sleep(backoff_s(self._failures, self._policy.first_s, self._policy.cap_s, self._jitter()))

    def _tell_all(self, items: object, read: Callable[[Raw], Hint | None]) -> None:
        for item in sequence(items, "the stream's news"):
            try:
                hint = read(mapping(item, "the stream's news"))
            except GridBotError:
                self._lost()
            else:
                if hint is not None:
                    self._tell(hint)

    def _order(self, raw: Raw) -> Hint | None:
        client_id = own_id(raw, self._codec)
        if client_id is None:
            return None
        if self._facts.whole_stream_orders:
            return Hint(order=parse_order(raw, self._symbol, self._codec))
        if self._changed.full():
            self._lost()
        else:
            self._changed.put_nowait((client_id, text(raw, "id")))
        return None

    def _fill(self, raw: Raw) -> Hint | None:
        told = mapping(raw.get("info"), "the stream's own words") if self._facts.stream_trade else {}
        for ours, theirs in self._facts.stream_trade.items():
            if decimal(told, theirs) != decimal(raw, ours):
                raise AnswerUnusable(f"the stream told a trade without its {ours}; it is asked for")
        return Hint(fill=parse_fill(raw, self._symbol, self._codec))

    async def _looks(self) -> None:
        while True:
            client_id, exchange_id = await self._changed.get()
            try:
                order = await self._look(client_id, exchange_id)
            except GridBotError:
                self._lost()
            else:
                if order is not None:
                    self._tell(Hint(order=order))

    async def _rotation(self) -> None:
        while True:
            await self._old.wait()
            self._old.clear()
            await self._begin_anew(self._generation)

    async def _begin_anew(self, generation: int) -> None:
        # the streams share connections: the first that breaks closes them for all
        if generation == self._generation:
            lived_s = (self._clock.now_ms() - self._opened_ms) / 1000
            self._failures = 1 if lived_s >= self._policy.cap_s else self._failures + 1
            self._generation += 1
            self._gap = True
            self._opened_ms = self._clock.now_ms()
            await self._client.close_ws_clients()

    def _seen(self, message: object) -> None:
        self.look_at_age()
        if self._gap:
            # the first message of a new connection answers the subscription: from here on nothing is missed
            self._gap = False
            self._tell(Hint(reconnected=True))
        if self._facts.money_event and _names(message, self._facts.money_event):
            self._tell(Hint(balances_changed=True))

    def _lost(self) -> None:
        self._tell(Hint(reconnected=True))

    def _tell(self, hint: Hint) -> None:
        if self._hints.full():
            while not self._hints.empty():
                self._hints.get_nowait()
            hint = Hint(reconnected=True)
        self._hints.put_nowait(hint)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _names(message: object, event: str, depth: int = 0) -> bool:
    if not isinstance(message, dict) or depth > _DEEPEST:
        return False
    return message.get("e") == event or any(_names(value, event, depth + 1) for value in message.values())
