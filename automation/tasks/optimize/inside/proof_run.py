"""Prove that versions of one function do the same, and time them, on inputs that a workload and tests give it.

Loaded by file path inside the sandbox, for any Python from 3.9 on. The workload runs with a profile hook that copies
the arguments of the function; inputs near those are added; then the original and every version are called with the same
copies, and what they return, raise, print, yield and leave of their arguments and of the module's state is compared.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.util
import inspect
import io
import itertools
import os
import random
import signal
import sys
import time
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

if typing.TYPE_CHECKING:
    from automation.repair.inside import calls
    from automation.repair.inside import variations as near
    from automation.tasks.optimize.inside import extremes, harvest, shapes, workload_run


def _load(name: str, path: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if not typing.TYPE_CHECKING:
    _here = Path(__file__).parent
    _shared = _here.parents[2] / "repair" / "inside"
    # in this order: the harvest takes the shapes and calls that are loaded already
    near, calls = (_load(f"_gridbot_{name}", str(_shared / f"{name}.py")) for name in ("variations", "calls"))
    shapes, extremes, harvest, workload_run = (
        _load(f"_gridbot_{name}", str(_here / f"{name}.py"))
        for name in ("shapes", "extremes", "harvest", "workload_run")
    )

Record = dict[str, object]
Emit = Callable[[Record], None]

_MOST_NEAR, _MOST_GROWN = 120, 3
_LEAST_CALL_S, _SLOWER = 1.0, 8.0
# Of the time: until when inputs are looked for, what calling all versions on them may take, when comparing must end.
_SETTLING_SHARE, _CALLING_SHARE, _COMPARING_SHARE = 0.25, 0.5, 0.8
_GENERATED_S = 0.5
_MOST_COMPILING_S = 60.0
_CALLED_TWICE = 12
_DEAREST, _DEAR, _CHEAP_S = 0.8, 6, 0.001
_MOST_OVER = 8
_ROUNDS, _LEAST_ROUNDS, _TIMING_SHARE = 80, 6, 0.4
_TIMED_INPUTS = 12
_SHORT_S, _REPEATED_S = 0.0005, 0.002


_PLAIN_NUMBERS = (int, float, bool, complex)
_LATE = "the time for the comparison was spent"


class TooLong(BaseException):
    """A call ran longer than it may; no ``except Exception`` of the target catches it."""


def run(job: Record, emit: Emit) -> None:
    """Harvest calls, compare every version with the original, and time those that are equal.

    Parameters
    ----------
    job : dict
        ``workloads`` (as `workload_run` takes them), ``path`` (of the module), ``function`` (dotted name), ``lines``
        (its first lines), ``versions`` (texts of the module, the original first), ``seed``, ``seconds``, ``tolerance``
        (relative, of floating point numbers) and ``timed`` (whether to time single calls).
    emit : callable
        Takes a record with ``inputs``, ``calls`` and ``distinct``, or with ``problem``; then one a version with
        ``equal`` and ``difference``, and ``ratio``: its time by the original's.
    """
    path = os.path.abspath(str(job["path"]))  # noqa: PTH100 - links stay as the program sees them
    name = str(job["function"])
    found = harvest.Harvest(path, name.rsplit(".", 1)[-1], frozenset(typing.cast("Sequence[int]", job["lines"])))
    for workload in typing.cast("Sequence[Mapping[str, object]]", job["workloads"]):
        found.watch(partial(workload_run.perform, workload))
    if not found.seen:
        emit({"problem": found.problem or "nothing that ran calls it with arguments that can be copied"})
        return
    texts = [str(text) for text in typing.cast("Sequence[str]", job["versions"])]
    try:
        versions = calls.Versions(found.scope, name, path, state=True)
        original = versions.make(texts[0])
    except Exception as error:  # noqa: BLE001 - the target's own module code may raise anything
        emit({"problem": f"its module cannot be executed a second time ({type(error).__name__})"})
        return
    signal.signal(signal.SIGALRM, _on_alarm)
    clock = _Clock(float(typing.cast("float", job["seconds"])))
    inputs = _inputs(found, original, int(typing.cast("int", job["seed"])))
    settled = _settled(inputs, original, clock, len(texts))
    emit({"inputs": len(settled), "seen": found.kept, "calls": found.count, "distinct": found.distinct})
    if not settled:
        return
    equal: dict[int, calls.Version] = {0: original}
    for index, text in enumerate(texts[1:], start=1):
        version, difference = _compared(versions, text, settled, float(typing.cast("float", job["tolerance"])), clock)
        if version is not None:
            equal[index] = version
        emit({"version": index, "equal": version is not None, "difference": difference, "late": difference == _LATE})
    if not job["timed"]:
        return
    for index, ratio in _ratios(equal, settled, clock, int(typing.cast("int", job["seed"]))).items():
        emit({"version": index, "ratio": ratio})


class _Clock:
    """How long the parts of the proof may take."""

    def __init__(self, seconds: float) -> None:
        self._started, self._seconds = time.monotonic(), seconds
        self._granted = 0.0

    def left(self, share: float) -> float:
        """Return the seconds until a share of the time is spent."""
        return self._started + share * self._seconds - time.monotonic()

    def allow(self, seconds: float) -> None:
        """Leave some time uncounted, within limits: that of a compiler, which comes once and is nobody's call."""
        granted = max(0.0, min(seconds, _MOST_COMPILING_S - self._granted))
        self._granted += granted
        self._started += granted

    def part(self, share: float) -> float:
        """Return the seconds that a share of the time is."""
        return share * self._seconds


