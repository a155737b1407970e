"""A session's recording told to the core of a tree in the sandbox, whole or in the few inputs it needs to fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from pydantic import TypeAdapter

from automation.codebase.fork_server import ForkServer
from automation.codebase.limits import JobOutcome
from automation.errors import RepositoryUnusable
from automation.incidents.records import Raised
from automation.incidents.session_records import FailedSession, Recipe, told_text
from automation.incidents.suites import PROBE_NEEDS, SuiteSettings

REPLAYING = Path(__file__).resolve().parent / "inside" / "replaying.py"
PLAIN = {"NUMBA_DISABLE_JIT": "1"}
_FILE = "gridbot-recording.json"
# What is slow to import and no part of any tree; a fork then imports the tree's own modules only.
_PRELOAD = ("numpy", "numba", "pydantic", "talib")
_FIRST_TAIL = 1
# Where an order was placed that must not be, to place none may be right.
_HALTED = "halted session"
_SLICE_S, _GRACE_S = 5.0, 30.0
_CHAIN = TypeAdapter(tuple[Raised, ...])
_ROWS = TypeAdapter(tuple[tuple[int, ...], ...])


@dataclass(frozen=True, slots=True)
class Failure:
    """How a recording fails with the code of a tree.

    Parameters
    ----------
    chain : tuple of Raised
        The exception first, then its causes.
    mark : str
        The same for the same failure of another sequence.
    needed : int
        How many inputs it took.
    signals : tuple
        The signal that the core saw with each of them.
    orders, fills : int
        How many orders the core had placed by then, and how many fills there were.
    """

    chain: tuple[Raised, ...]
    mark: str
    needed: int
    signals: tuple[list[object] | None, ...] = ()
    orders: int = 0
    fills: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What telling a recording again came to.

    Parameters
    ----------
    failure : Failure or None
        None when nothing was raised and the books agree.
    differs_at : int or None
        Number of inputs after which the outputs were others than those recorded.
    decided : tuple of tuple of int
        What the last input that was told led to: orders and fills, as far as it got.
    """

    failure: Failure | None
    differs_at: int | None = None
    decided: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Reduced:
    """The inputs that a failure takes.

    Parameters
    ----------
    recipe : Recipe
        How they are told.
    tried : int
        Sequences that were run to find them.
    done : bool
        Whether none of them can be left out; False when time was up before.
    """

    recipe: Recipe
    tried: int
    done: bool


