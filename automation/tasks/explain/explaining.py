"""From what is known of an error to its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.sources import read_source
from automation.errors import EditRefused
from automation.incidents.classify import fingerprint, kind_of
from automation.incidents.log_frames import LogPlaces
from automation.incidents.records import Kind, Outcome, Raised
from automation.repair.memory import RepairMemory
from automation.repair.records import Place as SuspiciousPlace
from automation.tasks.explain.advice import UNKNOWN, Advice, Category, first_advice
from automation.tasks.explain.advice_data import DATA_RULES
from automation.tasks.explain.advice_gridbot import CODES, exit_advice, own_advice
from automation.tasks.explain.advice_network import NETWORK_WIDE_RULES
from automation.tasks.explain.advice_python import PYTHON_RULES
from automation.tasks.explain.advice_services import SERVICE_RULES
from automation.tasks.explain.advice_tests import TEST_RULES
from automation.tasks.explain.advice_values import VALUE_RULES
from automation.tasks.explain.advice_words import CHECKER_RULES, WORD_RULES
from automation.tasks.explain.completing import completed, unknown_type_advice, with_compiled_lines, with_marks_named
from automation.tasks.explain.evidence import Evidence
from automation.tasks.explain.nearby import likely_names
from automation.tasks.explain.places import Place, places_of
from automation.tasks.explain.said_where import said_where

RULES = (*SERVICE_RULES, *NETWORK_WIDE_RULES, *DATA_RULES, *PYTHON_RULES, *VALUE_RULES, *TEST_RULES)
_MOST_REPAIRS = 3


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an error is, why, where, and what helps.

    Parameters
    ----------
    evidence : Evidence
        The error as it was met.
    advice : Advice
        Category, cause and fixes.
    confidence : float
        Of the category, 0 to 1.
    places : tuple of Place
        Where to look, the first first.
    meant : tuple of str
        Names that were probably meant.
    earlier : tuple of str
        What mended the same fault before.
    """

    evidence: Evidence
    advice: Advice
    confidence: float
    places: tuple[Place, ...]
    meant: tuple[str, ...]
    earlier: tuple[str, ...]


def explained(evidence: Evidence, root: Path, home: Path, index_home: Path | None = None) -> Explanation:
    """Explain an error by its shape; no model is asked.

    Parameters
    ----------
    evidence : Evidence
        The error as it was met.
    root : Path
        The repository.
    home : Path
        The data home, for earlier repairs.
    index_home : Path, optional
        The data home as it was asked for, for the symbol index.
    """
    chain = with_compiled_lines(with_marks_named(_without_cancelling(evidence.chain), root), LogPlaces(root))
    evidence = replace(evidence, chain=chain)
    advice, raised, confidence = _advised(evidence)
    if advice is UNKNOWN and not evidence.chain:
        evidence, advice, confidence = _found_in_code(evidence, root)
    meant: tuple[str, ...] = ()
    places = places_of(evidence.chain, root, advice.token.strip("'\""), evidence.column)
    if raised is not None:
        advice = completed(advice, raised, places, root)
        meant = likely_names(raised, evidence.chain, root, index_home)
    known = CODES.get(evidence.code)
    if known is not None and known is not advice:
        evidence = replace(evidence, notes=(*evidence.notes, known.cause))
    return Explanation(evidence, advice, confidence, places, meant, _earlier(evidence, root, home))


def _without_cancelling(chain: tuple[Raised, ...]) -> tuple[Raised, ...]:
    # a time limit cancels what it waits for, which is no cause of it
    return tuple(raised for raised in chain if not raised.type.endswith("CancelledError")) or chain


def _advised(evidence: Evidence) -> tuple[Advice, Raised | None, float]:
    chain = evidence.chain
    kind, confidence = _kind(evidence)
    if chain and chain[0].type:
        own = own_advice(chain[0])
        if own is not None:
            return own, chain[0], 0.95
        found = first_advice(chain, RULES)
        if found is not None:
            return found[0], found[1], max(confidence, 0.8)
        if evidence.code not in CODES and evidence.exit_code is None:
            return unknown_type_advice(kind, chain[0]), chain[0], confidence
    return _advised_by_words(evidence)


def _advised_by_words(evidence: Evidence) -> tuple[Advice, Raised | None, float]:
    if evidence.code in CODES:
        return CODES[evidence.code], None, 0.95
    chain = evidence.chain
    words = Raised("", chain[0].message if chain else evidence.said, ())
    told = first_advice((words,), (*WORD_RULES, *CHECKER_RULES) if chain else WORD_RULES)
    if told is not None:
        return told[0], words, 0.7
    if evidence.exit_code is not None:
        return exit_advice(evidence.exit_code), None, 0.8
    return UNKNOWN, chain[0] if chain else None, 0.0


def _found_in_code(evidence: Evidence, root: Path) -> tuple[Evidence, Advice, float]:
    """Lead words that nobody knows to the line of the repository that says them."""
    found = said_where(evidence.said, root)
    if found is None:
        return evidence, UNKNOWN, 0.0
    path, line = found
    frame = LogPlaces(root).frame(path, line, "")
    advice = Advice(
        Category.UNKNOWN,
        "The program says this itself, in the line below.",
        ("Read the condition above that line: it is the reason, and the values in the message come from there.",),
        "own-words",
    )
    return replace(evidence, chain=(Raised("", evidence.said, (frame,)),)), advice, 0.5


def _kind(evidence: Evidence) -> tuple[Kind, float]:
    test = evidence.test
    if test is not None and test.outcome is Outcome.TIMEOUT:
        return Kind.TIMEOUT, 0.95
    if test is not None and test.outcome is Outcome.CRASHED:
        return Kind.CRASH, 0.95
    return kind_of(evidence.chain)


def _earlier(evidence: Evidence, root: Path, home: Path) -> tuple[str, ...]:
    """Return what mended this fault before, as far as it fits the files as they are."""
    memory = RepairMemory(home / "repair_memory.db")
    mark = fingerprint(evidence.chain) if evidence.chain else ""
    found: dict[str, None] = {}
    for path, lines in _own_lines(evidence.chain).items():
        try:
            source = read_source(root, path)
        except (OSError, EditRefused):
            continue
        suspects = [SuspiciousPlace(path, line, "", 1.0) for line in lines]
        for candidate in memory.recall(mark, source, suspects):
            found[f"{path}:{candidate.place.line}: {candidate.description}"] = None
    return tuple(found)[:_MOST_REPAIRS]


def _own_lines(chain: Sequence[Raised]) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for raised in chain:
        for frame in raised.frames:
            if frame.own and not frame.test:
                lines.setdefault(frame.path, []).append(frame.line)
    return lines