class _Outcome(typing.NamedTuple):
    told: str
    value: shapes.Shape
    left: shapes.Shape
    state: shapes.Shape
    printed: str


class _Case:
    def __init__(self, arguments: Mapping[str, object], *, seen: bool) -> None:
        self.arguments, self.seen = dict(arguments), seen
        self.shape = shapes.shape_of(self.arguments)
        self.expected: tuple[_Outcome, ...] = ()
        self.seconds = 0.0

    @property
    def patience_s(self) -> float:
        """How long a version may take for it."""
        return max(_LEAST_CALL_S, _SLOWER * self.seconds)


def _inputs(found: harvest.Harvest, original: calls.Version, seed: int) -> Iterator[_Case]:
    known: set[shapes.Shape] = set()
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    hints = original.hints()
    # What is seen may be large; most faults show on little, and many little inputs cost what one large one does.
    seen_calls = found.seen
    small = [*(extremes.shrunk(arguments, rng) for arguments in seen_calls), *seen_calls[: len(seen_calls) // 3]]
    mixed = zip(  # noqa: B905 - runs in Python 3.9 too
        near.neighbours(small, hints, rng, _MOST_NEAR // 2),
        extremes.strained(small, rng, _MOST_NEAR // 2),
    )
    near_ones = itertools.chain.from_iterable(mixed)
    # What is small first: large ones may take all the time.
    varied = itertools.chain(
        itertools.islice(near_ones, _MOST_NEAR // 4), extremes.grown(seen_calls, _MOST_GROWN), near_ones
    )
    arrays = extremes.linked(seen_calls)
    pairs = itertools.zip_longest(
        ((one, True) for one in seen_calls), ((one, False) for one in varied if extremes.keeps(one, arrays))
    )
    for arguments, seen in filter(None, itertools.chain.from_iterable(pairs)):
        try:
            case = _Case(copy.deepcopy(arguments), seen=seen)
        except Exception:  # noqa: BLE001, S112 - a varied value that cannot be copied is just not used
            continue
        if case.shape not in known:
            known.add(case.shape)
            yield case


def _settled(inputs: Iterator[_Case], original: calls.Version, clock: _Clock, versions: int) -> list[_Case]:
    """Return inputs that all versions can be called with in time, and on which the original does the same twice."""
    tried: list[tuple[_Case, _Outcome]] = []
    for case in inputs:
        left = clock.left(_SETTLING_SHARE)
        if left <= 0:
            break
        began = time.perf_counter()
        outcome = _call(original, case, left if case.seen else min(left, _GENERATED_S))
        case.seconds = time.perf_counter() - began
        if outcome.told != "runs too long":
            tried.append((case, outcome))
    affordable = _affordable([case for case, _ in tried], clock.part(_CALLING_SHARE) / versions)
    kept = []
    for case, first in tried:
        if id(case) in affordable:
            second = _call(original, case, case.patience_s)
            if _equal(first, second, 0.0):
                case.expected = (first, second)
                kept.append(case)
    return kept


def _affordable(cases: Sequence[_Case], seconds: float) -> set[int]:
    """Choose a few of the dearest seen inputs, then as many others as there is time for, the cheapest first."""
    ordered = sorted(cases, key=lambda case: case.seconds)
    seen = [case for case in reversed(ordered) if case.seen]
    dear = [case for case in seen if 2 * case.seconds <= seconds * _DEAREST][:1]
    dear += [case for case in seen if 2 * case.seconds <= seconds / _DEAR and case not in dear][: _DEAR // 2]
    dear = dear or seen[-1:]
    chosen = {id(case) for case in dear}
    left = seconds - sum(2 * case.seconds for case in dear)
    for case in ordered:
        left -= 2 * case.seconds
        if left > 0 or case.seconds < _CHEAP_S:
            chosen.add(id(case))
    return chosen


def _compared(
    versions: calls.Versions, text: str, cases: Sequence[_Case], tolerance: float, clock: _Clock
) -> tuple[calls.Version | None, str]:
    try:
        version = versions.make(text)
    except Exception as error:  # noqa: BLE001 - a candidate's module code may raise anything
        return None, f"its module raises {type(error).__name__}: {error}"[:200]
    for number, case in enumerate(cases):
        if clock.left(_COMPARING_SHARE) <= 0:
            return None, _LATE
        # Twice, because what is remembered from the first call must not change the second.
        for expected in case.expected[: 2 if number < _CALLED_TWICE else 1]:
            found = _compiling_call(version, case, clock)
            if not _equal(expected, found, tolerance):
                return None, f"{_brief(case.shape)}: {_words(expected, found)}"
    return version, ""


def _compiling_call(version: calls.Version, case: _Case, clock: _Clock) -> _Outcome:
    """Call a version; numba compiles a function at its first call with arguments of a sort, which takes seconds."""
    with version.installed() as function:
        known = getattr(function, "signatures", None)
    if known is None or not hasattr(function, "py_func"):
        return _call(version, case, case.patience_s)
    count, began = len(known), time.monotonic()
    found = _call(version, case, max(case.patience_s, _MOST_COMPILING_S))
    if len(getattr(function, "signatures", ())) > count:
        clock.allow(time.monotonic() - began)
    return found


def _equal(one: _Outcome, other: _Outcome, tolerance: float) -> bool:
    return (
        one.told == other.told
        and one.printed == other.printed
        and shapes.same(one.value, other.value, tolerance)
        and shapes.same(one.left, other.left, tolerance)
        and shapes.same(one.state, other.state, tolerance)
    )


def _words(expected: _Outcome, found: _Outcome) -> str:
    if expected.told != found.told:
        return f"{expected.told} and now {found.told}"
    if expected.value != found.value:
        return f"{expected.told} {_brief(expected.value)} and now {_brief(found.value)}"
    if expected.left != found.left:
        return f"leaves {_brief(expected.left)} and now {_brief(found.left)}"
    if expected.state != found.state:
        return f"leaves its module with {_brief(expected.state)} and now {_brief(found.state)}"
    return f"prints {expected.printed[:60]!r} and now {found.printed[:60]!r}"


def _brief(shape: shapes.Shape) -> str:
    numbers = iter(shape.floats)
    text = "".join(repr(next(numbers, "~")) if part == "~" else part for part in shape.text)
    return text if len(text) <= 120 else f"{text[:119]}…"


def _call(version: calls.Version, case: _Case, patience_s: float) -> _Outcome:
    arguments = copy.deepcopy(case.arguments)
    random.seed(0)
    version.reset()
    printed = io.StringIO()
    value: object = None
    with version.installed() as function:
        signal.setitimer(signal.ITIMER_REAL, max(patience_s, 0.01))
        try:
            with contextlib.redirect_stdout(printed):
                value = _as_promised(calls.call(function, arguments), version.promised)
                if inspect.isgenerator(value):
                    value = ["yields", *itertools.islice(value, 10_000)]
            told = "returns"
        except TooLong:
            told = "runs too long"
        except Exception as error:  # noqa: BLE001 - what it raises is its behaviour
            told = f"raises {type(error).__name__}({calls.without_addresses(str(error))[:120]})"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        state = shapes.shape_of(version.state())
        return _Outcome(told, shapes.shape_of(value), shapes.shape_of(arguments), state, printed.getvalue())
    except Exception as error:  # noqa: BLE001 - what a target's value does when it is looked at is its own
        return _Outcome(
            f"{told} what cannot be shown ({type(error).__name__})", shapes.shape_of(None), case.shape, case.shape, ""
        )


def _as_promised(value: object, promised: object) -> object:
    """Return a scalar of NumPy as the plain number that the annotation promises: callers may count on no more."""
    if promised in _PLAIN_NUMBERS and type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return typing.cast("typing.Any", value).item()
    return value


def _ratios(
    versions: Mapping[int, calls.Version], cases: Sequence[_Case], clock: _Clock, seed: int
) -> dict[int, float]:
    """Return each version's time by the original's, the least of several rounds in random order."""
    # Few enough in a round that there are many rounds: the least of many is what tells.
    timed = _timed_cases(cases, clock.part(_TIMING_SHARE) / (_LEAST_ROUNDS * len(versions)))
    if len(versions) < 2 or not timed:
        return {}
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    until = time.monotonic() + clock.part(_TIMING_SHARE)
    best: dict[int, list[float]] = {index: [float("inf")] * len(timed) for index in versions}
    for round_ in range(_ROUNDS):
        if round_ >= _LEAST_ROUNDS and time.monotonic() > until:
            break
        for index in rng.sample(list(versions), len(versions)):
            for at, case in enumerate(timed):
                best[index][at] = min(best[index][at], _seconds(versions[index], case))
    whole = sum(best[0])
    return {index: sum(times) / whole for index, times in best.items() if index and whole > 0}


def _timed_cases(cases: Sequence[_Case], most_s: float) -> list[_Case]:
    """Return seen inputs that fit into a round, large ones first: they are where a workload's time goes."""
    seen = sorted(
        (case for case in cases if case.seen and case.expected[0].told == "returns"), key=lambda c: -c.seconds
    )
    timed: list[_Case] = []
    if seen and seen[0].seconds <= _MOST_OVER * most_s:
        # The workload's time is in the largest ones: a little more patience for it tells more than small ones do.
        most_s = max(most_s, seen[0].seconds)
    for case in seen[:: max(1, len(seen) // _TIMED_INPUTS)]:
        if case.seconds <= most_s:
            timed.append(case)
            most_s -= case.seconds
    return timed[:_TIMED_INPUTS] or seen[-1:]


def _seconds(version: calls.Version, case: _Case) -> float:
    still = case.expected[0].left == case.shape
    repeats = max(1, int(_REPEATED_S / max(case.seconds, 1e-6))) if still and case.seconds < _SHORT_S else 1
    arguments = case.arguments if still else copy.deepcopy(case.arguments)
    sink = io.StringIO()
    with version.installed() as function, contextlib.redirect_stdout(sink):
        bound = calls.binding(function, arguments)
        began = time.perf_counter()
        for _ in range(repeats):
            value = bound()
            if inspect.isgenerator(value):
                for _one in value:
                    pass
        return (time.perf_counter() - began) / repeats


def _on_alarm(number: int, frame: object) -> None:
    raise TooLong
