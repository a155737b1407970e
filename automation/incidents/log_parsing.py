"""Log lines of any usual kind made into exceptions: plain tracebacks, stdlib logging, structlog and JSON lines."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from automation.incidents.inside.describe import MESSAGE_LIMIT, masked_cut
from automation.incidents.log_frames import LogPlaces
from automation.incidents.records import Frame, Raised
from automation.incidents.traceback_text import TracebackReader

STREAMS_LIMIT = 64
LINE_LIMIT = 1 << 16
_FRAMES_LIMIT = 200

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?")
_LEVEL = re.compile(r"\b(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|EXCEPTION|CRITICAL|FATAL)\b", re.IGNORECASE)
_STREAM = re.compile(r"^([\w.-]+\s*\|\s)(?=\S|\s)")
_SEVERITIES = {"warn": "warning", "warning": "warning", "critical": "critical", "fatal": "critical"}
_HEAD = 160
_TIME_KEYS = ("timestamp", "time", "@timestamp", "ts", "asctime", "created")
_LEVEL_KEYS = ("level", "levelname", "severity", "log_level")
_TRACE_KEYS = ("exception", "exc_info", "traceback", "stack_trace", "exc_text", "error")


@dataclass(frozen=True, slots=True)
class LoggedError:
    """One exception that a log shows.

    Parameters
    ----------
    chain : tuple of Raised
        The exception first, then its causes.
    time_ms : int
        Milliseconds UTC of its record, 0 where unknown; a time without a zone counts as UTC.
    severity : str
        ``error``, ``critical`` or ``warning``.
    """

    chain: tuple[Raised, ...]
    time_ms: int
    severity: str


@dataclass
class _Stream:
    reader: TracebackReader
    time_ms: int = 0
    severity: str = "error"


class LogParser:
    """Reads a log line by line in bounded memory.

    Parameters
    ----------
    places : LogPlaces
        Settles which files are the repository's own.
    """

    def __init__(self, places: LogPlaces) -> None:
        self._places = places
        # programs that share one output put their name before each line: `web_1  | ...`
        self._streams: OrderedDict[str, _Stream] = OrderedDict()

    def feed(self, line: str) -> Iterator[LoggedError]:
        """Take one line without its end and hand back what it completes."""
        line = line[:LINE_LIMIT].rstrip("\r\n")
        named = _STREAM.match(line)
        name = named.group(1) if named else ""
        stream = self._stream(name)
        text = line[len(name) :]
        found = _json_object(text)
        if found is not None:
            yield from self._whole(stream)
            yield from self._structured(found)
            return
        head = _record_head(text)
        before = (stream.time_ms, stream.severity)
        chain = stream.reader.feed(text, starts_record=head is not None)
        if chain:
            yield LoggedError(chain, *before)
        if head is not None and not (stream.reader.reading and "Traceback (most" not in text):
            stream.time_ms, stream.severity = head

    def finish(self) -> Iterator[LoggedError]:
        """Hand back what was whole when the log ended."""
        for stream in self._streams.values():
            yield from self._whole(stream)

    def _stream(self, name: str) -> _Stream:
        if name not in self._streams:
            self._streams[name] = _Stream(TracebackReader(self._places))
            if len(self._streams) > STREAMS_LIMIT:
                self._streams.popitem(last=False)
        self._streams.move_to_end(name)
        return self._streams[name]

    def _whole(self, stream: _Stream) -> Iterator[LoggedError]:
        chain = stream.reader.finish()
        if chain:
            yield LoggedError(chain, stream.time_ms, stream.severity)

    def _structured(self, record: Mapping[str, object]) -> Iterator[LoggedError]:
        time_ms = next((_time_of(record[key]) for key in _TIME_KEYS if key in record), 0)
        level = next((str(record[key]) for key in _LEVEL_KEYS if key in record), "error")
        severity = _SEVERITIES.get(level.lower(), "error")
        for key in _TRACE_KEYS:
            chain = self._chain_in(record.get(key))
            if chain:
                yield LoggedError(chain, time_ms, severity)
                return

    def _chain_in(self, value: object) -> tuple[Raised, ...]:
        if isinstance(value, str):
            reader = TracebackReader(self._places)
            for line in value.splitlines():
                reader.feed(line, starts_record=False)
            return reader.finish() or ()
        if isinstance(value, dict):
            value = [value]
        if isinstance(value, list):
            # structlog tells the exception first, then what it came from
            return tuple(self._raised(part) for part in value if isinstance(part, dict) and "exc_type" in part)
        return ()

    def _raised(self, part: Mapping[str, object]) -> Raised:
        frames = part.get("frames")
        kept = frames[-_FRAMES_LIMIT:] if isinstance(frames, list) else []
        found = tuple(self._frame(frame) for frame in kept if isinstance(frame, dict))
        module = str(part.get("exc_module") or "")
        name = str(part["exc_type"])
        kind = name if module in ("", "builtins") or "." in name else f"{module}.{name}"
        message = masked_cut(str(part.get("exc_value", "")), MESSAGE_LIMIT)
        return Raised(kind, message, found)

    def _frame(self, frame: Mapping[str, object]) -> Frame:
        values = frame.get("locals")
        kept = {str(name): str(text) for name, text in values.items()} if isinstance(values, dict) else {}
        line = frame.get("lineno")
        name = str(frame.get("name", ""))
        return self._places.frame(str(frame.get("filename", "")), line if isinstance(line, int) else 1, name, kept)


def _json_object(line: str) -> dict[str, object] | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _record_head(line: str) -> tuple[int, str] | None:
    """Return time and severity when a line begins a record."""
    if line[:1].isspace() or not line:
        return None
    head = line[:_HEAD]
    moment = _TIME.search(head)
    level = _LEVEL.search(head)
    begins_with_level = level is not None and level.start() <= 1 and level.group(1).isupper()
    if not begins_with_level and (moment is None or moment.start() > 1):
        return None
    name = level.group(1).lower() if level else "error"
    return (_moment_ms(moment) if moment else 0), _SEVERITIES.get(name, "error")


def _moment_ms(found: re.Match[str]) -> int:
    zone = (found[8] or "Z").replace("Z", "+00:00")
    fraction = (found[7] or "0")[:6].ljust(6, "0")
    text = f"{found[1]}-{found[2]}-{found[3]}T{found[4]}:{found[5]}:{found[6]}.{fraction}{zone}"
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        return 0


def _time_of(value: object) -> int:
    if isinstance(value, str):
        found = _TIME.search(value)
        return _moment_ms(found) if found else 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        # seconds up to the year 5138, milliseconds beyond
        moment = float(value)
        return round(moment if moment > 1e11 else moment * 1000)
    return 0


def moment_text(time_ms: int) -> str:
    """Return a time for people, UTC; a dash where it is unknown."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_ms else "-"