class SessionReplay:
    """Tells one session's recording to the core of one tree, each time in a fork of its own.

    Parameters
    ----------
    session : FailedSession
        Whose recording.
    tree : Path
        A checkout's private copy; it is not written.
    settings : SuiteSettings
        How its code is run.
    compiled : bool
        Whether the core is compiled, as a session runs it; plain Python starts at once and names every line.
    """

    def __init__(self, session: FailedSession, tree: Path, settings: SuiteSettings, *, compiled: bool = False) -> None:
        self._session = session
        self.compiled = compiled
        environment = settings.environment if compiled else {**settings.environment, **PLAIN}
        self._settings = replace(settings, environment=environment)
        self._told: tuple[Recipe | None, bytes] = (None, b"")
        self._server = ForkServer(
            tree,
            REPLAYING,
            settings.python,
            preload=_PRELOAD,
            workers=1,
            limits=settings.limits,
            environment=environment,
            python_path=settings.python_path,
            show=PROBE_NEEDS,
            hostile=settings.hostile,
        )

    def close(self) -> None:
        """End what runs."""
        self._server.close()

    def told(
        self,
        wall_s: float,
        recipe: Recipe = Recipe(),  # noqa: B008 - frozen
        files: Mapping[str, bytes] = {},
    ) -> Told:
        """Tell the recording.

        Parameters
        ----------
        wall_s : float
            Patience, seconds.
        recipe : Recipe
            How it is told; whole unless said otherwise.
        files : mapping of str to bytes
            Files of the tree as this run alone sees them.

        Raises
        ------
        RepositoryUnusable
            When the tree's code cannot be told it at all, or not in time.
        """
        digests = [[count, digest.hex()] for count, digest in self._session.recording.digests]
        is_whole = recipe == Recipe()
        job: dict[str, object] = {"digests": digests if is_whole else [], "signals": is_whole}
        record = self._record("told", recipe, job, wall_s, files)
        found = record["failure"]
        differs = record["differs_at"]
        differs_at = differs if isinstance(differs, int) else None
        decided = _ROWS.validate_python(record["decided"])
        if not isinstance(found, dict):
            return Told(None, differs_at, decided)
        signals = record["signals"]
        failure = Failure(
            _CHAIN.validate_python(found["chain"]),
            str(found["mark"]),
            int(str(record["needed"])),
            tuple(signals) if isinstance(signals, list) else (),
            int(str(record["orders"])),
            int(str(record["fills"])),
        )
        return Told(failure, differs_at, decided)

    def reduced(self, failure: Failure, budget_s: float, notify: Callable[[int, int], None]) -> Reduced:
        """Leave out inputs as long as the failure stays; told signals spare the candles that signals warm up on.

        Parameters
        ----------
        failure : Failure
            Of the whole recording.
        budget_s : float
            Time, seconds; what was reached by then is returned.
        notify : callable
            Is told how many inputs are left, and how many there were.
        """
        end = monotonic() + budget_s
        recipe = self._simplest(failure, end)
        state: dict[str, object] = {"kept": list(recipe.kept or ()), "parts": 2, "tried": 0, "tail": _FIRST_TAIL}
        state |= {"at": 0, "in_vain": 0}
        done = False
        while not done and monotonic() < end:
            notify(len(_numbers(state["kept"])), failure.needed)
            seconds = max(0.5, end - monotonic())
            seconds = seconds if self.compiled else min(_SLICE_S, seconds)
            job = {**state, "wanted": failure.mark, "seconds": seconds}
            record = self._record("reduced", replace(recipe, kept=None), job, seconds + _GRACE_S)
            before, state = state, {name: record[name] for name in state}
            done = bool(record["done"])
            if state == before:
                # one run takes longer than a slice: no more will be found this way
                break
        recipe = replace(recipe, kept=_numbers(state["kept"]))
        last = self.told(_GRACE_S, recipe).failure
        if last is not None and _HALTED not in last.chain[0].message:
            recipe = replace(recipe, orders=last.orders, fills=last.fills)
        return Reduced(recipe, int(str(state["tried"])), done)

    def _simplest(self, failure: Failure, end: float) -> Recipe:
        if all(signal is None for signal in failure.signals):
            return Recipe(kept=tuple(range(failure.needed)))
        for warmup in (1, None):
            recipe = Recipe(signals=failure.signals, warmup=warmup)
            found = self.told(max(1.0, end - monotonic()), recipe).failure
            if found is not None and found.mark == failure.mark:
                return replace(recipe, kept=tuple(range(found.needed)))
        return Recipe(kept=tuple(range(failure.needed)))

    def _record(
        self,
        event: str,
        recipe: Recipe,
        job: dict[str, object],
        wall_s: float,
        files: Mapping[str, bytes] = {},
    ) -> dict[str, object]:
        asked = {"recording": _FILE, "python_path": list(self._settings.python_path), **job}
        limits = replace(self._settings.limits, wall_s=min(wall_s, self._settings.limits.wall_s))
        outcome = self._server.submit(asked, {**self._files_of(recipe), **files}, limits).result()
        record = next((record for record in outcome.records if record.get("event") == event), None)
        if record is None:
            raise RepositoryUnusable(
                f"the recording of session {self._session.name} cannot be told to the code at hand: {_why(outcome)}"
            )
        return record

    def _files_of(self, recipe: Recipe) -> dict[str, bytes]:
        # one after another: a reduction tells the same recording over and over
        if self._told[0] != recipe:
            self._told = (recipe, told_text(self._session.told(recipe)).encode())
        return {_FILE: self._told[1]}


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(int(number) for number in value) if isinstance(value, Sequence) else ()


def _why(outcome: JobOutcome) -> str:
    if outcome.end == "timeout":
        return f"it takes more than {outcome.seconds:.0f} s; give more with --max-minutes"
    last = outcome.stderr.strip().rpartition("\n")[2]
    return last or f"the process ended ({outcome.end})"
