"""WebSocket connections of the built-in exchange: one queue and one writer each, pings, the daily cut, and faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import ClientConnectionError, WSCloseCode, WSMsgType, web

from trading.brokers.exchange_server.faults import Faults
from trading.brokers.exchange_server.records import Event
from trading.brokers.exchange_server.venue import SimulatedExchange
from trading.exchange.clock import Clock, SystemClock

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StreamSettings:
    """How connections are kept.

    Parameters
    ----------
    ping_every_s : float
        Between two ping frames of the server, real time.
    pings_unanswered : int
        So many without a pong close the connection.
    life_ms : int
        Market time after which a connection is closed; venues do so after a day.
    hold_s : float
        How long a reordered message waits for the next one that it should come after, real time.
    most_waiting : int
        Messages that a slow reader may leave waiting before it is cut off.
    """

    ping_every_s: float = 20.0
    pings_unanswered: int = 3
    life_ms: int = 86_400_000
    hold_s: float = 0.05
    most_waiting: int = 20_000


class Session(Protocol):
    """What one connection is subscribed to."""

    connection: StreamConnection

    @property
    def kinds(self) -> frozenset[type[Event]]:
        """The events that it has a use for."""
        ...

    def on_event(self, event: Event) -> None:
        """Send what the subscriptions make of an event."""
        ...


class StreamConnection:
    """One open WebSocket.

    Messages go out in the order in which they were handed over, but for the faults.

    Parameters
    ----------
    request : web.Request
        The upgrade request.
    hub : StreamHub
        Gives settings, faults, clock and counts.
    """

    def __init__(self, request: web.Request, hub: StreamHub) -> None:
        self.socket = web.WebSocketResponse(autoping=False, max_msg_size=1 << 20)
        self.opened_ms = hub.now_ms()
        self._request = request
        self._hub = hub
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._name = f"connection-{hub.counts['opened']}"
        self._silent = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = False
        self._unanswered = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, message: Mapping[str, object]) -> None:
        """Send the answer to a request of this connection, faults aside."""
        self._put(json.dumps(message, separators=(",", ":")))

    def tell(self, message: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
        """Send what a subscription brings, with whatever fault falls on it."""
        faults, counts = self._hub.faults, self._hub.counts
        if self._silent or self.socket.closed:
            counts["unsent"] += 1
            return
        if faults.happens("disconnect"):
            self.abort()
            return
        texts = faults.stream_plan(json.dumps(message, separators=(",", ":")), self._name)
        if not texts:
            self._start(self._release_later())
        for text in texts:
            counts["sent"] += 1
            self._put(text)

    def abort(self) -> None:
        """Break the connection as a failing network does: no goodbye."""
        if self._request.transport is not None:
            self._request.transport.abort()

    def fall_silent(self) -> None:
        """Stay open and bring nothing more."""
        self._silent = True

    def close_soon(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Close with a goodbye."""
        self._start(self._close(code, reason))

    async def flushed(self) -> None:
        """Wait until all messages so far have been written to the socket, or the connection has ended."""
        await self._idle.wait()

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something again and again while the connection is open, real time."""

        async def repeat() -> None:
            while True:
                await self._hub.clock.sleep(seconds)
                action()

        self._start(repeat())

    async def serve(self, on_text: Callable[[str], None]) -> web.WebSocketResponse:
        """Answer the upgrade and read until the connection ends.

        Parameters
        ----------
        on_text : callable
            Is given each message of the client.
        """
        await self.socket.prepare(self._request)
        self._start(self._write())
        self._start(self._ping())
        try:
            async for message in self.socket:
                if message.type is WSMsgType.TEXT:
                    on_text(message.data)
                elif message.type is WSMsgType.PING:
                    await self.socket.pong(message.data)
                elif message.type is WSMsgType.PONG:
                    self._unanswered = 0
        except ClientConnectionError:
            logger.info("stream_lost remote=%s", self._request.remote)
        finally:
            await self._end()
        return self.socket

    def _put(self, text: str) -> None:
        if self._ended:
            return
        if self._waiting.qsize() >= self._hub.settings.most_waiting:
            self._hub.counts["overrun"] += 1
            self.abort()
            return
        self._idle.clear()
        self._waiting.put_nowait(text)

    async def _release_later(self) -> None:
        await self._hub.clock.sleep(self._hub.settings.hold_s)
        for text in self._hub.faults.held(self._name):
            self._put(str(text))

    async def _write(self) -> None:
        with contextlib.suppress(ClientConnectionError, ConnectionError):
            while True:
                await self.socket.send_str(await self._waiting.get())
                if self._waiting.empty():
                    self._idle.set()

    async def _ping(self) -> None:
        settings = self._hub.settings
        with contextlib.suppress(ClientConnectionError, ConnectionError):
            while self._unanswered < settings.pings_unanswered:
                await self._hub.clock.sleep(settings.ping_every_s)
                await self.socket.ping(str(self._hub.now_ms()).encode())
                self._hub.counts["ping"] += 1
                self._unanswered += 1
            await self.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"Pong timeout")

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(ClientConnectionError, ConnectionError):
            await self.socket.close(code=code, message=reason.encode())

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self) -> None:
        self._ended = True
        self._idle.set()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._hub.faults.held(self._name)


class StreamHub:
    """All open connections of one exchange, and what its events bring them.

    It asks the exchange only for the kinds of events that an open connection is subscribed to.

    Parameters
    ----------
    exchange : SimulatedExchange
        Whose events.
    faults : Faults
        Duplicates, reorders and cuts.
    settings : StreamSettings
        How connections are kept.
    clock : Clock, optional
        Real time, for pings and held messages.
    """

    def __init__(
        self,
        exchange: SimulatedExchange,
        faults: Faults,
        settings: StreamSettings = StreamSettings(),
        clock: Clock | None = None,
    ) -> None:
        self.exchange = exchange
        self.faults = faults
        self.settings = settings
        self.clock = clock or SystemClock()
        self.counts: Counter[str] = Counter()
        self._sessions: dict[Session, None] = {}
        self._subscriptions: dict[type[Event], Callable[[], None]] = {}

    def now_ms(self) -> int:
        """Return market time."""
        return self.exchange.now_ms

    @property
    def sessions(self) -> tuple[Session, ...]:
        """What the open connections are subscribed to, oldest first."""
        return tuple(self._sessions)

    @property
    def connections(self) -> tuple[StreamConnection, ...]:
        """The open ones, oldest first."""
        return tuple(session.connection for session in self._sessions)

    def refresh(self) -> None:
        """Ask the exchange for the kinds of events that the sessions have a use for now."""
        wanted = frozenset[type[Event]]().union(*(session.kinds for session in self._sessions))
        for kind in self._subscriptions.keys() - wanted:
            self._subscriptions.pop(kind)()
        for kind in wanted - self._subscriptions.keys():
            self._subscriptions[kind] = self.exchange.on_event(self.on_event, (kind,))

    def on_event(self, event: Event) -> None:
        """Bring an event to every session; connections that have lived a day are closed."""
        for session in tuple(self._sessions):
            if event.time_ms - session.connection.opened_ms >= self.settings.life_ms:
                self.counts["expired"] += 1
                del self._sessions[session]
                session.connection.close_soon(WSCloseCode.GOING_AWAY, "24 hours are over")
            else:
                session.on_event(event)

    async def serve(self, session: Session, on_text: Callable[[str], None]) -> web.WebSocketResponse:
        """Run a session until its connection ends.

        Parameters
        ----------
        session : Session
            It gets events from now on.
        on_text : callable
            Is given each message of the client.
        """
        self._sessions[session] = None
        self.counts["opened"] += 1
        self.refresh()
        try:
            return await session.connection.serve(on_text)
        finally:
            self._sessions.pop(session, None)
            self.refresh()

    def disconnect_all(self) -> int:
        """Break every connection as a failing network does and return how many there were."""
        connections = self.connections
        for connection in connections:
            connection.abort()
        self.counts["cut"] += len(connections)
        return len(connections)

    def silence_all(self) -> int:
        """Leave every connection open and silent and return how many there were."""
        connections = self.connections
        for connection in connections:
            connection.fall_silent()
        self.counts["silenced"] += len(connections)
        return len(connections)

    async def flush(self) -> None:
        """Wait until all connections have written what they were handed."""
        await asyncio.gather(*(connection.flushed() for connection in self.connections))

    async def close(self) -> None:
        """Say goodbye to all."""
        await asyncio.gather(
            *(connection.socket.close(code=WSCloseCode.GOING_AWAY) for connection in self.connections),
            return_exceptions=True,
        )
