"""Edits of blocks that may mend a syntax error: indentation, triple quotes, tabs, conflicts, brackets left open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from automation.codebase.edit_text import margin_of
from automation.repair.records import TextEdit
from automation.repair.templates.syntax_records import CLOSING, BrokenText, SyntaxEdit, code_of, edit_at

_FOREIGN = {
    "“": '"',
    "”": '"',
    "„": '"',
    "‘": "'",
    "’": "'",
    "\u00a0": " ",
    "\u200b": "",
    "\ufeff": "",
    "–": "-",
    "—": "-",
    "−": "-",
    "，": ",",
    "：": ":",
    "；": ";",
    "（": "(",
    "）": ")",
    "×": "*",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "…": "...",
}
_MAX_BLOCK = 40
_MAX_QUOTED = 120


def indentation(broken: BrokenText, line: int) -> Iterator[SyntaxEdit]:
    """Move a line, or the block that begins with it, to another level."""
    text = broken.table.line(line)
    if not text.strip():
        return
    margin = margin_of(text)
    around = [margin_of(broken.table.line(other)) for other in broken.near if broken.table.line(other).strip()]
    choices = {margin + broken.unit, margin.removesuffix(broken.unit), "", *around}
    choices |= {other + broken.unit for other in around}
    ends = _block_ends(broken, line)
    for choice in choices - {margin}:
        step = 0.7 if choice in {margin + broken.unit, margin.removesuffix(broken.unit)} else 0.6
        for end, weight in ends.items():
            edits = tuple(
                _moved(broken, number, margin, choice) for number in range(line, end + 1) if _filled(broken, number)
            )
            yield SyntaxEdit(edits, line, step * weight, f"indent lines {line} to {end} by {len(choice)}")
    if not code_of(text).endswith(":"):
        return
    body = edit_at(broken.table.after(line), broken.table.after(line), "", line, 0.3, "")
    filler = f"{margin}{broken.unit}pass\n"
    yield replace(
        body, edits=(replace(body.edits[0], new=filler),), prior=0.15, description="insert pass (indented block)"
    )


def _block_ends(broken: BrokenText, line: int) -> dict[int, float]:
    """Return how far a block that begins at a line may reach, with a weight."""
    margin = margin_of(broken.table.line(line))
    last = min(line + _MAX_BLOCK, len(broken.table.starts))
    ends = {line: 1.0}
    deeper = line
    for number in range(line + 1, last + 1):
        text = broken.table.line(number)
        if not text.strip():
            ends.setdefault(number - 1, 0.9)
            continue
        if len(margin_of(text)) < len(margin):
            break
        if number - line <= 12:
            ends.setdefault(number, 0.6)
        if len(margin_of(text)) > len(margin) and deeper == number - 1:
            deeper = number
    else:
        number = last + 1
    ends[deeper] = 1.0
    ends[max(number - 1, line)] = 0.95
    return ends


def _filled(broken: BrokenText, number: int) -> bool:
    return bool(broken.table.line(number).strip())


def _moved(broken: BrokenText, number: int, margin: str, choice: str) -> TextEdit:
    own = margin_of(broken.table.line(number))
    start = broken.table.offset(number)
    new = choice + own[len(margin) :] if own.startswith(margin) else choice
    return TextEdit(start, start + len(own), new)


def foreign(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Replace typographic characters by those of the language."""
    found = [(at, char) for at, char in enumerate(broken.text) if char in _FOREIGN]
    near = [(at, char) for at, char in found if broken.table.position(at)[0] in broken.near]
    for spots, prior in ((near, 0.95), (found, 0.8), *(([one], 0.85) for one in near)):
        if spots:
            edits = tuple(TextEdit(at, at + 1, _FOREIGN[char]) for at, char in spots)
            yield SyntaxEdit(edits, broken.table.position(spots[0][0])[0], prior, "character becomes plain")


