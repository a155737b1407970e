"""Docstrings as lines: their sections and entries, in NumPy's or Google's layout."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from automation.tasks.document.requests import Style

_TITLES = frozenset({
    "Parameters", "Other Parameters", "Attributes", "Returns", "Yields", "Raises", "Warns", "Receives", "Examples",
    "Example", "Notes", "Note", "See Also", "References", "Warnings", "Methods",
})  # fmt: skip
_GOOGLE_NAMES = {"Args": "Parameters", "Arguments": "Parameters", "Keyword Args": "Other Parameters"}
_DASHES = re.compile(r"\s*-{3,}\s*$")
_GOOGLE_TITLE = re.compile(r"(?P<margin>\s*)(?P<title>[A-Z][A-Za-z ]+):\s*$")
_GOOGLE_ENTRY = re.compile(r"\s*(?P<name>\*{0,2}[\w.]+)\s*(?:\((?P<type>.*?)\))?:(?=\s|$)")
_NUMPY_ENTRY = re.compile(r"\s*(?P<names>\*{0,2}[\w.]+(?:,\s*\*{0,2}[\w.]+)*)(?:\s*:\s+(?P<type>\S.*)|\s+:|\s*)$")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a section.

    Parameters
    ----------
    names : tuple of str
        What it is about, with stars; NumPy's layout may join several.
    type : str
        As it is written; empty without one.
    text : str
        Its words, on one line.
    first, end : int
        Its lines, from 0, the last one excluded.
    """

    names: tuple[str, ...]
    type: str
    text: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its title in NumPy's words, its entries, and its lines from 0, the last one excluded."""

    title: str
    entries: tuple[Entry, ...]
    first: int
    end: int
    style: Style


def sections_of(lines: Sequence[str]) -> tuple[Section, ...]:
    """Find the sections of a docstring.

    Parameters
    ----------
    lines : sequence of str
        The text between its quotes, as it is in the file.
    """
    return tuple(_numpy_sections(lines)) or tuple(_google_sections(lines))


def section(sections: Iterable[Section], title: str) -> Section | None:
    """Return the section of a title, or None."""
    return next((each for each in sections if each.title == title), None)


def style_of(texts: Iterable[str]) -> Style:
    """Return the layout that most docstrings have; NumPy's where none has sections."""
    counts = {Style.NUMPY: 0, Style.GOOGLE: 0}
    for text in texts:
        for each in sections_of(text.splitlines())[:1]:
            counts[each.style] += 1
    return Style.GOOGLE if counts[Style.GOOGLE] > counts[Style.NUMPY] else Style.NUMPY


def _numpy_sections(lines: Sequence[str]) -> Iterator[Section]:
    starts = [
        number
        for number, line in enumerate(lines[:-1])
        if line.strip() in _TITLES and _DASHES.match(lines[number + 1]) and _depth(lines[number + 1]) == _depth(line)
    ]
    for start, end in zip(starts, [*starts, len(lines)][1:], strict=True):
        title = lines[start].strip()
        yield Section(title, tuple(_numpy_entries(lines, start + 2, end)), start, _last(lines, start, end), Style.NUMPY)


def _numpy_entries(lines: Sequence[str], first: int, end: int) -> Iterator[Entry]:
    margin = _depth(lines[first - 1])
    heads = [number for number in range(first, end) if lines[number].strip() and _depth(lines[number]) <= margin]
    for head, after in zip(heads, [*heads, end][1:], strict=True):
        match = _NUMPY_ENTRY.match(lines[head])
        if match is not None:
            names = tuple(name.strip() for name in match["names"].split(","))
            text = _joined(lines[head + 1 : after])
            yield Entry(names, (match["type"] or "").strip(), text, head, _last(lines, head, after))


def _google_sections(lines: Sequence[str]) -> Iterator[Section]:
    for start, line in enumerate(lines):
        match = _GOOGLE_TITLE.match(line)
        if match is None:
            continue
        title = _GOOGLE_NAMES.get(match["title"], match["title"])
        margin = _depth(line) if start else _depth(next((one for one in lines[1:] if one.strip()), ""))
        body = range(start + 1, len(lines))
        end = next((number for number in body if lines[number].strip() and _depth(lines[number]) <= margin), len(lines))
        if title in _TITLES:
            entries = tuple(_google_entries(lines, start + 1, end))
            yield Section(title, entries, start, _last(lines, start, end), Style.GOOGLE)


def _google_entries(lines: Sequence[str], first: int, end: int) -> Iterator[Entry]:
    filled = [number for number in range(first, end) if lines[number].strip()]
    if not filled:
        return
    margin = _depth(lines[filled[0]])
    heads = [number for number in filled if _depth(lines[number]) == margin]
    for head, after in zip(heads, [*heads, end][1:], strict=True):
        match = _GOOGLE_ENTRY.match(lines[head])
        if match is not None:
            text = _joined([lines[head][match.end() :], *lines[head + 1 : after]])
            yield Entry((match["name"],), match["type"] or "", text, head, _last(lines, head, after))


def _joined(lines: Iterable[str]) -> str:
    return " ".join(" ".join(lines).split())


def _last(lines: Sequence[str], first: int, end: int) -> int:
    while end > first + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
