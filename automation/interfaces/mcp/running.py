"""One command at work for a client: its progress and news as notifications, its end, its cancellation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import MCPDeprecationWarning
from mcp.server.mcpserver import Context

from automation.codebase.masking import masked
from automation.interfaces.execution import Ended, Event, Execution, Executor, Order
from automation.interfaces.terminal import plain
from trading.commands import News, Progress

# A command that was asked to stop saves what it has; one that does not end within this time is killed.
STOP_S = 20.0
_LEAST_GAP_S = 0.1


async def run_order(executor: Executor, order: Order, context: Context) -> Ended:
    """Run a command in a process of its own to its end.

    When the request is cancelled, or its client is gone, the command is asked to stop as Ctrl-C does, and killed when
    it has not ended within `STOP_S`.

    Parameters
    ----------
    executor : Executor
        Starts it.
    order : Order
        What is to run.
    context : Context
        Of the request; takes the notifications.
    """
    execution = await anyio.to_thread.run_sync(executor.start, order)
    send, receive = anyio.create_memory_object_stream[Event](math.inf)
    ended = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_read, execution, send, ended)
        try:
            last = await _tell(receive, order.command, context)
        except BaseException:
            # whatever ends the request, cancellation above all, must not leave the command at work
            await _stop(execution, ended)
            raise
        finally:
            receive.close()
    return last


def safe(value: object) -> object:
    """Return JSON data in which everything that looks like a secret is unreadable."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(key): safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [safe(item) for item in value]
    return plain(value)


async def _read(execution: Execution, send: MemoryObjectSendStream[Event], ended: anyio.Event) -> None:
    def hand_over(event: Event) -> None:
        # nobody listens any more once the request is over
        if send.statistics().open_receive_streams:
            send.send_nowait(event)

    def pump() -> None:
        for event in execution.events():
            anyio.from_thread.run_sync(hand_over, event)

    try:
        await anyio.to_thread.run_sync(pump)
    finally:
        ended.set()
        send.close()


async def _stop(execution: Execution, ended: anyio.Event) -> None:
    with anyio.CancelScope(shield=True):
        execution.cancel()
        with anyio.move_on_after(STOP_S):
            await ended.wait()
        if not ended.is_set():
            execution.cancel()
            await ended.wait()


async def _tell(events: MemoryObjectReceiveStream[Event], command: str, context: Context) -> Ended:
    teller = _Teller(command, context)
    async for event in events:
        if isinstance(event, Ended):
            return event
        await teller.tell(event)
    raise RuntimeError(f"{command} gave no end")


class _Teller:
    """Turns a command's steps into notifications; a client wants progress that only grows."""

    def __init__(self, command: str, context: Context) -> None:
        self._command = command
        self._context = context
        self._stage = ("", 0.0)
        self._finished = 0
        self._told = -1.0
        self._told_at = -math.inf

    async def tell(self, event: Progress | News) -> None:
        if isinstance(event, News):
            await _log(self._context, self._command, {**event.data, "text": event.text})
        else:
            await self._progress(event)

    async def _progress(self, step: Progress) -> None:
        label, done = self._stage
        is_new = step.label != label or step.done < done
        self._finished += is_new
        self._stage = (step.label, step.done)
        # each stage counts as one; how many there will be is not known
        value = self._finished + (min(step.done / step.total, 0.99) if step.total else 0.0)
        now = anyio.current_time()
        if value <= self._told or (now - self._told_at < _LEAST_GAP_S and not is_new):
            return
        self._told, self._told_at = value, now
        await self._context.report_progress(value, None, masked(_words(step)))


def _words(step: Progress) -> str:
    unit = f" {step.unit}" if step.unit else ""
    if step.total:
        return f"{step.label}: {step.done:g} of {step.total:g}{unit}"
    return f"{step.label}: {step.done:g}{unit}" if step.done else step.label


async def _log(context: Context, command: str, data: Mapping[str, object]) -> None:
    with warnings.catch_warnings():
        # newer clients ask for log messages request by request; the SDK calls the whole capability deprecated
        warnings.simplefilter("ignore", MCPDeprecationWarning)
        sent = context.session.send_log_message(
            "info", safe(data), logger=f"gridbot.{command}", related_request_id=context.request_id
        )
    await sent
