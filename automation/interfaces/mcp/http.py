"""Streamable HTTP on this machine's own address, for clients that show the token."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from trading.errors import UsageError

PATH = "/mcp"
_CLOSING_S = 3
_NAMES = ("127.0.0.1", "localhost", "[::1]")

_Message = MutableMapping[str, object]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[_Message, _Receive, _Send], Awaitable[None]]


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on one of this machine's own addresses.

    Raises
    ------
    UsageError
        When the host is not this machine itself, or the port is taken.
    """
    address = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(address)
    except ValueError:
        loopback = None
    if loopback is None or not loopback.is_loopback:
        raise UsageError(f"--host cannot be {host!r}: the server listens on this machine only; use 127.0.0.1 or ::1")
    family = socket.AF_INET6 if loopback.version == 6 else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(f"cannot listen on {host}, port {port}: {error.strerror}; choose another --port") from None
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the URL at which clients find the server."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PATH}"


async def serve_http(server: MCPServer, listener: socket.socket, token: str) -> None:
    """Serve until the process is asked to stop.

    Parameters
    ----------
    server : MCPServer
        What is served.
    listener : socket
        From `listening_socket`.
    token : str
        What clients show as ``Authorization: Bearer …``.
    """
    await http_server(server, listener, token).serve(sockets=[listener])


def http_server(server: MCPServer, listener: socket.socket, token: str) -> uvicorn.Server:
    """Return the web server, ready to serve on a listening socket."""
    port = listener.getsockname()[1]
    # exactly these: a page elsewhere whose name leads here by DNS is refused, whatever it sends
    own = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[f"{name}:{port}" for name in _NAMES],
        allowed_origins=[f"http://{name}:{port}" for name in _NAMES],
    )
    application = server.streamable_http_app(streamable_http_path=PATH, transport_security=own)
    config = uvicorn.Config(
        TokenGate(application, token),
        log_config=None,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=_CLOSING_S,
    )
    return uvicorn.Server(config)


class TokenGate:
    """Lets requests through that show the token.

    Parameters
    ----------
    application : callable
        The ASGI application behind it.
    token : str
        The token.
    """

    def __init__(self, application: _Application, token: str) -> None:
        self._application = application
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan" or (scope["type"] == "http" and self._shown(scope)):
            # the end of the server cancels what is at work; that is no error whose traceback anybody wants
            with suppress(asyncio.CancelledError):
                await self._application(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send)

    def _shown(self, scope: _Message) -> bool:
        headers = scope["headers"]
        given = [value for name, value in headers if name == b"authorization"] if isinstance(headers, list) else []
        return len(given) == 1 and hmac.compare_digest(given[0], self._expected)


async def _refuse(send: _Send) -> None:
    body = b'{"error": "invalid_token", "error_description": "show the token that `gridbot mcp --http` names"}'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"www-authenticate", b'Bearer error="invalid_token"'),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
