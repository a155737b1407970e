"""The proposers by name: what each one takes and which candidates it hands on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from automation.codebase.sources import SourceFile
from automation.models.protocol import Model
from automation.repair.context import call_texts
from automation.repair.memory import RepairMemory
from automation.repair.records import Candidate, Evidence, Place
from automation.repair.templates.catalogue import pairs, template_candidates
from automation.repair.templates.syntax import syntax_candidates
from automation.repair.verify import Verdict
from automation.repair.vocabulary import Vocabulary

Candidates = Generator[Candidate, Verdict | None, None]
Left = Callable[[], float]
_PAIRED = 120
_MOST_FILES = 3


@dataclass(frozen=True, slots=True)
class Case:
    """What every proposer is told.

    Parameters
    ----------
    places : tuple of Place
        Under suspicion, best first.
    source : callable
        Path to the file's text.
    vocabulary : callable
        Words of the repository; learned when first asked for.
    evidence : Evidence
        What the failing run said.
    fingerprint : str
        Of the incident.
    root : Path
        Folder of the repository.
    paths : callable
        Its Python files.
    """

    places: tuple[Place, ...]
    source: Callable[[str], SourceFile]
    vocabulary: Callable[[], Vocabulary]
    evidence: Evidence
    fingerprint: str
    root: Path
    paths: Callable[[], Sequence[str]]


def from_memory(case: Case, memory: RepairMemory) -> Candidates:
    """Yield what mended the same fingerprint before."""
    for source, places in by_file(case):
        yield from memory.recall(case.fingerprint, source, places)


def from_syntax(case: Case) -> Candidates:
    """Yield repairs of files that do not compile."""
    for source, places in by_file(case):
        try:
            compile(source.content, source.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            for line in dict.fromkeys(place.line for place in places[:5]):
                yield from syntax_candidates(source, line)


def from_templates(case: Case) -> Candidates:
    """Yield single edits in all suspicious files, best first across files."""
    words = case.vocabulary()
    yield from _merged(template_candidates(source, places, words, case.evidence) for source, places in by_file(case))


def from_pairs(case: Case, near: Sequence[Candidate]) -> Candidates:
    """Yield two edits at a time, those that mended some of the tests first."""
    for source, places in by_file(case)[:_MOST_FILES]:
        half = [candidate for candidate in near if candidate.source.path == source.path]
        singles = template_candidates(source, places, case.vocabulary(), case.evidence)
        yield from pairs(list(islice(chain(half, singles), _PAIRED)))


def from_fill_in(case: Case, model: Model, samples: int, seed: int, left: Left) -> Candidates:
    """Yield single lines that a model wrote."""
    from automation.repair.fill_in import fill_in_candidates

    for source, places, time in _shared(case, left):
        yield from fill_in_candidates(model, source, places, case.evidence, samples=samples, seed=seed, deadline=time)


def from_functions(case: Case, model: Model, samples: int, seed: int, left: Left) -> Candidates:
    """Yield whole functions that a model wrote; it hears the verdict on each."""
    from automation.repair.whole_function import function_candidates

    for source, places, time in _shared(case, left):
        calls = call_texts(case.root, case.paths(), places[0].function) if places[0].function else ()
        yield from function_candidates(
            model, source, places, case.evidence, samples=samples, seed=seed, deadline=time, calls=calls
        )


def _shared(case: Case, left: Left) -> Iterator[tuple[SourceFile, tuple[Place, ...], Left]]:
    files = by_file(case)[:_MOST_FILES]
    for at, (source, places) in enumerate(files):
        rest = sum(place.score for _, later in files[at:] for place in later)
        share = sum(place.score for place in places) / rest if rest else 1.0
        end = left() * (1.0 - share)
        yield source, places, lambda end=end: left() - end  # type: ignore[misc]


def by_file(case: Case) -> list[tuple[SourceFile, tuple[Place, ...]]]:
    """Return the suspicious files with their places, the most suspicious file first."""
    grouped: dict[str, list[Place]] = {}
    for place in case.places:
        grouped.setdefault(place.path, []).append(place)
    return [(case.source(path), tuple(places)) for path, places in grouped.items()]


def _merged(streams: Iterable[Iterator[Candidate]]) -> Iterator[Candidate]:
    heads = [(candidate, stream) for stream in streams if (candidate := next(stream, None)) is not None]
    while heads:
        best = max(range(len(heads)), key=lambda at: heads[at][0].score)
        candidate, stream = heads[best]
        yield candidate
        following = next(stream, None)
        if following is None:
            heads.pop(best)
        else:
            heads[best] = (following, stream)
