"""Tracebacks as Python prints them, read line by line: chains, exception groups, carets, prefixes, syntax errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from automation.codebase.masking import masked
from automation.incidents.log_frames import LogPlaces
from automation.incidents.records import Frame, Raised

FRAMES_LIMIT = 200
CHAIN_LIMIT = 12
MESSAGE_LINES = 12
MESSAGE_LIMIT = 4000

_HEADER = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_RAISED = re.compile(r"^(?P<type>[A-Za-z_]\w*(?:\.[A-Za-z_<>]\w*>?)*)(?:: ?(?P<message>.*))?$")
_LINKS = ("The above exception was the direct cause", "During handling of the above exception")
_GUTTER = re.compile(r"^\s*(?:\| ?|\+ (?=Exception Group))")
_MEMBER = re.compile(r"^\s*\+[-+]*-{4,} (?:\d+|\.\.\.) -{4,}$|^\s*\+-{4,}$")
_LAST_MEMBER = re.compile(r"^\s*\+-{4,}$")


@dataclass
class _Open:
    frames: list[Frame] = field(default_factory=list)
    member: bool = False


class TracebackReader:
    """Takes the lines of one stream and hands back whole exceptions.

    Parameters
    ----------
    places : LogPlaces
        Settles which files are the repository's own.
    """

    def __init__(self, places: LogPlaces) -> None:
        self._places = places
        self._prefix: re.Pattern[str] | None = None
        self._open: _Open | None = None
        self._found: list[tuple[Raised, bool]] = []
        self._message: list[str] | None = None
        self._blank = False
        self._linked = False
        self._in_group = False
        self._member_begins = False

    @property
    def reading(self) -> bool:
        """Whether the next line may belong to an exception."""
        return self._open is not None or bool(self._found)

    def feed(self, line: str, *, starts_record: bool) -> tuple[Raised, ...] | None:
        """Take one line without its end.

        Parameters
        ----------
        line : str
            Of one stream.
        starts_record : bool
            Whether it begins a log record of its own.

        Returns
        -------
        tuple of Raised or None
            A whole exception, with its causes after it, when this line shows that the one before it has ended.
        """
        at = line.find(_HEADER)
        if at >= 0:
            return self._begin(line[:at])
        if self._open is None and not self._found:
            self._begin_syntax_error(line)
            return None
        text = self._without_prefix(line)
        if self._open is not None:
            # a prefix of every line looks like the beginning of a record
            self._take(text, starts_record=starts_record and text == line)
            return None
        return self._after(text, starts_record=starts_record)

    def finish(self) -> tuple[Raised, ...] | None:
        """Return the exception that was whole by now, if any, and forget the rest."""
        found = self._found
        self._open, self._found, self._message = None, [], None
        self._blank = self._linked = self._in_group = self._member_begins = False
        if not found:
            return None
        causes = [raised for raised, member in found if not member]
        members = [raised for raised, member in found if member]
        return (*reversed(causes), *members)

    def _begin(self, before: str) -> tuple[Raised, ...] | None:
        whole = None
        if self._found and not self._linked and not self._in_group:
            whole = self.finish()
        if not self.reading:
            shape = before.removesuffix("+ Exception Group ")
            self._prefix = re.compile(re.sub(r"\d+", r"\\d+", re.escape(shape))) if shape else None
        self._open = _Open(member=self._in_group)
        self._message, self._linked, self._member_begins = None, False, False
        return whole

    def _begin_syntax_error(self, line: str) -> None:
        found = _FRAME.match(line)
        if found is not None and found["function"] is None:
            self._prefix = None
            self._open = _Open([self._frame(found)])

    def _without_prefix(self, line: str) -> str:
        if self._prefix is not None:
            found = self._prefix.match(line)
            if found is not None:
                line = line[found.end() :]
        if _MEMBER.match(line):
            return line
        return _GUTTER.sub("", line, count=1)

    def _take(self, text: str, *, starts_record: bool) -> None:
        if self._open is None:
            return
        found = _FRAME.match(text)
        if found is not None:
            self._open.frames.append(self._frame(found))
            if len(self._open.frames) > FRAMES_LIMIT:
                del self._open.frames[FRAMES_LIMIT // 2]
            return
        raised = _RAISED.match(text)
        # a line of another record between two of this traceback is passed over
        if text[:1].isspace() or starts_record or raised is None:
            return
        self._close(raised, self._open)

    def _close(self, raised: re.Match[str], opened: _Open) -> None:
        message = raised["message"] or ""
        self._found.append(
            (Raised(raised["type"], masked(message)[:MESSAGE_LIMIT], tuple(opened.frames)), opened.member)
        )
        del self._found[CHAIN_LIMIT:]
        self._open, self._message, self._blank = None, [message], False

    def _frame(self, found: re.Match[str]) -> Frame:
        return self._places.frame(found["path"], int(found["line"]), (found["function"] or "").strip())

    def _after(self, text: str, *, starts_record: bool) -> tuple[Raised, ...] | None:
        if self._is_joint(text):
            return None
        if not text.strip():
            self._blank, self._message = True, None
        elif starts_record:
            return self.finish()
        elif self._message is not None and len(self._message) < MESSAGE_LINES:
            self._lengthen(text)
        elif self._blank and not self._linked and not self._in_group:
            return self.finish()
        return None

    def _is_joint(self, text: str) -> bool:
        """Take a line that joins one exception to the next."""
        if text.startswith(_LINKS):
            self._linked, self._message = True, None
            return True
        if _MEMBER.match(text):
            self._in_group = self._member_begins = not _LAST_MEMBER.match(text)
            self._message = None
            return True
        raised = _RAISED.match(text) if self._member_begins else None
        if raised is not None:
            # a member that was never raised has no traceback of its own
            self._member_begins = False
            self._close(raised, _Open(member=True))
            return True
        return False

    def _lengthen(self, text: str) -> None:
        if self._message is None:
            return
        self._message.append(text)
        raised, member = self._found[-1]
        message = masked("\n".join(self._message)[: 8 * MESSAGE_LIMIT])[:MESSAGE_LIMIT]
        self._found[-1] = (Raised(raised.type, message, raised.frames), member)
