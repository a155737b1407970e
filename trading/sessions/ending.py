"""The end of a session: the gate shut first, what is in flight settled, and orders left, cancelled or all sold."""

from __future__ import annotations

import logging
from contextlib import suppress

from trading.brokers.desk import OrderDesk
from trading.brokers.protocol import Broker
from trading.engine.codes import Halt
from trading.errors import ExitCode, GridBotError
from trading.exchange.clock import Clock
from trading.sessions.control import StopRequest
from trading.sessions.inputs import Ordered
from trading.sessions.keeper import SessionKeeper
from trading.sessions.rhythm import Rhythm, SessionEnd

_log = logging.getLogger(__name__)


class SessionEnding:
    """Ends a session in order.

    Parameters
    ----------
    keeper : SessionKeeper
        Its books.
    desk : OrderDesk or None
        Its orders at the venue; None where the core plays the exchange.
    clock : Clock
        Its clock.
    rhythm : Rhythm
        How long it may take.
    """

    def __init__(self, keeper: SessionKeeper, desk: OrderDesk | None, clock: Clock, rhythm: Rhythm) -> None:
        self._keeper = keeper
        self._desk = desk
        self._clock = clock
        self._rhythm = rhythm

    def shut(self) -> None:
        """Let no order out any more, at once; sales of a stop that flattens leave when its turn comes."""
        if self._desk is not None:
            self._desk.pause()

    async def end(self, stop: StopRequest, reason: str) -> SessionEnd:
        """Settle, do what the stop asks for, and keep a checkpoint.

        Parameters
        ----------
        stop : StopRequest
            What becomes of orders and position.
        reason : str
            Why, in words.
        """
        keeper = self._keeper
        unsettled: tuple[str, ...] = ()
        if self._desk is not None:
            unsettled = await self._end_orders(self._desk, stop, reason)
        elif stop.flatten or stop.cancel_orders:
            keeper.tell(Ordered(flatten=stop.flatten))
        halted = keeper.halt_reason is not None or keeper.decider.halted in (Halt.DRAWDOWN, Halt.DAILY_LOSS)
        end = SessionEnd(reason, ExitCode.HALTED if halted else ExitCode.DONE, unsettled)
        keeper.flush()
        # Written down only: whoever started the session hears of its end as the outcome.
        with keeper.journal.transaction():
            said = {"reason": reason, "exit_code": int(end.exit_code), "unsettled": list(unsettled)}
            keeper.journal.note(self._clock.now_ms(), "stopped", said)
        return end

    async def _end_orders(self, desk: OrderDesk, stop: StopRequest, reason: str) -> tuple[str, ...]:
        if stop.flatten:
            await self._sell_everything(desk, reason)
        desk.close_gate(reason)
        if stop.cancel_orders:
            desk.cancel_everything(reason)
        unsettled = await desk.settle(self._rhythm.settle_s)
        await desk.book_trades()
        await desk.work()
        return unsettled

    async def _sell_everything(self, desk: OrderDesk, reason: str) -> None:
        keeper = self._keeper
        desk.allow_exits_only(reason)
        end_ms = self._clock.now_ms() + int(self._rhythm.flatten_s * 1000)
        while self._clock.now_ms() < end_ms:
            keeper.tell(Ordered(flatten=True))
            await desk.settle(self._rhythm.settle_s)
            await desk.book_trades()
            if not any(int(slot.held) for slot in keeper.decider.state.slots) and not keeper.records():
                return
            await self._clock.sleep(1.0)
        keeper.alert("flatten", "not everything could be sold in time; look at the open orders")


async def cancel_entries(broker: Broker, keeper: SessionKeeper, reason: str) -> int:
    """Cancel the orders that would open something, past a core that cannot go on, and return how many have ended.

    The books learn of it when the session starts again.

    Parameters
    ----------
    broker : Broker
        The venue.
    keeper : SessionKeeper
        Knows the orders.
    reason : str
        Why, for the log.
    """
    ended = 0
    for record in keeper.records():
        if record.side < 0 or record.is_planned:
            continue
        with suppress(GridBotError):
            order = await broker.cancel(record.client_id, record.exchange_id)
            ended += order.is_final
            _log.warning("entry_cancelled client_id=%s state=%s reason=%s", record.client_id, order.state, reason)
    return ended
