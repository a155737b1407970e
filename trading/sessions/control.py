"""The socket through which a running session is asked: its status, a stop, its stream of events; and the kill file."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import os
import re
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from trading.errors import GridBotError, Refused
from trading.sessions.control_address import ADDRESS_FILE, Address, new_token, read_address, socket_path, write_address

STOP_FILE = "STOP"

# A request is a line of a hundred bytes.
_LONGEST_LINE = 16_384
_ACCEPTING_TURNS = 20
_MOST_CONNECTIONS = 32
_QUEUED_EVENTS = 1_000
_ANSWER = b'{"ok":'

_log = logging.getLogger(__name__)


class ControlRequest(BaseModel):
    """One request to a running session.

    Parameters
    ----------
    command : str
        What is wanted.
    cancel_orders, flatten : bool
        For a stop: cancel all open orders; sell what is held too.
    token : str, optional
        Over TCP: proof that the asker may read the session's folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    command: Literal["status", "stop", "reconcile", "checkpoint", "events"]
    cancel_orders: bool = False
    flatten: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A wish that a session stops.

    Parameters
    ----------
    cancel_orders : bool
        Cancel all open orders.
    flatten : bool
        Sell what is held too; open orders are cancelled first.
    source : str
        Who wants it, for the log.
    """

    cancel_orders: bool
    flatten: bool
    source: str


Handler = Callable[[ControlRequest], Awaitable[Mapping[str, object]]]


class ControlServer:
    """Answers requests to one session, one JSON object a line, and streams its events to whoever listens.

    Parameters
    ----------
    folder : Path
        The session's folder.
    handler : callable
        Answers every request but ``events``; what it raises is told to the asker.
    tcp : bool
        Listen on a port of 127.0.0.1 with a token; None does so where there are no Unix sockets.
    queued_events : int
        Events that a listener may lag behind before it is dropped.
    """

    def __init__(
        self, folder: Path, handler: Handler, *, tcp: bool | None = None, queued_events: int = _QUEUED_EVENTS
    ) -> None:
        self._folder = folder
        self._handler = handler
        self._tcp = not hasattr(socket, "AF_UNIX") if tcp is None else tcp
        self._queued = queued_events
        self._token: str | None = None
        self._address: Address | None = None
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._listeners: dict[asyncio.Queue[bytes], asyncio.StreamWriter] = {}

    @property
    def address(self) -> Address | None:
        """Where it listens; None while it does not."""
        return self._address

    @property
    def listeners(self) -> int:
        """How many follow the events."""
        return len(self._listeners)

    async def start(self) -> None:
        """Begin to listen, in place of a session that died.

        Raises
        ------
        Refused
            When the folder's session runs already.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._clear_dead_socket()
        if self._tcp:
            self._token = new_token()
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_LONGEST_LINE)
            port = self._server.sockets[0].getsockname()[1]
            self._address = Address(pid=os.getpid(), port=port, token=self._token)
        else:
            path = socket_path(self._folder)
            path.unlink(missing_ok=True)
            listening = _private_socket(path)
            self._server = await asyncio.start_unix_server(self._serve, sock=listening, limit=_LONGEST_LINE)
            self._address = Address(pid=os.getpid(), path=path)
        write_address(self._folder, self._address)

    async def close(self) -> None:
        """Stop listening, hand out what is queued as far as it goes without waiting, and remove the socket."""
        if self._server is None or self._address is None:
            return
        # a connection that is being accepted when its server closes is left open by asyncio (Python 3.11)
        await _some_turns()
        self._server.close()
        # who was being let in just now is known within a few turns of the loop, and must be closed like the others
        await _some_turns()
        for queue, writer in self._listeners.items():
            while not queue.empty():
                writer.write(queue.get_nowait())
        for task, writer in tuple(self._connections.items()):
            task.cancel()
            writer.close()
        await asyncio.gather(*self._connections, return_exceptions=True)
        # a closed transport lets its socket go a turn later, and the loop may end with this call
        await _some_turns()
        (self._folder / ADDRESS_FILE).unlink(missing_ok=True)
        if self._address.path is not None:
            self._address.path.unlink(missing_ok=True)
        self._server = self._address = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def publish(self, event: Mapping[str, object]) -> None:
        """Hand an event to all listeners; never waits: one that lags too far behind is dropped.

        Parameters
        ----------
        event : mapping
            Plain JSON data; free of secrets.
        """
        if not self._listeners:
            return
        line = _line(event)
        for queue, writer in tuple(self._listeners.items()):
            try:
                queue.put_nowait(line)
            except asyncio.QueueFull:
                del self._listeners[queue]
                writer.transport.abort()
                _log.warning("listener dropped: it lags %s events behind", self._queued)

    def _clear_dead_socket(self) -> None:
        old = read_address(self._folder)
        if old is not None and answers(old):
            raise Refused(f"the session of {self._folder} runs already, as process {old.pid}; stop it first")
        (self._folder / ADDRESS_FILE).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= _MOST_CONNECTIONS:
            writer.write(_line(_refusal("too many ask at once; try again")))
            writer.close()
            return
        self._connections[task] = writer
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the asker is gone, or the session ends
        finally:
            del self._connections[task]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                writer.write(_line(_refusal(f"a request is one line of at most {_LONGEST_LINE:,} bytes")))
                return
            if not line.endswith(b"\n"):
                return
            request = self._parsed(line)
            if isinstance(request, ControlRequest) and request.command == "events":
                await self._stream(reader, writer)
                return
            answer = await self._answer(request) if isinstance(request, ControlRequest) else _refusal(request)
            writer.write(_line(answer))
            await writer.drain()

    def _parsed(self, line: bytes) -> ControlRequest | str:
        try:
            request = ControlRequest.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            return f"the request is not understood: {where or 'it'}: {first['msg']}"
        if self._token is not None and not hmac.compare_digest((request.token or "").encode(), self._token.encode()):
            return "the request lacks the token that stands in the session's folder"
        return request

    async def _answer(self, request: ControlRequest) -> Mapping[str, object]:
        try:
            return {"ok": True} | dict(await self._handler(request)) | {"ok": True}
        except GridBotError as error:
            return _refusal(str(error), error.code, int(error.exit_code))
        except Exception as error:  # noqa: BLE001 - a question must never end the session
            _log.exception("control request failed: command=%s", request.command)
            return _refusal(f"{request.command} failed with {type(error).__name__}; the session's log says more")

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[bytes] = asyncio.Queue(self._queued)
        self._listeners[queue] = writer
        writer.write(_line({"ok": True, "listening": True}))
        pump = asyncio.create_task(_pump(queue, writer))
        # a listener says nothing more: whatever comes, its end or a word, ends the stream
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._listeners.pop(queue, None)
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)


