"""What is known of an error before it is explained, and how it is read from text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.masking import masked
from automation.incidents.log_frames import LogPlaces
from automation.incidents.log_parsing import LoggedError, LogParser
from automation.incidents.records import Frame, Raised, TestResult
from automation.tasks.explain.advice_words import WORD_RULES
from automation.tasks.explain.pytest_output import read_pytest

_LONGEST_SAID = 2_000
_LONGEST_LINE = 1_000
_HEAD = 60
_LAST_LINES = 20
_TYPE = (
    r"(?:[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Failed|Refused|Timeout)"
    # of exchanges, and of libraries whose names have no ending of their own
    r"|(?:[A-Za-z_]\w*\.)*(?:InsufficientFunds|InvalidNonce|RateLimitExceeded|DDoSProtection|InvalidOrder|BadSymbol"
    r"|OrderNotFound|DuplicateOrderId|ExchangeNotAvailable|OnMaintenance|AccountSuspended|InvalidOperation"
    r"|TimeoutExpired|BadZipFile|BrokenProcessPool|ArrowInvalid))"
)
_TYPE_ALONE = re.compile(rf"(?:^|[\s:|])(?P<type>{_TYPE})(?::\s*(?P<message>.*))?$")
_RAISED_LINE = re.compile(rf"^(?:{_TYPE}|[A-Za-z_]\w*(?:\.\w+)*\.[A-Z]\w+)(?::\s|$)")
_COMPLAINT = re.compile(r"^(?:\S+: )?(?:fatal(?: error)?|error|e)\b\s*:", re.IGNORECASE)
_TOOL = re.compile(
    r"^(?P<path>[^\s:][^:]*\.\w+):(?P<line>\d+):(?:(?P<column>\d+):?)? (?:- )?"
    r"(?:(?:error|warning|note|fatal error): )?(?P<text>\S.*)$"
)
_PYTEST_SUMMARY = re.compile(r"^=+ short test summary info =+$")
_CODE = re.compile(r"\[?\b(?P<code>E00[1-7])\b\]?:? *")
_EXIT = re.compile(
    r"(?:exit(?:ed)?(?: with)?(?: (?:code|status))?|return(?:ed)?(?: non-zero exit status| code)?|rc)"
    r"[ :=]*(?P<code>-?\d{1,3})\b",
    re.IGNORECASE,
)
_SIGNAL = re.compile(r"\b(?:signal|SIG(?=\d))[ :=]*(?P<number>\d{1,2})\b", re.IGNORECASE)
_ENDED = (
    (re.compile(r"\bkilled\b|\bSIGKILL\b|\boom[- ]?kill", re.IGNORECASE), 137),
    (re.compile(r"segmentation fault|\bSIGSEGV\b", re.IGNORECASE), 139),
    (re.compile(r"\baborted\b|\bSIGABRT\b", re.IGNORECASE), 134),
    (re.compile(r"\bterminated\b|\bSIGTERM\b", re.IGNORECASE), 143),
    (re.compile(r"command not found", re.IGNORECASE), 127),
)
_ERROR_LEVEL = re.compile(r"\b(?:ERROR|CRITICAL|FATAL)\b")
_LEVELS = {"error", "critical", "fatal"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """An error as it was met.

    Parameters
    ----------
    origin : str
        Where it comes from, for a person: ``the text``, ``service.log``, ``session paper-btc-usdt``.
    chain : tuple of Raised
        The exception first, then its causes; empty when nobody raised anything.
    said : str
        What was said without an exception, masked.
    code : str
        GridBot's own code, ``E001`` to ``E007``; empty without one.
    exit_code : int or None
        Of a process that ended.
    column : int
        From 1 where a tool told it; 0 where nobody did.
    test : TestResult or None
        The test that failed.
    when_ms : int
        Milliseconds UTC; 0 where it is not known.
    notes : tuple of str
        What else a person should know of where it was found.
    """

    origin: str
    chain: tuple[Raised, ...] = ()
    said: str = ""
    code: str = ""
    exit_code: int | None = None
    column: int = 0
    test: TestResult | None = None
    when_ms: int = 0
    notes: tuple[str, ...] = ()


def read_text(text: str, root: Path, origin: str = "the text") -> Evidence:
    """Read what a person pasted: a traceback, pytest's output, a log, one line, an exit code.

    Parameters
    ----------
    text : str
        At least one word.
    root : Path
        The repository that its paths may belong to.
    origin : str
        What it is called in the answer.
    """
    # nobody writes an error into a longer line, and patterns take their time over one
    lines = [line[:_LONGEST_LINE] for line in text.replace("\r\n", "\n").strip("\n").split("\n")]
    places = LogPlaces(root)
    # pytest's summary names again what it told before, and less of it
    summary = next((number for number, line in enumerate(lines) if _PYTEST_SUMMARY.match(line)), len(lines))
    found = newest_logged(lines[:summary], root, origin)
    if found is not None and any(raised.frames for raised in found.chain):
        return found
    chain = read_pytest(lines, places, root)
    if chain:
        return Evidence(origin, chain)
    evidence = _of_tool(lines, places, origin)
    if evidence is not None:
        return evidence
    if found is not None and (found.chain or found.code):
        return found
    known = _known_line(lines)
    return _of_words(known, origin, places) if known else found or _of_lines(lines, origin, places)


def newest_logged(lines: Iterable[str], root: Path, origin: str) -> Evidence | None:
    """Return the last error that a log shows: an exception, or a record of the level error without one.

    Parameters
    ----------
    lines : iterable of str
        Read once.
    root : Path
        The repository that the log's program was made from.
    origin : str
        What the log is called in the answer.
    """
    places = LogPlaces(root)
    parser = LogParser(places)
    newest: Evidence | None = None
    said = ""
    for line in lines:
        for error in parser.feed(line):
            # what this line shows to have ended stood before it
            newest = _of_logged(error, origin, said, newest)
        record = _error_record(line)
        if record is not None:
            newest, said = replace(record, origin=origin), record.said
    for error in parser.finish():
        newest = _of_logged(error, origin, said, newest)
    return newest


def _of_logged(error: LoggedError, origin: str, said: str, before: Evidence | None) -> Evidence:
    code = before.code if before is not None else ""
    return Evidence(origin, error.chain, said, code, when_ms=error.time_ms)


def exit_code_of(text: str) -> int | None:
    """Return the exit code that a text tells of, None when it tells of none; a signal counts as the shell counts it."""
    bare = text.strip()
    if re.fullmatch(r"-?\d{1,3}", bare):
        return int(bare)
    told = _EXIT.search(text)
    if told is not None:
        return int(told["code"])
    signal = _SIGNAL.search(text)
    if signal is not None:
        return 128 + int(signal["number"])
    return next((code for pattern, code in _ENDED if pattern.search(text)), None)


def _error_record(line: str) -> Evidence | None:
    if line.lstrip().startswith("{"):
        return _of_json(line)
    text = line[:_LONGEST_LINE].strip()
    if not _ERROR_LEVEL.search(text[:_HEAD]):
        return None
    return _of_words(text, "", None)


def _of_json(text: str) -> Evidence | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    inner = record.get("error")
    if isinstance(inner, dict):
        # what `--json` prints of a command that failed
        return _of_facts({**inner, "reason": inner.get("message"), "error": inner.get("type")})
    level = str(record.get("level", record.get("levelname", ""))).lower()
    return _of_facts(record) if level in _LEVELS else None


def _of_facts(record: Mapping[str, object]) -> Evidence:
    kind, reason = record.get("error"), record.get("reason")
    words = str(reason or record.get("event") or record.get("message") or record.get("msg") or "")
    chain: tuple[Raised, ...] = ()
    if isinstance(kind, str) and kind.isidentifier():
        chain = (Raised(kind, masked(words)[:_LONGEST_SAID], ()),)
    code = str(record.get("code") or "")
    return Evidence("", chain, "" if chain else masked(words)[:_LONGEST_SAID], code)


def _of_tool(lines: list[str], places: LogPlaces, origin: str) -> Evidence | None:
    """Read the first ``path:line:column: message`` of a checker or a compiler."""
    for line in lines:
        found = _TOOL.match(line.strip())
        if found is not None and places.own(found["path"]) is not None:
            frame = places.frame(found["path"], int(found["line"]), "")
            raised = _raised_in(found["text"]) or Raised("", masked(found["text"])[:_LONGEST_SAID], ())
            whole = replace(raised, frames=(frame,))
            return Evidence(origin, (whole,), column=int(found["column"] or 0))
    return None


def _of_lines(lines: list[str], origin: str, places: LogPlaces) -> Evidence:
    """Read the line that tells most: an exception, a complaint, else the last."""
    told = [line for line in lines if line.strip()]
    for number in range(len(told) - 1, -1, -1):
        if _RAISED_LINE.match(told[number]):
            found = _of_words(told[number], origin, places)
            # what follows belongs to the message, as pydantic's fields do
            return replace(found, chain=tuple(_prolonged(raised, told[number + 1 :]) for raised in found.chain))
    complaints = (line for line in told if _COMPLAINT.match(line))
    return _of_words(next(complaints, told[-1] if told else ""), origin, places)


def _known_line(lines: list[str]) -> str:
    """Return the first line with words of a program that are known; what stands far above the end is past."""
    last = [line for line in lines if line.strip()][-_LAST_LINES:]
    if any(_RAISED_LINE.match(line) for line in last):
        return ""
    return next((line for rule in WORD_RULES for line in last if rule.pattern.search(line)), "")


def _prolonged(raised: Raised, lines: list[str]) -> Raised:
    message = masked("\n".join([raised.message, *lines]).strip())[:_LONGEST_SAID]
    return replace(raised, message=message)


def _of_words(line: str, origin: str, places: LogPlaces | None) -> Evidence:
    code = _CODE.search(line)
    exit_code = exit_code_of(line)
    raised = _raised_in(line)
    said = masked(line.strip())[:_LONGEST_SAID]
    frames = tuple(_mentioned(line, places)) if places is not None else ()
    if raised is not None:
        return Evidence(origin, (replace(raised, frames=frames),), said, code["code"] if code else "", exit_code)
    if frames:
        return Evidence(origin, (Raised("", said, frames),), said, code["code"] if code else "", exit_code)
    return Evidence(origin, (), said, code["code"] if code else "", exit_code)


def _raised_in(text: str) -> Raised | None:
    found = _TYPE_ALONE.search(text) or re.match(r"^(?P<type>[A-Za-z_]\w*(?:\.\w+)*\.[A-Z]\w+): (?P<message>.*)$", text)
    if found is None:
        return None
    return Raised(found["type"], masked(found["message"] or "")[:_LONGEST_SAID], ())


def _mentioned(line: str, places: LogPlaces) -> Iterator[Frame]:
    for found in re.finditer(r"(?P<path>[\w./\\-]+\.py)(?::|\", line )(?P<line>\d+)", line):
        if places.own(found["path"]) is not None:
            yield places.frame(found["path"], int(found["line"]), "")
