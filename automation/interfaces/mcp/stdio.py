"""Standard input and output: the protocol on them and nothing else, and an end that a signal can bring about."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from mcp.server import MCPServer

_BLOCK = 65_536


def serve_stdio(server: MCPServer) -> None:
    """Serve until stdin ends; SIGINT and SIGTERM end it too, so that commands at work are stopped in order.

    Raises
    ------
    KeyboardInterrupt
        After SIGINT, once all has ended.
    """
    seen: list[int] = []
    try:
        with _stdin_that_ends() as stdin, _signals_that_end(stdin, seen):
            anyio.run(server.run_stdio_async)
    finally:
        # the SDK has given stdout back; what is printed from now on is no protocol, and a client may still listen
        os.dup2(2, 1)
    if signal.SIGINT in seen:
        raise KeyboardInterrupt


@contextmanager
def _stdin_that_ends() -> Iterator[socket.socket]:
    """Put a socket in the place of stdin, which is fed with what comes there: a read of stdin cannot be broken off."""
    source = os.dup(0)
    feed, end = socket.socketpair()
    with feed:
        os.dup2(end.fileno(), 0)
        end.close()
        threading.Thread(target=_hand_on, args=(source, feed), name="stdin", daemon=True).start()
        yield feed


def _hand_on(source: int, feed: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(source, _BLOCK):
            feed.sendall(data)
    _end(feed)


def _end(feed: socket.socket) -> None:
    with contextlib.suppress(OSError):
        feed.shutdown(socket.SHUT_WR)


@contextmanager
def _signals_that_end(feed: socket.socket, seen: list[int]) -> Iterator[None]:
    def end(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        # whoever asks twice is not made to wait
        signal.signal(number, before[signal.Signals(number)])
        _end(feed)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
