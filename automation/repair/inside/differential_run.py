"""Compare versions of one function on the inputs that tests give it and on inputs near those.

Loaded by file path inside the sandbox, for any Python from 3.9 on. The tests run once with a profile hook that copies
the arguments of the function; then the original and every candidate are called with the same copies.
"""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import inspect
import itertools
import os
import random
import re
import signal
import sys
import time
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

if typing.TYPE_CHECKING:
    from automation.repair.inside import calls, variations


def _load(name: str, path: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if not typing.TYPE_CHECKING:
    calls, variations = (
        _load(f"_gridbot_{name}", str(Path(__file__).with_name(f"{name}.py"))) for name in ("calls", "variations")
    )

Record = dict[str, object]
Emit = Callable[[Record], None]

_MOST_SEEN = 50
_MOST_NEAR = 120
_CALL_S = 0.25
# Each version takes its time on each of them.
_TOO_LONG, _MOST_HANGING = "runs too long", 1
_LONGEST = 200
_MOST_ITEMS = 1000
_DEEPEST = 6
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


class TooLong(BaseException):
    """A call ran longer than it may; no ``except Exception`` of the target catches it."""


def run(job: Record, emit: Emit) -> None:
    """Harvest calls, then call every version.

    Parameters
    ----------
    job : dict
        ``probe`` (file that runs the tests), ``suite`` (its job), ``path`` (the module's file), ``function`` (dotted
        name), ``lines`` (first line and line of ``def``), ``passing`` (node ids), ``versions`` (texts of the module,
        the original first), ``seed`` and ``seconds`` for all calls together.
    emit : callable
        Takes one record with ``inputs`` or with ``problem``, then one a version with its ``outcomes``.
    """
    started = time.monotonic()
    path = os.path.abspath(str(job["path"]))  # noqa: PTH100 - links stay as the tests see them
    lines = frozenset(typing.cast("Sequence[int]", job["lines"]))
    harvest = _Harvest(path, str(job["function"]).rsplit(".", 1)[-1], lines)
    _run_tests(job, harvest)
    if not harvest.calls:
        emit({"problem": harvest.watch.problem or "no test that was run calls it with arguments that can be copied"})
        return
    versions = calls.Versions(harvest.watch.scope, str(job["function"]), path, state=False)
    try:
        original = versions.make(str(typing.cast("Sequence[str]", job["versions"])[0]))
    except Exception as error:  # noqa: BLE001 - the target's own module code may raise anything
        emit({"problem": f"the module cannot be executed a second time: {type(error).__name__}"})
        return
    passing = frozenset(typing.cast("Sequence[str]", job["passing"]))
    signal.signal(signal.SIGALRM, _on_alarm)
    until = started + float(typing.cast("float", job["seconds"]))
    inputs = _settled(_inputs(harvest, passing, original, int(typing.cast("int", job["seed"]))), original, until)
    emit({"inputs": [{"text": one.text, "passing": one.passing, "seen": one.seen} for one in inputs]})
    for index, text in enumerate(typing.cast("Sequence[str]", job["versions"])):
        emit({"version": index, "outcomes": _outcomes(versions, str(text), inputs, until)})


def _run_tests(job: Record, harvest: _Harvest) -> None:
    probe: typing.Any = _load("_gridbot_probe", str(job["probe"]))
    sys.setprofile(harvest.watch.on_event)
    try:
        probe.run(job["suite"], lambda *_, **__: None)
    finally:
        sys.setprofile(None)


class _Harvest:
    """Copies the arguments of one function whenever it is called, with the test that runs."""

    def __init__(self, path: str, name: str, lines: frozenset[int]) -> None:
        self.calls: list[tuple[str, variations.Arguments]] = []
        self.watch = calls.Watch(path, name, lines, self._keep)
        self._texts: set[str] = set()

    def _keep(self, arguments: variations.Arguments) -> bool:
        if len(self.calls) >= _MOST_SEEN:
            return False
        text = _shown(arguments)
        if text in self._texts:
            return False
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" (", 1)[0]
        self.calls.append((test, copy.deepcopy(arguments)))
        self._texts.add(text)
        return True


