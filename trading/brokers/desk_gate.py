"""The order gate: what may still leave, and which orders nobody wants any more."""

from __future__ import annotations

import logging
from enum import StrEnum

from trading.engine.codes import SELL
from trading.orders.records import OrderRecord

_log = logging.getLogger(__name__)


class Gate(StrEnum):
    """What may still be sent; it only ever narrows. What holds entries back for a while stands beside it."""

    OPEN = "open"
    EXITS_ONLY = "exits_only"
    CLOSED = "closed"


class OrderGate:
    """Decides what leaves and what is cancelled, over what the books want."""

    def __init__(self) -> None:
        self.state = Gate.OPEN
        self.reason = ""
        self.held = ""
        self.paused = False
        self._unwanted: set[str] = set()

    def narrow(self, state: Gate, reason: str) -> None:
        """Let less out from now on; what was paused is decided."""
        self.paused = False
        if self.state is not state:
            _log.info("order_gate state=%s reason=%s", state, reason)
            self.state, self.reason = state, reason

    def hold(self, reason: str) -> None:
        """Let nothing out that buys as long as there is a reason; an empty one lets it out again."""
        if reason != self.held:
            _log.info("entries_held reason=%s", reason or "none any more")
            self.held = reason

    def lets_out(self, record: OrderRecord) -> bool:
        """Return whether an order may be sent."""
        if self.paused:
            return False
        if record.side == SELL:
            return self.state is not Gate.CLOSED
        return self.state is Gate.OPEN and not self.held

    def drop(self, client_ids: set[str], reason: str) -> None:
        """Cancel these orders, whatever the books want."""
        _log.info("cancel_everything orders=%d reason=%s", len(client_ids), reason)
        self._unwanted = client_ids

    def wants_cancel(self, record: OrderRecord) -> bool:
        """Return whether an order is to be cancelled."""
        return record.cancel_wanted or record.client_id in self._unwanted