async def _some_turns() -> None:
    for _ in range(_ACCEPTING_TURNS):
        await asyncio.sleep(0)


class KillFile:
    """The stop that needs no socket: a file named STOP in the session's folder, or in the data home for all sessions.

    Its text may hold ``cancel`` (cancel the open orders) or ``flatten`` (sell what is held too). It stays until a
    person removes it, so that no supervisor starts the session again.

    Parameters
    ----------
    folder : Path
        The session's folder.
    home : Path
        The data home.
    """

    def __init__(self, folder: Path, home: Path) -> None:
        self._paths = (folder / STOP_FILE, home / STOP_FILE)

    def wanted(self) -> StopRequest | None:
        """Return the stop that is asked for; None without a file."""
        found = [text for text in map(_kill_text, self._paths) if text is not None]
        if not found:
            return None
        words = {word for _, text in found for word in re.findall(r"[a-z]+", text.lower())}
        flatten = "flatten" in words
        cancel = flatten or any(word.startswith("cancel") for word in words)
        return StopRequest(cancel, flatten, f"kill file {found[0][0]}")

    def write(self, *, cancel_orders: bool = False, flatten: bool = False) -> Path:
        """Ask this session to stop, when its socket does not answer; return the file."""
        words = [word for word, wanted in (("cancel", cancel_orders), ("flatten", flatten)) if wanted]
        self._paths[0].write_text(" ".join(words) + "\n", encoding="utf-8")
        return self._paths[0]


def answers(address: Address) -> bool:
    """Return whether somebody listens at an address."""
    try:
        with connect(address, 1.0) as connection:
            if address.path is not None:
                return True
            # another program may have got the dead session's port: only a session answers like this
            connection.sendall(_line({"command": "status", "token": address.token}))
            return connection.recv(len(_ANSWER)) == _ANSWER
    except OSError:
        return False


def connect(address: Address, timeout_s: float) -> socket.socket:
    """Return a connection to a session; raises OSError when nobody listens."""
    if address.path is None:
        return socket.create_connection(("127.0.0.1", address.port or 0), timeout_s)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(str(address.path))
    except OSError:
        connection.close()
        raise
    return connection


def _private_socket(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # between bind and chmod others could connect
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


async def _pump(queue: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(await queue.get())
            await writer.drain()


def _kill_text(path: Path) -> tuple[Path, str] | None:
    try:
        return path, path.read_bytes()[:1000].decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError:
        # there is something of that name: whatever it is, somebody wants a stop
        return path, ""


def _refusal(sentence: str, code: str | None = None, exit_code: int = 1) -> dict[str, object]:
    return {"ok": False, "error": sentence, "code": code, "exit_code": exit_code}


def _line(data: Mapping[str, object]) -> bytes:
    return json.dumps(data, default=str, separators=(",", ":")).encode() + b"\n"
