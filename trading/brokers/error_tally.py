"""``ErrorTally``: which coded errors a session has met, and what it does about each; for its log and its status."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from trading.errors import Action, GridBotError
from trading.exchange.clock import Clock

_LONGEST = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How often an error of one code was met.

    Parameters
    ----------
    code : str
        E001 to E007.
    action : Action
        What the session does when it meets one.
    count : int
        How often.
    last_ms : int
        When it was last met, the session's clock.
    reason : str
        What the last one said.
    """

    code: str
    action: Action
    count: int
    last_ms: int
    reason: str

    def as_json(self) -> dict[str, object]:
        """Return plain JSON data."""
        return {
            "code": self.code,
            "action": self.action.value,
            "count": self.count,
            "last_ms": self.last_ms,
            "reason": self.reason,
        }


class ErrorTally:
    """Counts a session's coded errors, and writes each into the log with its action.

    Parameters
    ----------
    clock : Clock
        The session's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[str, ErrorCount] = {}

    def met(self, error: GridBotError) -> None:
        """Count an error; one without a code is not counted."""
        if error.code is None or error.action is None:
            return
        known = self._counts.get(error.code) or ErrorCount(error.code, error.action, 0, 0, "")
        reason, now_ms = str(error)[:_LONGEST], self._clock.now_ms()
        self._counts[error.code] = replace(known, count=known.count + 1, last_ms=now_ms, reason=reason)
        extra = {"code": error.code, "action": error.action.value}
        _log.warning("error code=%s action=%s reason=%s", error.code, error.action, reason, extra=extra)

    def counts(self) -> tuple[ErrorCount, ...]:
        """Return what was met, by code."""
        return tuple(self._counts[code] for code in sorted(self._counts))

    def as_json(self) -> list[dict[str, object]]:
        """Return plain JSON data, by code."""
        return [count.as_json() for count in self.counts()]
