"""Asking a running session, from another process."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path

from trading.errors import ExitCode, GridBotError, Refused
from trading.sessions.control import ControlRequest, answers, connect
from trading.sessions.control_address import Address, read_address

_LONGEST_ANSWER = 16_000_000


class SessionNotRunning(GridBotError):
    """Nobody listens in that session's folder."""

    exit_code = ExitCode.NOTHING_TO_DO


class SessionSilent(GridBotError):
    """The session runs, and gave no answer in time."""


def is_running(folder: Path) -> bool:
    """Return whether a session of that folder listens."""
    address = read_address(folder)
    return address is not None and answers(address)


def ask(folder: Path, request: ControlRequest, timeout_s: float = 5.0) -> dict[str, object]:
    """Send a request to a session and return its answer.

    Parameters
    ----------
    folder : Path
        The session's folder.
    request : ControlRequest
        Anything but ``events``.
    timeout_s : float
        Patience with the session, seconds.

    Returns
    -------
    dict
        What the session answers.

    Raises
    ------
    SessionNotRunning
        When there is no such session, or it died.
    SessionSilent
        When it does not answer in time.
    Refused
        When it answers that it will not.
    """
    with closing(_lines(folder, request, timeout_s)) as lines:
        answer = next(lines, None)
    if answer is None:
        raise SessionSilent(f"session {folder.name} ended before it answered; `gridbot sessions show {folder.name}`")
    return _accepted(folder, answer)


def events(folder: Path, timeout_s: float | None = None) -> Generator[dict[str, object], None, None]:
    """Yield a session's events as they happen, until it ends or drops a listener that is too slow.

    Parameters
    ----------
    folder : Path
        The session's folder.
    timeout_s : float, optional
        Longest silence, seconds; None waits for ever.

    Raises
    ------
    SessionNotRunning, SessionSilent, Refused
        As for `ask`.
    """
    with closing(_lines(folder, ControlRequest(command="events"), timeout_s)) as lines:
        for number, line in enumerate(lines):
            if number == 0:
                _accepted(folder, line)
            else:
                yield line


def _lines(folder: Path, request: ControlRequest, timeout_s: float | None) -> Generator[dict[str, object], None, None]:
    address = _address(folder)
    try:
        connection = connect(address, timeout_s or 5.0)
    except TimeoutError:
        raise _silent(folder) from None
    except OSError:
        raise SessionNotRunning(
            f"session {folder.name} is not running: it died and left its socket behind (process {address.pid}); "
            "start it again under the same name and it recovers"
        ) from None
    with connection, connection.makefile("rb") as answers_file:
        connection.settimeout(timeout_s)
        try:
            connection.sendall(_line(request, address.token))
            while line := answers_file.readline(_LONGEST_ANSWER):
                yield _object(folder, line)
        except TimeoutError:
            raise _silent(folder) from None
        except ConnectionError:
            return


def _address(folder: Path) -> Address:
    address = read_address(folder)
    if address is None:
        known = "is not running" if folder.is_dir() else "does not exist"
        raise SessionNotRunning(f"session {folder.name} {known}; `gridbot sessions` lists them")
    return address


def _silent(folder: Path) -> SessionSilent:
    return SessionSilent(
        f"session {folder.name} runs and does not answer; ask again, or stop it by a file named STOP in {folder}"
    )


def _line(request: ControlRequest, token: str | None) -> bytes:
    return request.model_copy(update={"token": token}).model_dump_json(exclude_none=True).encode() + b"\n"


def _object(folder: Path, line: bytes) -> dict[str, object]:
    try:
        data = json.loads(line)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise GridBotError(f"session {folder.name} answered what is no JSON object; is it of another version?")
    return data


def _accepted(folder: Path, answer: Mapping[str, object]) -> dict[str, object]:
    if answer.get("ok") is True:
        return {name: value for name, value in answer.items() if name != "ok"}
    raise Refused(f"session {folder.name}: {answer.get('error')}")
