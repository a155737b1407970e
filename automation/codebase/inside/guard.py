"""Refuse connections to other machines, as far as Python itself can."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

_OWN = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")  # noqa: S104 - addresses of this machine


def refuse_other_machines() -> None:
    """Make every way of a Python socket to another machine raise `PermissionError`."""
    kind: Any = socket.socket
    for name in ("connect", "connect_ex", "sendto", "sendmsg"):
        setattr(kind, name, _checked(getattr(kind, name), name))
    look_up: Any = socket.getaddrinfo

    def resolve(host: object, *rest: object, **options: object) -> object:
        _check(host)
        return look_up(host, *rest, **options)

    resolver: Any = resolve
    socket.getaddrinfo = resolver


def _checked(original: Callable[..., object], name: str) -> Callable[..., object]:
    def call(self: socket.socket, *arguments: object) -> object:
        # sendto has the address last; sendmsg has it fourth, if at all
        address = arguments[3] if name == "sendmsg" and len(arguments) > 3 else arguments[-1]
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _check(address[0])
        return original(self, *arguments)

    return call


def _check(host: object) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is not None and not str(name).startswith(_OWN):
        raise PermissionError(f"the sandbox refuses a connection to {name}")
