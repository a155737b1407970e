"""The search: candidates stream into the fork server, and those that pass are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import chain
from math import inf
from time import monotonic

from automation.codebase.limits import JobOutcome
from automation.repair.minimal import Plausible
from automation.repair.normalise import UNREADABLE, program_key
from automation.repair.objections import leaves_unread
from automation.repair.records import Candidate
from automation.repair.verify import Judge, Verdict
from trading.commands import Progress

_AHEAD = 2
# The first candidates are the likeliest and wait for nobody; later ones share a start of pytest.
_SMALLEST, _LARGEST, _GROWTH = 2, 16, 1.3
# Where candidates hang, one that passes must not wait for many others.
_LONG_S = 2.0
_MOST_REPEATS = 3
_MOST_PLAUSIBLE = 12
# After the first that passes: how many rivals are tried, and how many times the usual patience that may take.
_RIVALS, _PATIENCE = 500, 2.0
_USUAL_SCORE, _LEAST_DOUBT, _MOST_DOUBT = 0.25, 0.4, 1.6


@dataclass(slots=True)
class Tally:
    """What a search did so far.

    Parameters
    ----------
    tried : Counter of str
        Candidates that were run, by proposer.
    seen : set of str
        Normalised code of every candidate, so that none is run twice.
    plausible : list of Candidate
        Those that passed the failing tests and their neighbours.
    mended : dict of int to int
        Of plausible candidates, by `id`: how many tests they mend that need not be mended.
    near : list of (Candidate, frozenset of str)
        Those that mended some failing tests but not all, with the tests that they mended.
    undecided : list of Plausible
        Those that pass and of which none was chosen, because nothing decides between them; they end the search, best
        first.
    seconds : float
        Spent on running candidates.
    """

    tried: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    plausible: list[Candidate] = field(default_factory=list)
    mended: dict[int, int] = field(default_factory=dict)
    near: list[tuple[Candidate, frozenset[str]]] = field(default_factory=list)
    undecided: list[Plausible] = field(default_factory=list)
    seconds: float = 0.0

    def renew(self) -> None:
        """Forget what was seen, because the code has changed; the counts go on."""
        self.seen.clear()
        self.plausible.clear()
        self.mended.clear()
        self.near.clear()
        self.undecided.clear()

    @property
    def total(self) -> int:
        """How many candidates were run."""
        return sum(self.tried.values())


@dataclass(frozen=True, slots=True)
class Patience:
    """When a search ends.

    Parameters
    ----------
    deadline : float
        By the monotonic clock.
    most : int
        Candidates in all.
    extra_s : float
        How long it goes on after a plausible candidate of usual score, to have a choice; longer after an unlikely one,
        and up to twice as long until 500 rivals were tried.
    """

    deadline: float
    most: int
    extra_s: float


def search(
    candidates: Generator[Candidate, Verdict | None, None],
    judge: Judge,
    tally: Tally,
    patience: Patience,
    *,
    label: str,
    one_at_a_time: bool = False,
    stop: Callable[[], bool] = bool,
) -> Generator[Progress, None, None]:
    """Run candidates until one is plausible and its rivals had their chance, or time or candidates run out.

    Parameters
    ----------
    candidates : generator of Candidate
        Best first. With ``one_at_a_time`` it is sent the verdict on each before it is asked for the next.
    judge : Judge
        Runs the tests.
    tally : Tally
        Is added to.
    patience : Patience
        When to end.
    label : str
        What the progress is called.
    one_at_a_time : bool
        For proposers that are slow and learn from the verdict.
    stop : callable
        Asked between candidates; True ends the search.
    """
    started = monotonic()
    judge.undecided = tally.undecided
    if tally.undecided:
        # More candidates would only be more to choose from.
        candidates.close()
        return
    run = _Run(judge, tally, patience)
    feed = _one_by_one(candidates, run) if one_at_a_time else _streamed(candidates, run)
    try:
        for _ in feed:
            yield Progress(label, tally.total, 0, "candidates")
            if run.over() or stop():
                break
    finally:
        feed.close()
        candidates.close()
        run.cancel()
        tally.seconds += monotonic() - started


class _Run:
    def __init__(self, judge: Judge, tally: Tally, patience: Patience) -> None:
        self._judge = judge
        self.tally = tally
        self._patience = patience
        self._end = patience.deadline
        self._before = len(tally.plausible)
        # A slow machine shows as many rivals as a quick one, as long as that does not take too long.
        self._soonest, self._enough_tried = patience.deadline, inf
        self._repeats = 0
        # Of the edits that pairs are made of: whether they pass alone.
        self._alone: dict[str, bool] = {}
        self.waiting: dict[Future[JobOutcome], tuple[Candidate, ...]] = {}
        self.held: list[Candidate] = []
        self._size = float(_SMALLEST)

    def over(self) -> bool:
        full = len(self.tally.plausible) - self._before >= _MOST_PLAUSIBLE or self.tally.total >= self._patience.most
        if full or monotonic() >= self._end:
            return True
        return monotonic() >= self._soonest and self.tally.total >= self._enough_tried

    def is_new(self, candidate: Candidate) -> bool:
        key = _key(candidate)
        if key is None or any(self._alone.get(_key(part) or "") for part in candidate.parts):
            # The second edit of a pair whose first one is enough is needless.
            return False
        new = key not in self.tally.seen
        self.tally.seen.add(key)
        self._repeats = 0 if new else self._repeats + 1
        return new

    @property
    def stuck(self) -> bool:
        return self._repeats > _MOST_REPEATS

    def start(self, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            self.tally.tried["pairs" if "+" in candidate.proposer else candidate.proposer] += 1
        together = [candidate for candidate in candidates if self._judge.may_share(candidate)]
        alone = [candidate for candidate in candidates if candidate not in together]
        if len(together) > 1:
            self.waiting[self._judge.screen_together(together)] = tuple(together)
        else:
            alone += together
        for candidate in alone:
            self.waiting[self._judge.screen(candidate)] = (candidate,)

    def hold(self, candidate: Candidate) -> None:
        """Put a candidate to those that are started together."""
        self.held.append(candidate)
        if len(self.held) >= self._size:
            self.start_held()
            self._size = min(_LARGEST, self._size * _GROWTH)

    def start_held(self) -> None:
        """Start what was put together so far."""
        held, self.held = self.held, []
        if held:
            self.start(held)

    def settle(self, *, all_of_them: bool) -> Verdict | None:
        """Judge what has ended; with ``all_of_them`` wait for the rest too."""
        verdict = None
        while self.waiting:
            left = max(0.0, self._patience.deadline + 5 - monotonic())
            ended, _ = wait(self.waiting, timeout=left, return_when=FIRST_COMPLETED)
            for future in ended:
                verdict = self._settled(self.waiting.pop(future), future.result())
            if not all_of_them or not ended:
                break
        return verdict

    def _settled(self, candidates: tuple[Candidate, ...], outcome: JobOutcome) -> Verdict | None:
        if outcome.seconds > _LONG_S:
            self._size = max(_SMALLEST, self._size / 2)
        if len(candidates) == 1:
            return self._judged(candidates[0], self._judge.screened(outcome))
        verdict = None
        for candidate, screened in zip(candidates, self._judge.screened_together(candidates, outcome), strict=True):
            if screened is None:
                self.waiting[self._judge.screen(candidate)] = (candidate,)
            else:
                verdict = self._judged(candidate, screened)
        return verdict

    def _judged(self, candidate: Candidate, verdict: Verdict) -> Verdict:
        if verdict.plausible:
            verdict = self._judge.check_neighbours(candidate)
        elif verdict.passed:
            self.tally.near.append((candidate, frozenset(verdict.passed)))
        if verdict.plausible:
            for one in self._enough(candidate):
                self._keep(one)
        return verdict

    def _keep(self, candidate: Candidate) -> None:
        if candidate in self.tally.plausible:
            return
        self.tally.plausible.append(candidate)
        mended = self.tally.mended[id(candidate)] = self._judge.mended_beside(candidate)
        if (mended or not self._judge.goal.beside) and not leaves_unread(candidate):
            # One that leaves everything else failing may have missed the fault: its rivals get all the time there is.
            doubt, now, tried = _doubt(candidate), monotonic(), self.tally.total
            self._end = min(self._end, now + _PATIENCE * self._patience.extra_s * doubt)
            self._soonest = min(self._soonest, now + self._patience.extra_s * doubt)
            self._enough_tried = min(self._enough_tried, tried + _RIVALS * doubt)

    def _enough(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """Return those edits of a pair that pass alone, or the whole where none does."""
        alone = tuple(part for part in candidate.parts if self._passes_alone(part))
        return alone or (candidate,)

    def _passes_alone(self, part: Candidate) -> bool:
        key = _key(part)
        if key is None:
            return False
        if key not in self._alone:
            # It may have been tried before, when there was no time for it.
            screened = self._judge.screened(self._judge.screen(part).result())
            self._alone[key] = screened.plausible and self._judge.check_neighbours(part).plausible
            self.tally.seen.add(key)
        return self._alone[key]

    def cancel(self) -> None:
        for future in self.waiting:
            future.cancel()
        # They were not judged, so that whoever proposes them again is not turned away.
        for candidate in chain(self.held, *self.waiting.values()):
            self.tally.seen.discard(_key(candidate) or "")
        self.waiting.clear()
        self.held.clear()


def _key(candidate: Candidate) -> str | None:
    try:
        return candidate.source.path + program_key(candidate.text())
    except UNREADABLE:
        return None


def _doubt(candidate: Candidate) -> float:
    # An unlikely edit that passes is often one that the tests fail to refute: its rivals get more time.
    return min(_MOST_DOUBT, max(_LEAST_DOUBT, _USUAL_SCORE / max(candidate.score, 1e-6)))


def _streamed(candidates: Iterator[Candidate], run: _Run) -> Generator[None, None, None]:
    for candidate in candidates:
        if run.is_new(candidate):
            run.hold(candidate)
        if len(run.waiting) > _AHEAD * 2:
            run.settle(all_of_them=False)
            yield
        if run.over():
            return
    run.start_held()
    while run.waiting and not run.over():
        run.settle(all_of_them=False)
        yield


def _one_by_one(candidates: Generator[Candidate, Verdict | None, None], run: _Run) -> Generator[None, None, None]:
    verdict: Verdict | None = None
    try:
        candidate = next(candidates)
        while not run.stuck:
            verdict = None
            if run.is_new(candidate):
                run.start([candidate])
                verdict = run.settle(all_of_them=True)
            yield
            candidate = candidates.send(verdict)
    except StopIteration:
        return
