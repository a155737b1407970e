"""Candidates from fill-in-the-middle: a model writes one masked line again, or a line where there was none."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from automation.codebase.edit_text import LineTable, margin_of
from automation.codebase.sources import SourceFile
from automation.models.protocol import Answer, Model
from automation.repair.asking import Deadline, Samples, ask
from automation.repair.context import FunctionContext, examples, function_context
from automation.repair.records import Candidate, Evidence, Place, TextEdit
from automation.repair.statements import Statement, statements_of

_TOKENS, _GAP_TOKENS = 40, 48
_MOST_GAP_LINES = 3
_WINDOW = 15
# The greedy answer that is told what the old line was; samples from 1 on take turns in being told.
_TOLD = -1
_TEMPERATURES = (0.6, 0.75, 0.9)
_PRIOR, _GAP_PRIOR, _SAMPLED = 0.30, 0.15, 0.6
# How many slots each round takes: masks of the best lines, gaps there, samples; the rest comes after them.
_FIRST_MASKS, _FIRST_GAPS, _SAMPLED_SLOTS, _MOST_SLOTS = 12, 8, 8, 40


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a model fills in.

    Parameters
    ----------
    start, end : int
        Characters of the file that the answer replaces; equal for a gap.
    margin : str
        White space in front of the line.
    gap : bool
        Whether lines are added rather than one written again.
    place : Place
        The suspicion that led here.
    """

    start: int
    end: int
    margin: str
    gap: bool
    place: Place


def fill_in_candidates(
    model: Model,
    source: SourceFile,
    places: Sequence[Place],
    evidence: Evidence,
    *,
    samples: int,
    seed: int,
    deadline: Deadline,
    made: Samples | None = None,
) -> Generator[Candidate, object, None]:
    """Yield candidates in which one line is written anew, or added, by a fill-in-the-middle model.

    Greedy answers at the best lines come first, then greedy answers in the gaps around them, then at the same lines
    with a comment that names the old line as wrong (a model tends to write again what stood there), then samples, then
    greedy answers further down. Within a round the slots of one function stand together, so that the prompt's
    beginning stays in the model's cache.

    Parameters
    ----------
    model : Model
        Nothing is yielded unless it fills in the middle.
    source : SourceFile
        The file.
    places : sequence of Place
        Suspicious lines of that file, best first.
    evidence : Evidence
        Of the failure.
    samples : int
        Sampled answers a slot, beside the greedy one.
    seed : int
        Same seed, same candidates.
    deadline : callable
        Seconds left.
    made : Samples, optional
        Is counted up.

    Yields
    ------
    Candidate
        With the proposer ``fim:<model>``; what equals the original or does not parse is dropped.
    """
    if not model.fim:
        return
    made = made if made is not None else Samples()
    table = LineTable.of(source.text)
    prompts = _Prompts(source, table, evidence)
    seen = {source.text}
    for slot, sample in _schedule(_slots(table, places, _statements(source.text)), samples):
        call = partial(_complete, model, prompts.around(slot, sample), slot, max(0, sample), seed)
        answer = ask(call, made, deadline)
        if made.ended:
            return
        if answer is None:
            continue
        candidate = _candidate(source, slot, answer, sample, model.name)
        if candidate is None or candidate.text() in seen:
            made.unusable += 1
            continue
        seen.add(candidate.text())
        yield candidate


def _complete(model: Model, prompt: tuple[str, str], slot: Slot, sample: int, seed: int, left: float) -> Answer:
    temperature = _TEMPERATURES[(sample - 1) % len(_TEMPERATURES)] if sample else 0.0
    return model.complete(
        *prompt,
        temperature=temperature,
        seed=seed + sample,
        max_tokens=_GAP_TOKENS if slot.gap else _TOKENS,
        stop=("\n\n",) if slot.gap else ("\n",),
        timeout_s=left,
    )


