"""A guard under which nothing but this machine can be reached."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loopback_only() -> Iterator[None]:
    """Refuse every connection and every name that is not this machine's own."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def refuse(host: object) -> None:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"a test tried to reach {host!r}")

    def checked_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0])  # type: ignore[index]
        return connect(self, address)  # type: ignore[arg-type]

    def checked_connect_ex(self: socket.socket, address: object) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            refuse(address[0])  # type: ignore[index]
        return connect_ex(self, address)  # type: ignore[arg-type]

    def checked_resolve(host: object, *args: object, **kwargs: object) -> object:
        refuse(host)
        return resolve(host, *args, **kwargs)  # type: ignore[arg-type]

    socket.socket.connect, socket.socket.connect_ex = checked_connect, checked_connect_ex  # type: ignore[method-assign,assignment]
    socket.getaddrinfo = checked_resolve  # type: ignore[assignment]
    try:
        yield
    finally:
        socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = resolve
