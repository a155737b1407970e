"""Where an exchange's client may connect to: all its addresses moved to one server, or the client refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit, urlunsplit

from trading.errors import Refused, UsageError

_PROTOCOLS = {"http": {"http": "http", "https": "http"}, "https": {"http": "https", "https": "https"}}
_STREAMS = {"ws": {"ws": "ws", "wss": "ws"}, "wss": {"ws": "wss", "wss": "wss"}}
_SAME_KIND = {"http": "ws", "https": "wss"}

NOWHERE = "ws://stream.invalid"
"""Where the streams of a client point that was given a REST address only; the name can never be resolved."""


def rest_base(rest_url: str) -> str:
    """Return a server's address without its last slash.

    Raises
    ------
    UsageError
        When it is not such as ``http://127.0.0.1:8080``.
    """
    return _checked(rest_url, tuple(_PROTOCOLS), "http://127.0.0.1:8080")


def stream_base(ws_url: str) -> str:
    """Return a stream server's address without its last slash.

    Raises
    ------
    UsageError
        When it is not such as ``ws://127.0.0.1:8080``.
    """
    return _checked(ws_url, tuple(_STREAMS), "ws://127.0.0.1:8080")


def stream_base_of(rest_url: str) -> str:
    """Return the stream address of the same server as a REST address."""
    scheme, _, rest = rest_base(rest_url).partition("://")
    return f"{_SAME_KIND[scheme]}://{rest}"


def moved(addresses: object, rest: str, streams: str, hostname: str = "") -> object:
    """Return an exchange's addresses, however nested, with scheme and host replaced and their paths kept.

    Parameters
    ----------
    addresses : object
        Text, or mappings and lists of it, as in ccxt's ``urls['api']``.
    rest, streams : str
        ``http://host:port`` and ``ws://host:port``, without a slash at the end.
    hostname : str
        What ``{hostname}`` in an address stands for.

    Raises
    ------
    Refused
        When one of them is no address that can be moved.
    """
    if isinstance(addresses, Mapping):
        return {name: moved(address, rest, streams, hostname) for name, address in addresses.items()}
    if isinstance(addresses, list | tuple):
        return [moved(address, rest, streams, hostname) for address in addresses]
    if addresses is None:
        return None
    old = urlsplit(str(addresses).replace("{hostname}", hostname))
    for base, known in ((rest, _PROTOCOLS), (streams, _STREAMS)):
        scheme, _, host = base.partition("://")
        if old.scheme in known.get(scheme, {}):
            return urlunsplit((known[scheme][old.scheme], host.partition("/")[0], _path(host, old.path), old.query, ""))
    raise Refused(f"the client's address {addresses!r} cannot be moved to {rest}, so the exchange is not opened")


def hosts(addresses: object) -> Iterator[str]:
    """Yield ``host:port`` of every address, however nested."""
    if isinstance(addresses, Mapping):
        for address in addresses.values():
            yield from hosts(address)
    elif isinstance(addresses, list | tuple):
        for address in addresses:
            yield from hosts(address)
    elif isinstance(addresses, str) and "://" in addresses:
        yield urlsplit(addresses).netloc


def host_of(address: str) -> str:
    """Return ``host:port`` of an address."""
    return urlsplit(address).netloc


def _path(host: str, path: str) -> str:
    _, slash, prefix = host.partition("/")
    return f"{slash}{prefix}{path}"


def _checked(url: str, schemes: tuple[str, ...], example: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.netloc or parts.query or parts.fragment or parts.username:
        raise UsageError(f"{url!r} is no server address; write it such as {example}")
    return url.rstrip("/")
