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

_LONGEST_SAID = 2_000
_LONGEST_LINE = 1_000
_HEAD = 60
_TYPE = r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Failed|Refused|Timeout)"
_TYPE_ALONE = re.compile(rf"(?:^|[\s:|])(?P<type>{_TYPE})(?::\s*(?P<message>.*))?$")
_PYTEST_SAID = re.compile(r"^E {3,}(?P<text>\S.*)$")
_PYTEST_PLACE = re.compile(r"^(?P<path>[^\s:][^:]*\.py):(?P<line>\d+): ?(?P<type>[\w.]*)$")
_PYTEST_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (?P<node>\S+\.py(?:::\S+)?)(?: - (?P<text>.*))?$")
_TOOL = re.compile(
    r"^(?P<path>[^\s:][^:]*\.\w+):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"(?:(?:error|warning|note|fatal error): )?(?P<text>\S.*)$"
)
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
    found = newest_logged(lines, root, origin)
    if found is not None and found.chain:
        return found
    for read in (_of_pytest, _of_tool):
        evidence = read(lines, places, origin)
        if evidence is not None:
            return evidence
    if found is not None:
        return found
    return _of_words(next((line for line in reversed(lines) if line.strip()), ""), origin, places)


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


def _of_pytest(lines: list[str], places: LogPlaces, origin: str) -> Evidence | None:
    """Read the first failure of pytest's output, whatever its ``--tb`` style."""
    said: list[str] = []
    frames: list[Frame] = []
    for line in lines:
        if (place := _PYTEST_PLACE.match(line)) is not None:
            frames.append(places.frame(place["path"], int(place["line"]), ""))
            if said:
                break
        elif (found := _PYTEST_SAID.match(line)) is not None:
            said.append(found["text"])
        elif (summary := _PYTEST_SUMMARY.match(line)) is not None and not said:
            path = summary["node"].partition("::")[0]
            frames.append(places.frame(path, 1, summary["node"].rpartition("::")[2]))
            said.append(summary["text"] or "failed")
            break
    if not said:
        return None
    kind, message = _type_and_message(said)
    return Evidence(origin, (Raised(kind, masked(message)[:_LONGEST_SAID], tuple(frames)),))


def _type_and_message(said: list[str]) -> tuple[str, str]:
    found = re.match(r"^(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$", said[0])
    rest = "\n".join(said[1:])
    if found is None or said[0].startswith("assert"):
        return "AssertionError", "\n".join(said)
    return found["type"], "\n".join(filter(None, (found["message"] or "", rest)))


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
