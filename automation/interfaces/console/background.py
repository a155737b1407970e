"""Work beside the event loop, in daemon threads: what blocks for ever must not keep the console from closing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from textual.message_pump import MessagePump

from trading.errors import GridBotError

T = TypeVar("T")


def sentence_of(error: BaseException) -> str:
    """Return an error as one sentence."""
    words = " ".join(str(error).split())
    if isinstance(error, GridBotError):
        return words
    return f"unexpected {type(error).__name__}: {words}" if words else f"unexpected {type(error).__name__}"


def in_background(
    node: MessagePump, work: Callable[[], T], then: Callable[[T], object], failed: Callable[[str], object]
) -> None:
    """Do work in a thread of its own and go on with its result in the event loop.

    Parameters
    ----------
    node : MessagePump
        Widget or application in whose turn the result is handled; nothing happens when it has gone.
    work : callable
        May block.
    then : callable
        Is given what ``work`` returned.
    failed : callable
        Is given the sentence of what it raised.
    """

    def body() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - the outermost frame of the thread
            _hand(node, failed, sentence_of(error))
        else:
            _hand(node, then, value)

    threading.Thread(target=body, name=f"console {getattr(work, '__name__', 'work')}", daemon=True).start()


def _hand(node: MessagePump, handler: Callable[[T], object], value: T) -> None:
    # the loop is closed, or the widget removed, when the console was closed meanwhile
    with contextlib.suppress(RuntimeError):
        node.call_later(handler, value)
