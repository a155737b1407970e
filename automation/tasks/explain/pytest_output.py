"""What pytest's output tells of its first failure, whatever its style."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from automation.codebase.masking import masked
from automation.incidents.log_frames import LogPlaces
from automation.incidents.records import Frame, Raised

_LONGEST_SAID = 2_000
_HEADER = re.compile(r"^(?:_{3,} (?P<title>\S.*?) _{3,}|={3,} .* ={3,})$")
# a line of progress begins with the same letter
_SAID = re.compile(r"^E {3,}(?P<text>\S.*)$")
_PROGRESS = re.compile(r"\[\s*\d+%\]\s*$")
_PLACE = re.compile(
    r"^(?P<path>[^\s:][^:]*\.py):(?P<line>\d+):(?: in (?P<function>\S+)| (?P<type>[A-Za-z_][\w.]*)(?:: .*)?| .*)?$"
)
_FILE = re.compile(r"^file (?P<path>.+\.py), line (?P<line>\d+)$")
_SUMMARY = re.compile(r"^(?:FAILED|ERROR) (?P<node>\S+\.py(?:::\S+)?)(?: - (?P<text>.*))?$")
_LED_ON = re.compile(r"^(?:The above exception was the direct cause|During handling of the above exception)")
_TYPED = re.compile(r"^(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$")


def read_pytest(lines: Sequence[str], places: LogPlaces, root: Path) -> tuple[Raised, ...]:
    """Return the first failure that pytest's output shows, with its causes after it; empty when it shows none.

    Parameters
    ----------
    lines : sequence of str
        All of the output, or a part of it.
    places : LogPlaces
        Finds the repository's files.
    root : Path
        The repository.
    """
    found = tuple(filter(None, (_raised(part, places) for part in _parts(lines))))
    if found:
        # the last one led to the failure; what was raised before is its cause
        return found[::-1]
    for line in lines:
        summary = _SUMMARY.match(line)
        if summary is not None:
            return (_of_summary(summary, places, root),)
    return ()


def _parts(lines: Sequence[str]) -> list[list[str]]:
    """Return the first failure's lines, cut where one exception led to the next."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if _HEADER.match(line):
            if _says_something(parts):
                break
            parts = [[]]
        elif _LED_ON.match(line):
            parts.append([])
        else:
            parts[-1].append(line)
    return parts if _says_something(parts) else []


def _says_something(parts: Iterable[Sequence[str]]) -> bool:
    return any(_said(line) for part in parts for line in part)


def _said(line: str) -> str:
    found = _SAID.match(line)
    return "" if found is None or _PROGRESS.search(line) else found["text"]


def _raised(lines: Sequence[str], places: LogPlaces) -> Raised | None:
    said = [text for text in map(_said, lines) if text]
    if not said:
        return None
    frames: list[Frame] = []
    for line in lines:
        found = _PLACE.match(line) or _FILE.match(line)
        if found is not None:
            function = found.groupdict().get("function") or ""
            frames.append(places.frame(found["path"], int(found["line"]), function))
    kind, message = _type_and_message(said)
    return Raised(kind, masked(message)[:_LONGEST_SAID], tuple(frames))


def _type_and_message(said: Sequence[str]) -> tuple[str, str]:
    found = _TYPED.match(said[0])
    if found is None or said[0].startswith("assert"):
        return "AssertionError", "\n".join(said)
    return found["type"], "\n".join(filter(None, (found["message"] or "", *said[1:])))


def _of_summary(found: re.Match[str], places: LogPlaces, root: Path) -> Raised:
    path, _, test = found["node"].partition("::")
    name = test.rpartition("::")[2].partition("[")[0]
    kind, message = _type_and_message([found["text"] or "failed"])
    frame = places.frame(path, 1, name)
    return Raised(kind, masked(message)[:_LONGEST_SAID], (places.frame(path, _line_of(root / frame.path, name), name),))


def _line_of(file: Path, name: str) -> int:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 1
    found = re.search(rf"^[ \t]*(?:async )?def {re.escape(name)}\b", text, re.MULTILINE) if name else None
    return 1 if found is None else text.count("\n", 0, found.start()) + 1