def _schedule(slots: Sequence[Slot], samples: int) -> Iterator[tuple[Slot, int]]:
    masks = [slot for slot in slots if not slot.gap][:_MOST_SLOTS]
    gaps = [slot for slot in slots if slot.gap][:_MOST_SLOTS]
    yield from _round(masks[:_FIRST_MASKS], [0])
    yield from _round(gaps[:_FIRST_GAPS], [0])
    yield from _round(masks[:_FIRST_MASKS], [_TOLD])
    sampled = sorted([*masks[:_SAMPLED_SLOTS], *gaps[: _SAMPLED_SLOTS // 2]], key=lambda slot: -slot.place.score)
    yield from _round(sampled, range(1, samples + 1))
    yield from _round(masks[_FIRST_MASKS:], [0])
    yield from _round(gaps[_FIRST_GAPS:], [0])


def _round(slots: Sequence[Slot], samples: Sequence[int]) -> Iterator[tuple[Slot, int]]:
    functions = list(dict.fromkeys(slot.place.function for slot in slots))
    for slot in sorted(slots, key=lambda slot: (functions.index(slot.place.function), slot.start)):
        for sample in samples:
            yield slot, sample


def _statements(text: str) -> tuple[Statement, ...]:
    try:
        return statements_of(text)
    except SyntaxError:
        return ()


def _slots(table: LineTable, places: Sequence[Place], statements: Sequence[Statement]) -> list[Slot]:
    """Return a mask and the gaps before and after for each place, in the order of the places."""
    spans: dict[int, Statement] = {}
    for statement in statements:
        for line in range(statement.first, statement.last + 1):
            spans.setdefault(line, statement)
    found: dict[tuple[int, int, str], Slot] = {}
    for place in sorted(places, key=lambda place: -place.score):
        known = spans.get(place.line)
        first, last = (known.first, known.last) if known is not None else (place.line, place.line)
        margin = margin_of(table.line(first))
        begin = table.offset(first)
        masked = Slot(begin + len(margin), _code_end(table, last), margin, False, replace(place, line=first))
        if masked.end > masked.start:
            found.setdefault((masked.start, masked.end, margin), masked)
        before = Slot(begin, begin, margin, True, replace(place, line=first))
        found.setdefault((begin, begin, margin), before)
        if known is not None and not _opens_block(table, last):
            after = table.after(last)
            found.setdefault((after, after, margin), Slot(after, after, margin, True, replace(place, line=last)))
    return list(found.values())


def _opens_block(table: LineTable, line: int) -> bool:
    return table.text[table.offset(line) : _code_end(table, line)].endswith(":")


def _code_end(table: LineTable, line: int) -> int:
    """Return where a line's code ends: a comment behind it is neither shown nor replaced."""
    text = table.line(line)
    quote = ""
    for column, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote and text[column - 1] != "\\" else quote
        elif letter in "\"'":
            quote = letter
        elif letter == "#":
            return table.offset(line) + len(text[:column].rstrip())
    return table.offset(line) + len(text.rstrip())


def _candidate(source: SourceFile, slot: Slot, answer: str, sample: int, model: str) -> Candidate | None:
    written = answer.strip().split("\n", 1)[0].rstrip()
    if slot.gap:
        written = _gap_text(answer, slot.margin, source.newline)
    if not written or written == source.text[slot.start : slot.end]:
        return None
    if slot.gap and slot.start and source.text[slot.start - 1] not in "\r\n":
        written = source.newline + written.removesuffix(source.newline)
    prior = (_GAP_PRIOR if slot.gap else _PRIOR) * (_SAMPLED if sample > 0 else 1.0)
    shown = " / ".join(line.strip() for line in written.splitlines())
    verb = "added" if slot.gap else "line becomes"
    edit = TextEdit(slot.start, slot.end, written)
    candidate = Candidate(source, (edit,), f"fim:{model}", slot.place, f"{verb}: {shown}"[:160], prior)
    try:
        ast.parse(candidate.text())
    except (SyntaxError, ValueError):
        return None
    return candidate


def _gap_text(answer: str, margin: str, newline: str) -> str:
    lines = [line.rstrip() for line in answer.strip("\n").splitlines()]
    lines = lines[:_MOST_GAP_LINES]
    if not lines or not lines[0].strip():
        return ""
    # The margin stands in the prompt already, so that the first line comes without it.
    lines[0] = margin + lines[0].lstrip()
    return "".join(line + newline for line in lines)


class _Prompts:
    """Builds prefix and suffix of a slot; what belongs to a function is made once."""

    def __init__(self, source: SourceFile, table: LineTable, evidence: Evidence) -> None:
        self._source = source
        self._table = table
        self._evidence = evidence
        self._known: dict[str, FunctionContext | None] = {}

    def around(self, slot: Slot, sample: int) -> tuple[str, str]:
        name = slot.place.function
        if name not in self._known:
            self._known[name] = function_context(self._source, name) if name else None
        context = self._known[name]
        if context is None or not context.first <= slot.place.line <= context.last:
            first = max(1, slot.place.line - _WINDOW)
            last = slot.place.line + _WINDOW
            head = ""
        else:
            first, last = context.first, context.last
            head = self._head(context, name)
        text = self._source.text
        before = text[self._table.offset(first) : slot.start]
        after = text[slot.end : self._table.after(last)]
        if slot.gap:
            return head + before + slot.margin, "\n" + after
        line_end = text.find("\n", slot.end)
        after = text[line_end if line_end >= 0 else len(text) : self._table.after(last)]
        if sample < 0 or sample % 2:
            before += "".join(f"# not: {line.strip()}\n{slot.margin}" for line in self._old(slot))
        return head + before, after

    def _old(self, slot: Slot) -> list[str]:
        return self._source.text[slot.start : slot.end].splitlines()[:_MOST_GAP_LINES]

    def _head(self, context: FunctionContext, name: str) -> str:
        margin = margin_of(context.text)
        shown = [f"{margin}# {text}" for text in examples(self._evidence, name)]
        lines = [context.preamble, ""] if context.preamble else []
        return "\n".join([*lines, *shown, ""]) if lines or shown else ""
