"""Recognising the built-in exchange behind an address, and taking its time for the session's."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from trading.errors import ConnectionLost
from trading.exchange.clock import Clock, LockstepClock, ScaledClock, SystemClock

_PATIENCE = aiohttp.ClientTimeout(total=3.0)
_ADVANCE_PATIENCE = aiohttp.ClientTimeout(total=120.0)


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class SimulatedTime:
    """The time of the built-in exchange at an address of this machine, when there is one.

    Parameters
    ----------
    url : str
        ``http://host:port``.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def clock(self) -> Clock:
        """Return the exchange's clock: in lock-step, scaled, or the machine's own where it runs in real time.

        An address that is not on this machine, or where something else answers, gets the machine's clock.
        """
        status = await self._status() if is_loopback(self._url) else None
        if status is None:
            return SystemClock()
        now_ms, speed = int(str(status["now_ms"])), float(str(status["speed"]))
        if status["lockstep"]:
            return LockstepClock(now_ms, self._advance)
        return ScaledClock(now_ms, speed)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _status(self) -> Mapping[str, object] | None:
        try:
            async with self._client().get(f"{self._url}/sim/status", timeout=_PATIENCE) as answer:
                status = await answer.json(content_type=None) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
        return status if isinstance(status, dict) and "gridbot_exchange" in status else None

    async def _advance(self, milliseconds: int) -> int:
        try:
            async with self._client().post(
                f"{self._url}/sim/advance", json={"ms": milliseconds}, timeout=_ADVANCE_PATIENCE
            ) as answer:
                return int((await answer.json(content_type=None))["now_ms"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            raise ConnectionLost(f"the built-in exchange at {self._url} does not answer; is it running?") from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session
