"""A real HTTP server on loopback that answers from a table: for what the built-in exchange cannot say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One request that the server got."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    body: str
    headers: dict[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What the server answers: JSON, or text as it is."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: str | None = None
    hang_up: bool = False


Route = Reply | Callable[[Asked], Reply]


class VenueServer:
    """Answers `METHOD /path` by its table; what is not in it is 404. Replies in `next_replies` go first."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self.routes = dict(routes)
        self.next_replies: dict[str, list[Reply]] = {}
        self.asked: list[Asked] = []
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def count(self, key: str) -> int:
        """How often a route was asked."""
        return sum(f"{one.method} {one.path}" == key for one in self.asked)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.text()
        form = dict(await request.post()) if request.content_type.endswith("urlencoded") else {}
        asked = Asked(
            request.method,
            request.path,
            dict(request.query),
            {name: str(value) for name, value in form.items()},
            body,
            dict(request.headers),
        )
        self.asked.append(asked)
        key = f"{asked.method} {asked.path}"
        waiting = self.next_replies.get(key)
        route = waiting.pop(0) if waiting else self.routes.get(key, Reply({"message": "no such path"}, 404))
        reply = route if isinstance(route, Reply) else route(asked)
        if reply.hang_up:
            assert request.transport is not None
            request.transport.abort()
        text = json.dumps(reply.body) if reply.raw is None else reply.raw
        return web.Response(text=text, status=reply.status, headers=reply.headers, content_type="application/json")


class SteppingClock:
    """A clock that does not wait: a sleep is written down and moves its time on."""

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self.sleeps: list[float] = []

    def now_ms(self) -> int:
        return self._now_ms

    def pass_time(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.pass_time(seconds)
