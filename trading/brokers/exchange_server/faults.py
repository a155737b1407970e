"""What goes wrong, when asked to: seeded draws, each counted, and windows of trouble on market time."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from pydantic import ValidationError

from trading.brokers.exchange_server.config import FaultConfig
from trading.errors import UsageError

T = TypeVar("T")

DRAWN = (
    "latency",
    "drop_before",
    "drop_after",
    "error_500",
    "error_502",
    "error_503",
    "error_504",
    "garbage",
    "too_many",
    "stale",
    "duplicate",
    "reorder",
    "disconnect",
    "insufficient_funds",
    "maintenance",
    "delisting",
    "clock_skew",
)
"""Faults that have a probability."""

_WINDOWS = {"maintenance": "maintenance_s", "too_many": "too_many_s", "clock_skew": "clock_skew_s"}


class Faults:
    """The faults of one exchange.

    Parameters
    ----------
    config : FaultConfig
        Probabilities and sizes.
    now : callable
        Market time in milliseconds.
    """

    def __init__(self, config: FaultConfig, now: Callable[[], int]) -> None:
        self.config = config
        self.counts = dict.fromkeys(DRAWN, 0)
        self._now = now
        self._until: dict[str, int] = {}
        self._held: dict[str, list[object]] = {}
        self._seed_draws()

    def change(self, changes: Mapping[str, object]) -> FaultConfig:
        """Set some faults; a new seed begins all draws anew.

        Parameters
        ----------
        changes : mapping of str to object
            Fields of `FaultConfig`.

        Raises
        ------
        UsageError
            When a name or a value is off; nothing is changed then.
        """
        try:
            config = FaultConfig.model_validate(self.config.model_dump() | dict(changes))
        except ValidationError as error:
            problem = error.errors()[0]
            name = ".".join(str(part) for part in problem["loc"])
            raise UsageError(f"fault {name!r}: {problem['msg']}") from None
        self.config = config
        if "seed" in changes:
            self._seed_draws()
        return config

    def happens(self, name: str) -> bool:
        """Draw whether a fault happens now, and count it."""
        probability: float = getattr(self.config, name)
        if probability == 0 or self._draws[name].random() >= probability:
            return False
        self.counts[name] += 1
        return True

    def share(self, name: str) -> float:
        """Draw a number in [0, 1) that says how bad a fault is."""
        return self._draws[name].random()

    def in_window(self, name: str) -> bool:
        """Return whether a ``maintenance``, ``too_many`` or ``clock_skew`` window is on; this call may begin it."""
        now = self._now()
        if now < self._until.get(name, 0):
            return True
        if self.happens(name):
            self._until[name] = now + 1_000 * int(getattr(self.config, _WINDOWS[name]))
            return True
        return False

    def window_left_ms(self, name: str) -> int:
        """Return how long a window goes on, market milliseconds; 0 when it is over."""
        return max(0, self._until.get(name, 0) - self._now())

    def skew_ms(self) -> int:
        """Return how far the exchange's clock is off; constant while ``clock_skew`` is 0, else in windows."""
        if self.config.clock_skew_ms == 0:
            return 0
        return self.config.clock_skew_ms if self.config.clock_skew == 0 or self.in_window("clock_skew") else 0

    def stream_plan(self, message: T, connection: str = "") -> list[T]:
        """Return what to send of a stream now that a message is due.

        Parameters
        ----------
        message : object
            It.
        connection : str
            Messages are reordered within a connection only.

        Returns
        -------
        list
            The message, twice when it is duplicated, none while it waits for the next one, and after it what waited.
        """
        copies = [message] * (2 if self.happens("duplicate") else 1)
        waiting = self.held(connection)
        if not waiting and self.happens("reorder"):
            self._held[connection] = list(copies)
            return []
        return [*copies, *cast("list[T]", waiting)]

    def held(self, connection: str = "") -> list[object]:
        """Return, and forget, what still waits on a connection."""
        return self._held.pop(connection, [])

    def _seed_draws(self) -> None:
        seed = self.config.seed
        self._draws = {name: random.Random(f"{seed}:{name}") for name in DRAWN}  # noqa: S311 - faults, not secrets
