"""What a client gets when an answer is lost or mangled on its way, in every dialect."""

from __future__ import annotations

from aiohttp import web


def dropped(request: web.Request) -> web.Response:
    """Break the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def garbled(response: web.Response, share: float) -> web.Response:
    """Return what makes no sense in the place of an answer: half of the draws cut it short, the others are a page."""
    if share < 0.5:
        text = response.text or "{}"
        return web.Response(text=text[: max(1, len(text) * 2 // 3)], content_type="application/json")
    return web.Response(text="<html><body>Please wait</body></html>", content_type="text/html")