class _Input:
    def __init__(self, arguments: variations.Arguments, *, passing: bool, seen: bool) -> None:
        self.arguments, self.passing, self.seen = arguments, passing, seen
        self.text = _shown(arguments)


def _inputs(harvest: _Harvest, passing: frozenset[str], original: calls.Version, seed: int) -> Iterator[_Input]:
    known: set[str] = set()
    seen = [_Input(arguments, passing=test in passing, seen=True) for test, arguments in harvest.calls]
    near: list[_Input] = []
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    hints = original.hints()
    for good in (True, False):
        group = [one.arguments for one in seen if one.passing is good]
        for arguments in variations.neighbours(group, hints, rng, _MOST_NEAR // 2) if group else ():
            try:
                near.append(_Input(copy.deepcopy(arguments), passing=good, seen=False))
            except Exception:  # noqa: BLE001, S112 - a varied value that cannot be copied is just not used
                continue
    for one in (*seen, *near):
        if one.text not in known:
            known.add(one.text)
            yield one


def _settled(inputs: Iterator[_Input], original: calls.Version, until: float) -> list[_Input]:
    """Leave out inputs on which the original does not do the same twice, and most of those on which it hangs."""
    kept, hanging = [], 0
    with original.installed() as function:
        for one in inputs:
            if time.monotonic() > until - 2 * _CALL_S:
                break
            outcome = _call(function, one)
            if outcome == _TOO_LONG:
                hanging += 1
                if hanging > _MOST_HANGING:
                    continue
            elif _call(function, one) != outcome:
                continue
            kept.append(one)
    return kept


def _outcomes(versions: calls.Versions, text: str, inputs: Sequence[_Input], until: float) -> list[str]:
    outcomes = []
    try:
        with versions.make(text).installed() as function:
            for one in inputs:
                if time.monotonic() > until:
                    break
                outcomes.append(_call(function, one))
    except Exception as error:  # noqa: BLE001 - a candidate's module code may raise anything
        return [f"module raises {type(error).__name__}"] * len(inputs)
    return outcomes


def _on_alarm(number: int, frame: object) -> None:
    raise TooLong


def _call(function: Callable[..., object], one: _Input) -> str:
    arguments = copy.deepcopy(one.arguments)
    random.seed(0)
    signal.setitimer(signal.ITIMER_REAL, _CALL_S, _CALL_S)
    try:
        result = calls.call(function, arguments)
        if inspect.isgenerator(result):
            result = list(itertools.islice(result, _MOST_ITEMS))
        told = f"returns {_shown(result)}"
    except TooLong:
        return _TOO_LONG
    except Exception as error:  # noqa: BLE001 - what it raises is its behaviour
        told = f"raises {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    after = _shown(arguments)
    return told if after == one.text else f"{told} and leaves {after}"


def _shown(value: object) -> str:
    """Return a bounded text that is equal for equal values, whatever address they have."""
    text = _shape(value, 0)
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}... {hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=8).hexdigest()}"


def _shape(value: object, depth: int) -> str:
    if depth > _DEEPEST:
        return "..."
    collection = _collection(value, depth + 1)
    if collection is not None:
        return collection
    if type(value) is float:
        # Sums in another order differ in their last digits only.
        return format(value, ".12g") + ("" if value % 1 else ".0")
    text = repr(value)
    if _ADDRESS.search(text) and hasattr(value, "__dict__") and not isinstance(value, (type, types.FunctionType)):
        return f"{type(value).__name__}({_shape(vars(value), depth + 1)})"
    return _ADDRESS.sub("0x", text)


def _collection(value: object, depth: int) -> str | None:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_shape(key, depth)}: {_shape(item, depth)}" for key, item in value.items()) + "}"
    if type(value) not in (list, tuple, set, frozenset):
        return None
    items = [_shape(item, depth) for item in typing.cast("Sequence[object]", value)]
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(items)) + "}"
    inside = ", ".join(items)
    return f"[{inside}]" if isinstance(value, list) else f"({inside},)"
