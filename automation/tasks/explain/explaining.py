"""From what is known of an error to its explanation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from automation.codebase.sources import read_source
from automation.errors import EditRefused
from automation.incidents.classify import fingerprint, kind_of
from automation.incidents.records import Kind, Outcome, Raised
from automation.repair.memory import RepairMemory
from automation.repair.records import Place as SuspiciousPlace
from automation.tasks.explain.advice import GENERAL, UNKNOWN, Advice, first_advice
from automation.tasks.explain.advice_gridbot import CODES, exit_advice, own_advice
from automation.tasks.explain.advice_python import PYTHON_RULES
from automation.tasks.explain.advice_services import SERVICE_RULES
from automation.tasks.explain.evidence import Evidence
from automation.tasks.explain.nearby import install_command, likely_names
from automation.tasks.explain.places import Place, places_of

RULES = (*SERVICE_RULES, *PYTHON_RULES)
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
    advice, raised, confidence = _advised(evidence)
    meant: tuple[str, ...] = ()
    if raised is not None:
        advice = _completed(advice, raised)
        meant = likely_names(raised, evidence.chain, root, index_home)
    token = advice.token.strip("'\"")
    places = places_of(evidence.chain, root, token, evidence.column)
    return Explanation(evidence, advice, confidence, places, meant, _earlier(evidence, root, home))


def _advised(evidence: Evidence) -> tuple[Advice, Raised | None, float]:
    chain = evidence.chain
    kind, confidence = _kind(evidence)
    if chain:
        own = own_advice(chain[0])
        if own is not None:
            return own, chain[0], 0.95
        found = first_advice(chain, RULES)
        if found is not None:
            return found[0], found[1], max(confidence, 0.8)
    if evidence.code in CODES:
        return CODES[evidence.code], None, 0.95
    if evidence.exit_code is not None:
        return exit_advice(evidence.exit_code), None, 0.8
    if chain and chain[0].type:
        return GENERAL[kind], chain[0], confidence
    return UNKNOWN, chain[0] if chain else None, 0.0


def _kind(evidence: Evidence) -> tuple[Kind, float]:
    test = evidence.test
    if test is not None and test.outcome is Outcome.TIMEOUT:
        return Kind.TIMEOUT, 0.95
    if test is not None and test.outcome is Outcome.CRASHED:
        return Kind.CRASH, 0.95
    return kind_of(evidence.chain)


def _completed(advice: Advice, raised: Raised) -> Advice:
    if advice.rule == "module-missing":
        command = install_command(advice.token)
        return replace(advice, fixes=tuple(fix.replace("{install}", command) for fix in advice.fixes))
    return advice


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
