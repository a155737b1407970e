"""How the template tests ask for a repair: a faulty text, the right one, and where the right one ranks."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from automation.codebase.sources import SourceFile, source_of
from automation.repair.normalise import UNREADABLE, program_key
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.templates.catalogue import template_candidates
from automation.repair.vocabulary import Vocabulary, learn_vocabulary

PATH = "package/module.py"


@dataclass(frozen=True)
class Fault:
    """A faulty text, the right one, and what is known; every line is equally suspicious unless ``line`` is given."""

    faulty: str
    right: str
    family: str
    within: int = 500
    line: int = 0
    exception: str = "AssertionError"
    failure: str = ""
    test_source: str = ""
    elsewhere: str = ""


def file_of(text: str) -> SourceFile:
    return source_of(PATH, textwrap.dedent(text).lstrip("\n").encode())


def places_in(source: SourceFile, line: int = 0) -> list[Place]:
    lines = [line] if line else range(1, len(source.text.splitlines()) + 1)
    return [Place(PATH, number, "", 0.8) for number in lines]


def candidates_for(fault: Fault) -> list[Candidate]:
    source = file_of(fault.faulty)
    sources = [source, file_of(fault.elsewhere)] if fault.elsewhere else [source]
    evidence = Evidence(("test",), fault.failure, {}, fault.test_source, fault.exception)
    vocabulary: Vocabulary = learn_vocabulary(sources)
    return list(template_candidates(source, places_in(source, fault.line), vocabulary, evidence))


def find(fault: Fault) -> tuple[int, Candidate] | None:
    """Return the rank from 1 of the right program and its candidate."""
    wanted = file_of(fault.right).text
    for rank, candidate in enumerate(candidates_for(fault), 1):
        if same_program(candidate.text(), wanted):
            return rank, candidate
    return None


def check(fault: Fault) -> None:
    """Assert that the right program is found, by which family, and how early."""
    found = find(fault)
    assert found is not None, f"no candidate is the right program:\n{fault.faulty}"
    rank, candidate = found
    assert candidate.proposer == f"template:{fault.family}", (candidate.proposer, rank)
    assert rank <= fault.within, rank


def same_program(first: str, second: str) -> bool:
    """Return whether two modules are the same program; False when one is none."""
    try:
        return program_key(first) == program_key(second)
    except UNREADABLE:
        return False
