"""Duplication: runs of lines that have the same shape as others of the repository."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass

from automation.tasks.review.findings import Finding, Findings, Severity, rate_score
from automation.tasks.review.ground import Ground, ParsedFile
from automation.tasks.review.kept import Kept, digest_of
from automation.tasks.review.tools import Tools

# Repeated lines in 1,000 at which the score is 5.
_HALF = 50.0
_WINDOW = 8
# Another number when shapes are made otherwise: older ones are not compared with them.
_TOPIC = "shapes 1"
_FEWEST_TOKENS = 70
_SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}


@dataclass(frozen=True, slots=True)
class _Line:
    """A logical line: its first and last physical line, its shape, and how many tokens that has."""

    first: int
    last: int
    shape: str
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
    kept = Kept(ground.kept_file, _TOPIC)
    digests = {path: digest_of(file.text) for path, file in ground.around.items()}
    known = kept.get(digests.values())
    fresh: dict[str, object] = {}
    shapes: dict[str, tuple[_Line, ...]] = {}
    for path, digest in digests.items():
        tools.require_running()
        rows = known.get(digest)
        if isinstance(rows, list):
            shapes[path] = tuple(_Line(*row) for row in rows)
        else:
            shapes[path] = _lines(ground.around[path])
            fresh[digest] = [astuple(line) for line in shapes[path]]
    kept.put(fresh)
    return shapes


def _lines(file: ParsedFile) -> tuple[_Line, ...]:
    found = []
    words: list[str] = []
    first = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(file.text).readline):
            if token.type == tokenize.NEWLINE:
                if words and not _is_dull(words):
                    found.append(_Line(first, token.start[0], " ".join(words), len(words)))
                words = []
            elif token.type not in _SILENT:
                if not words:
                    first = token.start[0]
                words.append(_shape(token, words))
    except (tokenize.TokenError, SyntaxError):
        return ()
    return tuple(found)


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
    windows = _windows(shapes)
    for path in sorted(ground.product):
        lines = shapes[path]
        index = 0
        while index + _WINDOW <= len(lines):
            here = _At(path, index)
            others = windows.get(_window(lines, index), ()) if _in_scope(ground, shapes, here) else ()
            first = next((each for each in others if _is_told_here(ground, shapes, each, here)), None)
            if first is None:
                index += 1
                continue
            length = _length(shapes, first, here)
            yield first, here, length
            index += length


def _windows(shapes: Mapping[str, Sequence[_Line]]) -> Mapping[int, list[_At]]:
    found: dict[int, list[_At]] = defaultdict(list)
    for path in sorted(shapes):
        lines = shapes[path]
        for index in range(len(lines) - _WINDOW + 1):
            if sum(line.tokens for line in lines[index : index + _WINDOW]) >= _FEWEST_TOKENS:
                found[_window(lines, index)].append(_At(path, index))
    return found


def _window(lines: Sequence[_Line], index: int) -> int:
    return hash(tuple(line.shape for line in lines[index : index + _WINDOW]))


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
