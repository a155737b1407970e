"""What a person must hear of: the alert, and where it goes: the log, the journal, a command of the user's own."""

from __future__ import annotations

import logging
import os
import queue
import shlex
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from trading.errors import Action, GridBotError, UsageError
from trading.sessions.logs import SessionLog

ALERT_VARIABLE = "GRIDBOT_ALERT_COMMAND"

_COMMAND_S = 10.0
_WAITING = 32
# What programs need to run at all; keys stand in variables of other names, so nothing else is handed on.
_HANDED_ON = {
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC",
    "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "DISPLAY",
    "WAYLAND_DISPLAY",
}  # fmt: skip

_log = logging.getLogger(__name__)


class Severity(StrEnum):
    """How much an alert matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person must hear of.

    Parameters
    ----------
    time_ms : int
        When, the session's clock.
    kind : str
        What it is about, one word: ``memory``, ``feed``.
    severity : Severity
        INFO says that it is over.
    sentence : str
        What, where, what to do; free of secrets.
    code : str, optional
        E001 to E007.
    action : Action, optional
        What the session does about it.
    """

    time_ms: int
    kind: str
    severity: Severity
    sentence: str
    code: str | None = None
    action: Action | None = None

    def as_json(self) -> dict[str, object]:
        """Return plain JSON data."""
        return {
            "time_ms": self.time_ms,
            "kind": self.kind,
            "severity": self.severity.value,
            "sentence": self.sentence,
            "code": self.code,
            "action": None if self.action is None else self.action.value,
        }


def alert_of(
    error: GridBotError, kind: str, time_ms: int, severity: Severity = Severity.WARNING, sentence: str | None = None
) -> Alert:
    """Return the alert that tells an error, with its code and action.

    Parameters
    ----------
    error : GridBotError
        What went wrong.
    kind : str
        What it is about.
    time_ms : int
        The session's clock.
    severity : Severity
        How much it matters.
    sentence : str, optional
        The error's own sentence where it is not given.
    """
    return Alert(time_ms, kind, severity, sentence or str(error), error.code, error.action)


AlertSink = Callable[[Alert], None]


def to_log(log: SessionLog) -> AlertSink:
    """Return the sink that writes alerts to a session's log."""
    write = {Severity.INFO: log.info, Severity.WARNING: log.warning, Severity.CRITICAL: log.error}

    def sink(alert: Alert) -> None:
        action = None if alert.action is None else alert.action.value
        write[alert.severity]("alert", code=alert.code, action=action, kind=alert.kind, sentence=alert.sentence)

    return sink


class AlertDesk:
    """Hands every alert to all sinks; one that fails does not keep the others from it.

    Parameters
    ----------
    *sinks : callable
        Take an alert each: the log, the journal, the user's command.
    """

    def __init__(self, *sinks: AlertSink) -> None:
        self._sinks = sinks
        self.raised: dict[str, int] = {}

    def raise_alert(self, alert: Alert) -> None:
        """Tell everybody, and count it by its kind unless it says that something is over."""
        if alert.severity is not Severity.INFO:
            self.raised[alert.kind] = self.raised.get(alert.kind, 0) + 1
        for sink in self._sinks:
            try:
                sink(alert)
            except Exception:  # noqa: BLE001 - whatever a sink is, the others must hear
                _log.exception("an alert could not be handed on: kind=%s", alert.kind)


class AlertCommand:
    """Runs a command of the user's for each alert, in the background: the sentence on its standard input.

    The command gets kind, severity and code in ``GRIDBOT_ALERT_KIND``, ``…_SEVERITY``, ``…_CODE`` and no secret; it is
    ended after 10 seconds, with all that it started. A shell has no part in it.

    Parameters
    ----------
    command : str
        Program and arguments, quoted as for a shell.
    environment : mapping, optional
        Where the harmless variables are taken from; None takes this process's.
    timeout_s : float
        How long one run may take, seconds.

    Raises
    ------
    UsageError
        When there is no such program.
    """

    def __init__(
        self, command: str, environment: Mapping[str, str] | None = None, timeout_s: float = _COMMAND_S
    ) -> None:
        self._words = _command_words(command)
        given = os.environ if environment is None else environment
        self._environment = {
            name: value for name, value in given.items() if name.upper() in _HANDED_ON or name.startswith("LC_")
        }
        self._timeout_s = timeout_s
        self._queue: queue.Queue[Alert | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._work, name="alert command", daemon=True)
        self._thread.start()

    @classmethod
    def from_environment(cls) -> Self | None:
        """Return the command that ``GRIDBOT_ALERT_COMMAND`` names; None when it names none."""
        command = os.environ.get(ALERT_VARIABLE, "").strip()
        return cls(command) if command else None

    def __call__(self, alert: Alert) -> None:
        """Run the command for an alert soon; never waits."""
        try:
            self._queue.put_nowait(alert)
        except queue.Full:
            _log.warning("alert command is behind, alert not handed to it: kind=%s", alert.kind)

    def close(self) -> None:
        """Let the waiting alerts out, as long as one run may take, and stop."""
        if self._thread.is_alive():
            with suppress(queue.Full):
                self._queue.put(None, timeout=self._timeout_s)
            self._thread.join(self._timeout_s)

    def _work(self) -> None:
        while (alert := self._queue.get()) is not None:
            try:
                self._run(alert)
            except (OSError, ValueError) as error:
                _log.warning("alert command failed: error=%s kind=%s", type(error).__name__, alert.kind)

    def _run(self, alert: Alert) -> None:
        told = {
            "GRIDBOT_ALERT_KIND": alert.kind,
            "GRIDBOT_ALERT_SEVERITY": alert.severity.value,
            "GRIDBOT_ALERT_CODE": alert.code or "",
        }
        # a session of its own, so that what the command starts ends with it
        process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
            self._words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment | told,
            start_new_session=True,
        )
        try:
            process.communicate(f"{alert.sentence}\n".encode(), self._timeout_s)
        except subprocess.TimeoutExpired:
            _end(process)
            _log.warning("alert command ended after %s s: kind=%s", self._timeout_s, alert.kind)
            return
        if process.returncode:
            _log.warning("alert command exit=%s kind=%s", process.returncode, alert.kind)


def _command_words(command: str) -> list[str]:
    try:
        words = shlex.split(command, posix=os.name != "nt")
    except ValueError as error:
        raise UsageError(f"{ALERT_VARIABLE} is no command line ({error}); quote it as for a shell") from None
    program = shutil.which(words[0]) if words else None
    if program is None:
        raise UsageError(f"{ALERT_VARIABLE} names {words[0] if words else 'no program'!r}, which cannot be run")
    return [program, *words[1:]]


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
