"""A session's log: JSON lines in a file that rotates, a readable form on the console, no secret in either."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Self, TextIO

import structlog
from structlog.stdlib import ProcessorFormatter

from trading.errors import GridBotError
from trading.exchange.clock import Clock
from trading.exchange.redaction import Redactor

LOG_FOLDER = "log"
LOG_FILE = "session.jsonl"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = ("time", "level", "session", "event", "code", "action")
# Longer texts are cut: a page of HTML from a broken exchange must not fill the disk.
_LONGEST_TEXT = 10_000

_Event = MutableMapping[str, object]


@dataclass(frozen=True, slots=True)
class LogLimits:
    """How much log stays on the disk.

    Parameters
    ----------
    size_bytes : int
        Size at which a file is put aside and a new one begun.
    kept : int
        Files put aside that stay, the newest.
    """

    size_bytes: int = 10_000_000
    kept: int = 5


class SessionLog:
    """The log of one session; every record has time, level, session, event, code and action.

    A record that cannot be written is counted in `lost` and never stops the session.

    Parameters
    ----------
    folder : Path
        The session's folder; the log is in ``log/session.jsonl`` under it.
    session : str
        The session's name.
    clock : Clock
        Tells the records' times.
    secrets : iterable of str
        Known secrets, masked wherever they appear.
    debug : bool
        Whether records of the level debug are written, and tracebacks shown on the console.
    console : text file, optional
        Where the readable form goes; None shows none.
    limits : LogLimits
        How much stays.
    captured : iterable of str
        Names of standard loggers whose records are written too while this log is open.
    """

    def __init__(
        self,
        folder: Path,
        session: str,
        clock: Clock,
        *,
        secrets: Iterable[str] = (),
        debug: bool = False,
        console: TextIO | None = None,
        limits: LogLimits | None = None,
        captured: Iterable[str] = ("trading",),
    ) -> None:
        self.path = folder / LOG_FOLDER / LOG_FILE
        self.redactor = Redactor(secrets)
        self._session = self.redactor.text(session)
        self._clock = clock
        self._debug = debug
        level = logging.DEBUG if debug else logging.INFO
        self._handlers = self._opened(console, limits or LogLimits())
        # not one of the named loggers, which live as long as the process and are shared by all
        own = logging.Logger(f"session {session}", level)  # noqa: LOG001
        for handler in self._handlers:
            own.addHandler(handler)
        self._log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
            own,
            processors=[structlog.stdlib.add_log_level, ProcessorFormatter.wrap_for_formatter],
            wrapper_class=structlog.stdlib.BoundLogger,
        )
        self._captured = [(logging.getLogger(name), logging.getLogger(name).level) for name in captured]
        for logger, _ in self._captured:
            logger.setLevel(level)
            for handler in self._handlers:
                logger.addHandler(handler)

    @property
    def lost(self) -> int:
        """Records that could not be written."""
        return sum(handler.lost for handler in self._handlers)

    def debug(self, event: str, /, *, code: str | None = None, action: str | None = None, **fields: object) -> None:
        """Write a record that only ``--debug`` shows."""
        self._log.debug(event, code=code, action=action, **_apart(fields))

    def info(self, event: str, /, *, code: str | None = None, action: str | None = None, **fields: object) -> None:
        """Write what happened."""
        self._log.info(event, code=code, action=action, **_apart(fields))

    def warning(self, event: str, /, *, code: str | None = None, action: str | None = None, **fields: object) -> None:
        """Write what a person should look at."""
        self._log.warning(event, code=code, action=action, **_apart(fields))

    def error(self, event: str, /, *, code: str | None = None, action: str | None = None, **fields: object) -> None:
        """Write what went wrong."""
        self._log.error(event, code=code, action=action, **_apart(fields))

    def failure(self, event: str, error: BaseException, /, **fields: object) -> None:
        """Write an exception: its sentence, its code and action; its traceback when it is none of ours.

        Parameters
        ----------
        event : str
            What was being done.
        error : BaseException
            What was raised.
        **fields : object
            More facts.
        """
        ours = error if isinstance(error, GridBotError) else None
        code, action = (ours.code, ours.action) if ours else (None, None)
        trace = error if ours is None or self._debug else None
        facts = _apart({"error": type(error).__name__, "reason": str(error), **fields})
        self._log.error(event, code=code, action=action, exc_info=trace, **facts)

    def close(self) -> None:
        """Close the file and let go of captured loggers."""
        for logger, level in self._captured:
            logger.setLevel(level)
            for handler in self._handlers:
                logger.removeHandler(handler)
        self._captured = []
        for handler in self._handlers:
            handler.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self, console: TextIO | None, limits: LogLimits) -> list[_RotatingFile | _Console]:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = _RotatingFile(self.path, maxBytes=limits.size_bytes, backupCount=limits.kept, encoding="utf-8")
        file.setFormatter(self._formatter(structlog.processors.JSONRenderer(serializer=_as_json)))
        if console is None:
            return [file]
        shown = _Console(console)
        colors = console.isatty()
        plain = structlog.dev.ConsoleRenderer(
            colors=colors, timestamp_key="time", pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
        shown.setFormatter(self._formatter(self._for_console, plain))
        return [file, shown]

    def _formatter(self, *last: structlog.typing.Processor) -> ProcessorFormatter:
        return ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=("code", "action")),
            ],
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                self._shaped,
                *last,
            ],
        )

    def _shaped(self, _logger: object, _method: str, event: _Event) -> _Event:
        # in this order the record's own parts come first
        own: dict[str, object] = {"time": iso_ms(self._clock.now_ms()), "level": event.pop("level", None)}
        own["session"] = self._session
        clean = self.redactor.value({"event": event.get("event"), "code": None, "action": None, **event})
        return own | {name: _cut(value) for name, value in clean.items()} if isinstance(clean, dict) else own

    def _for_console(self, _logger: object, _method: str, event: _Event) -> _Event:
        hidden = {"session"} | {name for name in ("code", "action") if event.get(name) is None}
        if not self._debug:
            hidden.add("exception")
        return {name: value for name, value in event.items() if name not in hidden}


class _Counted(logging.Handler):
    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's own name
        # the library would print the record, secrets and all
        self.lost += 1


class _RotatingFile(_Counted, RotatingFileHandler):
    _last: tuple[logging.LogRecord, str] | None = None

    def format(self, record: logging.LogRecord) -> str:
        # asked for twice a record: to see whether it fits, and to write it
        if self._last is None or self._last[0] is not record:
            self._last = record, super().format(record)
        return self._last[1]


class _Console(_Counted, logging.StreamHandler[TextIO]):
    pass


def iso_ms(milliseconds: int) -> str:
    """Return a time as ISO 8601 text in UTC, to the millisecond: ``2026-01-01T00:00:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _apart(fields: dict[str, object]) -> dict[str, object]:
    # a fact named like one of the record's own parts stands beside it
    return {f"{name}_" if name in {*_FIRST, "exc_info", "exception"} else name: value for name, value in fields.items()}


def _as_json(event: object, **_: object) -> str:
    # ASCII: line separators of other alphabets would break a line in two, and half a surrogate cannot be written
    return json.dumps(event, default=repr)


def _cut(value: object) -> object:
    if isinstance(value, str) and len(value) > _LONGEST_TEXT:
        return f"{value[:_LONGEST_TEXT]}… ({len(value):,} characters)"
    return value
