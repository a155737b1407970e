"""Duplication: runs of lines that have the same shape as others of the repository."""

from __future__ import annotations

import hashlib
import io
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from automation.tasks.review.findings import Finding, Findings, Severity, rate_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.tools import Tools

# Repeated lines in 1,000 at which the score is 5.
_HALF = 50.0
_WINDOW = 8
# Another number when shapes are made otherwise: older ones are not compared with them.
_TOPIC = "shapes 2"
_FEWEST_TOKENS = 70
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


class _Line(NamedTuple):
    """A logical line: its first and last physical line, the hash of its shape, and how many tokens that has."""

    first: int
    last: int
    shape: int
    tokens: int


@dataclass(frozen=True, slots=True)
class _At:
    path: str
    index: int


@dataclass(frozen=True, slots=True)
class DuplicationCheck:
    """Blocks of 8 logical lines or more that differ from another block in local names and values alone."""

    name: str = "duplication"
    weight: float = 1.5

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Compare the scope with the repository's code that is no test."""
        files = ground.require_product()
        shapes = _shapes(ground, tools)
        found = ground.inside(_finding(shapes, *block) for block in _blocks(ground, shapes))
        lines = ground.lines_of(files.values())
        repeated = sum(finding.end_line - finding.line + 1 for finding in found)
        share = min(1.0, repeated / max(lines, 1))
        figure = f"{len(found)} blocks, {repeated:,} of {lines:,} lines ({share:.1%})"
        return Findings(self.name, self.weight, figure, rate_score(repeated, lines, _HALF), found)


def _shapes(ground: Ground, tools: Tools) -> Mapping[str, Sequence[_Line]]:
    def found(file: ParsedFile) -> Sequence[Sequence[int]]:
        tools.require_running()
        return _lines(file)

    facts = ground.facts(_TOPIC, ground.around.values(), found)
    return {path: [_Line(*row) for row in rows] for path, rows in facts.items()}


def _lines(file: ParsedFile) -> tuple[_Line, ...]:
    found = []
    words: list[str] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
            if token.type == tokenize.NEWLINE:
                if words and not _is_dull(words):
                    found.append(_Line(first, token.start[0], _hash(words), len(words)))
                words = []
            elif token.type not in _SILENT:
                if not words:
                    first = token.start[0]
                words.append(_shape(token, words))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(found)


def _hash(words: Sequence[str]) -> int:
    # the same in every process, unlike Python's own
    return int.from_bytes(hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=7).digest())


def _is_dull(words: Sequence[str]) -> bool:
    # docstrings, imports and decorators repeat by their nature
    return words == ['"'] or words[0] in {"import", "from", "@"}


def _shape(token: tokenize.TokenInfo, before: list[str]) -> str:
    if token.type == tokenize.NAME:
        if keyword.iskeyword(token.string) or (before and before[-1] == "."):
            return token.string
        # what is called stays: two blocks that call other functions do other work
        is_called = token.line[token.end[1] : token.end[1] + 1] == "(" and before[-1:] not in (["def"], ["class"])
        return token.string if is_called else "n"
    if token.type == tokenize.NUMBER:
        return "0"
    return '"' if token.type == tokenize.STRING else token.string


def _blocks(ground: Ground, shapes: Mapping[str, Sequence[_Line]]) -> Iterator[tuple[_At, _At, int]]:
    windows = {path: _windows(lines) for path, lines in sorted(shapes.items())}
    found: dict[int, list[_At]] = defaultdict(list)
    for path, keys in windows.items():
        for index, key in enumerate(keys):
            if key:
                found[key].append(_At(path, index))
    for path in sorted(ground.product):
        index = 0
        while index < len(windows[path]):
            here = _At(path, index)
            others = found[windows[path][index]] if windows[path][index] else ()
            # hardly any stands twice
            first = _first_told(ground, shapes, others, here) if len(others) > 1 else None
            if first is None:
                index += 1
                continue
            length = _length(shapes, first, here)
            yield first, here, length
            index += length


def _windows(lines: Sequence[_Line]) -> list[int]:
    """Return a hash of the shapes of each run of lines, by its first; 0 where it holds too little."""
    keys = []
    tokens = sum(line.tokens for line in lines[: _WINDOW - 1])
    shapes = [line.shape for line in lines]
    for index in range(len(lines) - _WINDOW + 1):
        tokens += lines[index + _WINDOW - 1].tokens
        keys.append(hash(tuple(shapes[index : index + _WINDOW])) if tokens >= _FEWEST_TOKENS else 0)
        tokens -= lines[index].tokens
    return keys


def _first_told(ground: Ground, shapes: Mapping[str, Sequence[_Line]], others: Sequence[_At], here: _At) -> _At | None:
    if not _in_scope(ground, shapes, here):
        return None
    return next((each for each in others if _is_told_here(ground, shapes, each, here)), None)


def _is_told_here(ground: Ground, shapes: Mapping[str, Sequence[_Line]], other: _At, here: _At) -> bool:
    """Say whether a repetition belongs to this block: of two in the scope it is the later one's."""
    if other.path == here.path and abs(other.index - here.index) < _WINDOW:
        return False
    earlier = (other.path, other.index) < (here.path, here.index)
    return _length(shapes, other, here) >= _WINDOW and (earlier or not _in_scope(ground, shapes, other))


def _in_scope(ground: Ground, shapes: Mapping[str, Sequence[_Line]], at: _At) -> bool:
    lines = shapes[at.path]
    return ground.scope.holds(at.path, lines[at.index].first, lines[at.index + _WINDOW - 1].last)


def _length(shapes: Mapping[str, Sequence[_Line]], one: _At, other: _At) -> int:
    a, b = shapes[one.path], shapes[other.path]
    most = min(len(a) - one.index, len(b) - other.index)
    if one.path == other.path:
        most = min(most, abs(one.index - other.index))
    same = (a[one.index + step].shape == b[other.index + step].shape for step in range(most))
    return next((step for step, equal in enumerate(same) if not equal), most)


def _finding(shapes: Mapping[str, Sequence[_Line]], other: _At, here: _At, length: int) -> Finding:
    first, last = _span(shapes, here, length)
    from_line, to_line = _span(shapes, other, length)
    message = f"lines {first} to {last} have the same shape as {other.path}:{from_line}-{to_line}; make it one"
    return Finding(here.path, first, 1, Severity.WARNING, message, "duplicate", end_line=last)


def _span(shapes: Mapping[str, Sequence[_Line]], at: _At, length: int) -> tuple[int, int]:
    lines = shapes[at.path]
    return lines[at.index].first, lines[at.index + length - 1].last
