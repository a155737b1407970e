"""Repairs of a file that does not compile: small edits near the error, each tried with the parser."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from automation.codebase.edit_text import LineTable, indentation_unit
from automation.codebase.sources import SourceFile
from automation.repair.records import Candidate, Place
from automation.repair.templates.syntax_edits import syntax_edits
from automation.repair.templates.syntax_records import BrokenText, SyntaxEdit

PROPOSER = "template:syntax"

_MAX_CANDIDATES = 200
_MAX_TRIALS = 4000
_NEAR = {0: 1.0, -1: 0.8, 1: 0.6, -2: 0.5, -3: 0.35, 2: 0.35, -4: 0.25, 3: 0.2}
_ON_LINE = re.compile(r"\bline (\d+)")


def syntax_candidates(source: SourceFile, error_line: int) -> Iterator[Candidate]:
    """Propose repairs of a file that does not compile.

    Parameters
    ----------
    source : SourceFile
        The file; nothing is proposed when it compiles.
    error_line : int
        Where the error was reported, from 1; the parser's own place is looked at too.

    Yields
    ------
    Candidate
        Texts that compile, most likely first, none twice by syntax tree, at most 200.
    """
    error = _error_of(source.text)
    if error is None:
        return
    broken = _broken(source.text, error_line, error)
    trial = _Trial.of(source.text, min(broken.near, default=1))
    seen: set[str] = set()
    found = 0
    ordered = sorted(_distinct(syntax_edits(broken)), key=lambda edit: -edit.prior)
    for edit in ordered[:_MAX_TRIALS]:
        shape = trial.shape(edit)
        if shape is None or shape in seen:
            continue
        seen.add(shape)
        place = Place(source.path, edit.line, "", 1.0, (f"does not compile: {error.msg}",))
        candidate = Candidate(source, edit.edits, PROPOSER, place, edit.description, min(edit.prior, 1.0))
        if _error_of(candidate.text()) is not None:
            continue
        yield candidate
        found += 1
        if found == _MAX_CANDIDATES:
            return


@dataclass(frozen=True, slots=True)
class _Trial:
    """Parses only from a line on that begins a statement of its own, because what stands before it is sound."""

    text: str
    start: int

    @classmethod
    def of(cls, text: str, first_line: int) -> _Trial:
        table = LineTable.of(text)
        for line in range(min(first_line, len(table.starts)), 1, -1):
            start = table.offset(line)
            if text[start : start + 1].strip(" \t\r\n)]}#'\"") and _parsed(text[:start]) is not None:
                return cls(text, start)
        return cls(text, 0)

    def shape(self, edit: SyntaxEdit) -> str | None:
        start = self.start if edit.edits[0].start >= self.start else 0
        parts, at = [], start
        for one in edit.edits:
            parts += [self.text[at : one.start], one.new]
            at = one.end
        tree = _parsed("".join(parts) + self.text[at:])
        return None if tree is None else f"{start}:{ast.dump(tree)}"


def _broken(text: str, error_line: int, error: SyntaxError) -> BrokenText:
    table = LineTable.of(text)
    anchors = {error_line: 1.0, error.lineno or error_line: 1.0}
    for named in _ON_LINE.findall(error.msg):
        anchors.setdefault(int(named), 0.9)
    near: dict[int, float] = {}
    for anchor, weight in anchors.items():
        for line, closeness in _around(table, min(max(anchor, 1), len(table.starts))):
            near[line] = max(near.get(line, 0.0), weight * closeness)
    return BrokenText(
        text=text,
        table=table,
        unit=indentation_unit(text),
        message=error.msg,
        line=error.lineno or error_line,
        column=max((error.offset or 1) - 1, 0),
        near=near,
    )


def _around(table: LineTable, anchor: int) -> Iterator[tuple[int, float]]:
    filled = [number for number in range(1, len(table.starts) + 1) if number == anchor or table.line(number).strip()]
    at = filled.index(anchor)
    for step, closeness in _NEAR.items():
        if 0 <= at + step < len(filled):
            yield filled[at + step], closeness


def _distinct(edits: Iterator[SyntaxEdit]) -> list[SyntaxEdit]:
    best: dict[object, SyntaxEdit] = {}
    for edit in edits:
        known = best.get(edit.edits)
        if known is None or known.prior < edit.prior:
            best[edit.edits] = edit
    return list(best.values())


def _error_of(text: str) -> SyntaxError | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<candidate>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error), ("<candidate>", 1, 1, ""))
    return None


def _parsed(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