def triple_quotes(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Mend triple quotes anywhere: one that is lost turns code and strings round down to the end of the file."""
    for quote in ('"""', "'''"):
        runs = re.compile(f"{quote[0]}{{2,}}")
        lines = [line for line in range(1, len(broken.table.starts) + 1) if runs.search(broken.table.line(line))]
        if not any(quote in broken.table.line(line) for line in lines):
            continue
        lines.sort(key=lambda line: abs(line - broken.line))
        for rank, line in enumerate(lines[:_MAX_QUOTED]):
            found = list(runs.finditer(broken.table.line(line)))
            weight = 1 / (1 + 0.02 * rank)
            if any(len(run.group()) == 2 for run in found):
                yield from _short_runs(broken, line, found, weight)
            elif len(found) == 1:
                yield from _lonely_run(broken, line, found[0], weight)


def _short_runs(broken: BrokenText, line: int, runs: list[re.Match[str]], weight: float) -> Iterator[SyntaxEdit]:
    for run in runs:
        if len(run.group()) == 2:
            at = broken.table.offset(line, run.end())
            prior = weight * (0.9 if len(runs) > 1 else 0.6)
            yield edit_at(at, at, run.group()[0], line, prior, f"insert quote {run.group()[0]}")


def _lonely_run(broken: BrokenText, line: int, run: re.Match[str], weight: float) -> Iterator[SyntaxEdit]:
    text = broken.table.line(line)
    quote, margin = run.group()[:3], margin_of(text)
    opens = not text[: run.start()].strip(" rRbBuUfF=(,")
    for end in range(line, min(line + 9, len(broken.table.starts)) + 1):
        below = broken.table.line(end)
        at = broken.table.offset(end, len(below.rstrip()))
        prior = weight * (0.75 if opens else 0.4) / (1 + 0.3 * (end - line))
        yield edit_at(at, at, quote, end, prior, f"insert quote {quote}")
        yield edit_at(at, at, f"\n{margin}{quote}", end, prior * 0.7, f"insert quote {quote} on its own line")
    first = broken.table.offset(line, len(margin))
    yield edit_at(first, first, quote, line, weight * (0.3 if opens else 0.75), f"insert quote {quote}")
    where = broken.table.offset(line, run.start())
    yield edit_at(where, where + 3, "", line, weight * 0.3, f"remove quote {quote}")


def tabs(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Write tabs at the begin of lines as spaces."""
    for width in (4, 8, 2):
        for lines, prior in ((list(broken.near), 0.6), (range(1, len(broken.table.starts) + 1), 0.7)):
            edits = tuple(_expanded(broken, lines, width))
            if edits:
                line = broken.table.position(edits[0].start)[0]
                yield SyntaxEdit(edits, line, prior / (1 + 0.1 * abs(width - 4)), "indent tabs become spaces")


def _expanded(broken: BrokenText, lines: Iterable[int], width: int) -> Iterator[TextEdit]:
    for line in sorted(lines):
        margin = margin_of(broken.table.line(line))
        if "\t" in margin:
            start = broken.table.offset(line)
            yield TextEdit(start, start + len(margin), margin.expandtabs(width))


def conflicts(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Take one side of every merge conflict."""
    for kept in ("ours", "theirs"):
        edits, side = [], ""
        for line in range(1, len(broken.table.starts) + 1):
            text = broken.table.line(line)
            marker = next((mark for mark in ("<<<<<<<", "|||||||", "=======", ">>>>>>>") if text.startswith(mark)), "")
            if marker and (side or marker == "<<<<<<<"):
                side = {"<<<<<<<": "ours", "|||||||": "base", "=======": "theirs", ">>>>>>>": ""}[marker]
            elif not side or side == kept:
                continue
            edits.append(TextEdit(broken.table.offset(line), broken.table.after(line), ""))
        if edits:
            yield SyntaxEdit(
                tuple(edits), broken.table.position(edits[0].start)[0], 0.9, f"keep {kept} of the conflict"
            )


def later_brackets(broken: BrokenText) -> Iterator[SyntaxEdit]:
    """Close a bracket that the parser saw opened at the end of one of the following lines."""
    if "never closed" not in broken.message:
        return
    close = CLOSING.get(broken.message[1:2], ")")
    margin = margin_of(broken.table.line(broken.line))
    for step, line in enumerate(range(broken.line, min(broken.line + _MAX_BLOCK, len(broken.table.starts)) + 1)):
        text = broken.table.line(line)
        if not text.strip():
            break
        below = broken.table.line(line + 1) if line < len(broken.table.starts) else ""
        ends = len(margin_of(below)) <= len(margin)
        weight = (1.0 if ends else 0.7) / (1 + 0.05 * step)
        at = broken.table.offset(line, len(code_of(text)))
        yield edit_at(at, at, close, line, 0.7 * weight, f"insert {close}")
        yield edit_at(at, at, f"\n{margin}{close}", line, 0.6 * weight, f"insert {close} on its own line")
