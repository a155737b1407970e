"""All template families, and their proposals for suspicious places, best first."""

from __future__ import annotations

import ast
import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from automation.codebase.sources import SourceFile
from automation.repair.normalise import UNREADABLE
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.templates.changes import Change, Context, Family, Site, header_expressions
from automation.repair.templates.families import FAMILIES, evidence_factor
from automation.repair.templates.modules import Function, Unit, parse_module
from automation.repair.vocabulary import Vocabulary

__all__ = ["FAMILIES", "pairs", "template_candidates"]

_REMOTE_SHARE = 0.5  # of a place's score, for the entry and the returns of the function around it
_CROWDING = 0.3  # exponent: a family with many proposals at a site is less sure of each
_LATENESS = 0.1  # exponent: and of those that it ranks low less than of its first


def template_candidates(
    source: SourceFile, places: Sequence[Place], vocabulary: Vocabulary, evidence: Evidence | None = None
) -> Iterator[Candidate]:
    """Yield single edits of a file at suspicious places, best first.

    Every candidate compiles, none equals the file as it is, no two are the same program. A family is asked only when
    its best proposal could be next, so that the first candidates come at once.

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
    try:
        module = parse_module(source)
    except UNREADABLE:
        return
    context = Context(module, vocabulary, evidence or Evidence((), ""))
    queue = _Queue(context)
    for site in _sites(context, [place for place in places if place.path == source.path]):
        queue.add(site)
    yield from queue.run()


def pairs(first: Sequence[Candidate], limit: int = 2000) -> Iterator[Candidate]:
    """Yield combinations of two edits of one file, best first.

    Parameters
    ----------
    first : sequence of Candidate
        Single edits, the likeliest first; files may be mixed.
    limit : int
        Most combinations to yield.

    Yields
    ------
    Candidate
        Edits that do not overlap, by the product of their ranks in ``first``; each compiles, none repeats another.
    """
    heap = [(2, 0, 1)] if len(first) > 1 else []
    seen: set[tuple[str, Unit, str]] = set()
    while heap and len(seen) < limit:
        _, left, right = heapq.heappop(heap)
        if right + 1 < len(first):
            heapq.heappush(heap, ((left + 1) * (right + 2), left, right + 1))
            if right == left + 1:
                heapq.heappush(heap, ((right + 1) * (right + 2), right, right + 1))
        candidate = _combined(first[left], first[right])
        key = parse_module(candidate.source).key(candidate.edits) if candidate else None
        if candidate is not None and key is not None and (candidate.source.path, *key) not in seen:
            seen.add((candidate.source.path, *key))
            yield candidate


def _combined(one: Candidate, other: Candidate) -> Candidate | None:
    if one.source != other.source:
        return None
    edits = tuple(sorted((*one.edits, *other.edits)))
    if any(after.start < before.end or after.start == before.start for before, after in itertools.pairwise(edits)):
        return None
    place = max(one.place, other.place, key=lambda item: item.score)
    proposer = one.proposer
    if other.proposer != one.proposer:
        proposer += "+" + other.proposer.partition(":")[2]
    description = f"{one.description}; {other.description}"
    return Candidate(one.source, edits, proposer, place, description, one.prior * other.prior, (one, other))


def _sites(context: Context, places: Sequence[Place]) -> list[Site]:
    best: dict[ast.stmt, Place] = {}

    def note(statement: ast.stmt, place: Place) -> None:
        if statement not in best or best[statement].score < place.score:
            best[statement] = place

    for place in places:
        for statement in context.module.owners.get(place.line, []):
            note(statement, place)
    for statement, place in list(best.items()):
        function = _function_of(context, statement)
        if function is not None:
            remote = replace(place, score=place.score * _REMOTE_SHARE)
            for other in (function, *context.scope(function).returns):
                note(other, replace(remote, line=other.lineno))
    return [_site(context, statement, place) for statement, place in best.items()]


def _function_of(context: Context, statement: ast.stmt) -> Function | None:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return statement
    return context.module.enclosing_function(statement)


def _site(context: Context, statement: ast.stmt, place: Place) -> Site:
    function = _function_of(context, statement)
    expressions = header_expressions(context.module, statement)
    return Site(place, statement, function, context.scope(function), expressions)


@dataclass(eq=False)
class _Queue:
    """Entries by falling score: families still to be asked at a site, and changes still to be checked."""

    context: Context
    heap: list[tuple[float, int, Site, Family, Change | None]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)
    seen: set[tuple[Unit, str]] = field(default_factory=set)

    def add(self, site: Site) -> None:
        for family in FAMILIES:
            self._push(site, family, self._prior(family), None)

    def run(self) -> Iterator[Candidate]:
        while self.heap:
            score, _, site, family, change = heapq.heappop(self.heap)
            if change is None:
                self._ask(site, family)
                continue
            key = self.context.module.key(change.edits)
            if key is None or key in self.seen:
                continue
            self.seen.add(key)
            prior = -score / site.place.score if site.place.score else 0.0
            yield Candidate(
                self.context.module.source,
                change.edits,
                f"template:{family.name}",
                site.place,
                change.description,
                prior,
            )

    def _ask(self, site: Site, family: Family) -> None:
        changes = sorted(family.propose(self.context, site), key=lambda change: -change.weight)
        most = max((change.weight for change in changes), default=1.0)
        crowd = max(1.0, sum(change.weight for change in changes))
        share = self._prior(family) / max(1.0, most) * crowd**-_CROWDING
        for rank, change in enumerate(changes, 1):
            self._push(site, family, share * change.weight * rank**-_LATENESS, change)

    def _prior(self, family: Family) -> float:
        return min(1.0, family.prior * evidence_factor(family.name, self.context.evidence.exception))

    def _push(self, site: Site, family: Family, prior: float, change: Change | None) -> None:
        heapq.heappush(self.heap, (-site.place.score * prior, next(self.order), site, family, change))
