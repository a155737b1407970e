"""All template families, and their proposals for suspicious places, best first."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from automation.codebase.sources import SourceFile
from automation.repair.normalise import UNREADABLE
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.templates.changes import Change, Context, Family, Site, header_expressions
from automation.repair.templates.families import FAMILIES, evidence_factor
from automation.repair.templates.modules import Function, Module, Unit, parse_module
from automation.repair.vocabulary import Vocabulary

__all__ = ["FAMILIES", "pairs", "template_candidates"]

_ENTRY_SHARE = 0.5
_CROWD = 0.5


def template_candidates(
    source: SourceFile, places: Sequence[Place], vocabulary: Vocabulary, evidence: Evidence | None = None
) -> Iterator[Candidate]:
    """Yield single edits of a file at suspicious places, best first.

    Every candidate compiles, none equals the file as it is, no two are the same program. Families are asked only when
    their best proposal could be next, so that the first candidates come at once.

    Parameters
    ----------
    source : SourceFile
        The file; when it does not parse there are no candidates (syntax has templates of its own).
    places : sequence of Place
        Suspicious lines; those of other files are passed over.
    vocabulary : Vocabulary
        What the repository's code teaches.
    evidence : Evidence, optional
        The failure: its exception changes the order, its values tell kinds.

    Yields
    ------
    Candidate
        By place score times prior, highest first.
    """
    own = [place for place in places if place.path == source.path]
    try:
        module = parse_module(source)
    except UNREADABLE:
        return
    context = Context(module, vocabulary, evidence or Evidence((), ""))
    queue = _Queue(context)
    for site in _sites(context, own):
        queue.add_site(site)
    yield from queue.run()


def pairs(first: Sequence[Candidate], limit: int = 2000) -> Iterator[Candidate]:
    """Yield combinations of two edits of one file, best first.

    Parameters
    ----------
    first : sequence of Candidate
        Single edits, usually the best of `template_candidates`; files may be mixed.
    limit : int
        Most combinations to yield.

    Yields
    ------
    Candidate
        Edits that do not overlap, by the product of the scores; each compiles and none repeats another.
    """
    ranked = sorted(first, key=lambda candidate: -candidate.score)
    heap = [(-ranked[0].score * ranked[at].score, 0, at) for at in range(1, min(2, len(ranked)))]
    seen: set[tuple[str, Unit, str]] = set()
    made = 0
    while heap and made < limit:
        _, left, right = heapq.heappop(heap)
        if right + 1 < len(ranked):
            heapq.heappush(heap, (-ranked[left].score * ranked[right + 1].score, left, right + 1))
        if right == left + 1 and right + 1 < len(ranked):
            heapq.heappush(heap, (-ranked[right].score * ranked[right + 1].score, right, right + 1))
        candidate = _combined(ranked[left], ranked[right])
        key = parse_module(candidate.source).key(candidate.edits) if candidate else None
        if candidate is None or key is None or (candidate.source.path, *key) in seen:
            continue
        seen.add((candidate.source.path, *key))
        made += 1
        yield candidate


def _combined(one: Candidate, other: Candidate) -> Candidate | None:
    if one.source is not other.source and one.source != other.source:
        return None
    edits = tuple(sorted((*one.edits, *other.edits)))
    for before, after in itertools.pairwise(edits):
        if after.start < before.end or after.start == before.start:
            return None
    place = max(one.place, other.place, key=lambda item: item.score)
    description = f"{one.description}; {other.description}"
    proposer = one.proposer if one.proposer == other.proposer else f"{one.proposer}+{other.proposer.split(':')[-1]}"
    return Candidate(one.source, edits, proposer, place, description, one.prior * other.prior)


@dataclass(eq=False)
class _Queue:
    """Two kinds of entries by falling score: a family still to be asked at a site, and a change to be checked."""

    context: Context
    heap: list[tuple[float, int, Site, Family, Change | None]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)
    seen: set[tuple[Unit, str]] = field(default_factory=set)

    def add_site(self, site: Site) -> None:
        for family in FAMILIES:
            if family.entry == (site.place.reasons[-1:] == (ENTRY,)) or family.entry is None:
                pass


def _unused(mapping: Mapping[str, float]) -> None:
    replace
