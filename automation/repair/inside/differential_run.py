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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

if typing.TYPE_CHECKING:
    from automation.repair.inside import variations
else:
    _spec = importlib.util.spec_from_file_location("_gridbot_variations", Path(__file__).with_name("variations.py"))
    variations = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(variations)

Record = dict[str, object]
Emit = Callable[[Record], None]

_MOST_SEEN = 50
_MOST_NEAR = 120
_CALL_S = 0.25
_LONGEST = 200
_MOST_ITEMS = 1000
_DEEPEST = 6
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_GENERATOR = inspect.CO_GENERATOR
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


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
        emit({"problem": harvest.problem or "no test that was run calls it with arguments that can be copied"})
        return
    target = _Target(harvest.scope, str(job["function"]), path)
    try:
        original = target.version(str(typing.cast("Sequence[str]", job["versions"])[0]))
    except Exception as error:  # noqa: BLE001 - the target's own module code may raise anything
        emit({"problem": f"the module cannot be executed a second time: {type(error).__name__}"})
        return
    passing = frozenset(typing.cast("Sequence[str]", job["passing"]))
    signal.signal(signal.SIGALRM, _on_alarm)
    until = started + float(typing.cast("float", job["seconds"]))
    inputs = _settled(
        _inputs(harvest, passing, original, int(typing.cast("int", job["seed"]))), target, original, until
    )
    emit({"inputs": [{"text": one.text, "passing": one.passing, "seen": one.seen} for one in inputs]})
    for index, text in enumerate(typing.cast("Sequence[str]", job["versions"])):
        emit({"version": index, "outcomes": _outcomes(target, str(text), inputs, until)})


def _run_tests(job: Record, harvest: _Harvest) -> None:
    spec = importlib.util.spec_from_file_location("_gridbot_probe", str(job["probe"]))
    if spec is None or spec.loader is None:
        raise ImportError(f"{job['probe']} is no Python file")
    probe = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = probe
    spec.loader.exec_module(probe)
    sys.setprofile(harvest.on_event)
    try:
        probe.run(job["suite"], lambda *_, **__: None)
    finally:
        sys.setprofile(None)


class _Harvest:
    """Copies the arguments of one function whenever it is called."""

    def __init__(self, path: str, name: str, lines: frozenset[int]) -> None:
        self.calls: list[tuple[str, variations.Arguments]] = []
        self.scope: dict[str, object] = {}
        self.problem = ""
        self._path, self._name, self._lines = path, name, lines
        self._known: dict[types.CodeType, bool] = {}
        self._texts: set[str] = set()
        self._begun: list[types.FrameType] = []
        self._busy = False

    def on_event(self, frame: types.FrameType, event: str, argument: object) -> None:
        if event != "call" or self._busy or len(self.calls) >= _MOST_SEEN:
            return
        code = frame.f_code
        wanted = self._known.get(code)
        if wanted is None:
            wanted = self._known[code] = self._is_wanted(code)
        if not wanted:
            return
        if code.co_flags & _ASYNC:
            self.problem = "it is asynchronous"
        elif not code.co_flags & _GENERATOR or not any(frame is one for one in self._begun):
            self._busy = True
            try:
                self._take(frame)
            finally:
                self._busy = False

    def _is_wanted(self, code: types.CodeType) -> bool:
        named = code.co_name == self._name and code.co_firstlineno in self._lines
        return named and os.path.abspath(code.co_filename) == self._path  # noqa: PTH100 - as above

    def _take(self, frame: types.FrameType) -> None:
        if frame.f_code.co_flags & _GENERATOR:
            self._begun.append(frame)
        if frame.f_code.co_freevars:
            self.problem = "it is a closure"
            return
        arguments = {name: frame.f_locals[name] for name in _parameters(frame.f_code) if name in frame.f_locals}
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" (", 1)[0]
        try:
            text = _shown(arguments)
            if text not in self._texts:
                self.calls.append((test, copy.deepcopy(arguments)))
                self._texts.add(text)
                self.scope = frame.f_globals
        except Exception as error:  # noqa: BLE001 - what a target's value does when it is copied is its own
            self.problem = f"its arguments cannot be copied ({type(error).__name__})"


def _parameters(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


class _Target:
    """The module under test, into which versions of one function are put."""

    def __init__(self, scope: dict[str, object], function: str, path: str) -> None:
        self._scope, self._path = scope, path
        *self._owners, self._name = function.split(".")

    def version(self, text: str) -> Callable[..., object]:
        """Execute a version of the module and return its function; classes stay the original ones."""
        name = str(self._scope["__name__"])
        fresh: dict[str, object] = {
            key: self._scope.get(key) for key in ("__package__", "__spec__", "__loader__", "__path__")
        }
        fresh = {key: value for key, value in fresh.items() if value is not None}
        fresh.update(__name__=name, __file__=self._path)
        exec(compile(text, self._path, "exec", dont_inherit=True), fresh)  # noqa: S102 - this is the sandbox
        holder: object = types.SimpleNamespace(**fresh)
        for owner in self._owners:
            holder = getattr(holder, owner)
        found = inspect.getattr_static(holder, self._name)
        for key, value in self._scope.items():
            if isinstance(value, type) and value.__module__ == name and key in fresh:
                fresh[key] = value
        return typing.cast("Callable[..., object]", found)

    def installed(self, function: object) -> typing.ContextManager[Callable[..., object]]:
        """Put a function in its class for as long as it is called; a plain function is called as it is."""
        return _Installed(self._scope, self._owners, self._name, function)


class _Installed:
    def __init__(self, scope: dict[str, object], owners: Sequence[str], name: str, function: object) -> None:
        self._function, self._name = function, name
        self._owner: object = types.SimpleNamespace(**scope) if owners else None
        for part in owners:
            self._owner = getattr(self._owner, part)
        self._before: object = inspect.getattr_static(self._owner, name) if owners else None

    def __enter__(self) -> Callable[..., object]:
        if self._owner is not None:
            setattr(self._owner, self._name, self._function)
        return _plain(self._function)

    def __exit__(self, *_: object) -> None:
        if self._owner is not None:
            setattr(self._owner, self._name, self._before)


def _plain(function: object) -> Callable[..., object]:
    """Return what is called with the arguments as the frame had them, ``self`` or ``cls`` among them."""
    inner = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    inner = inner.fget if isinstance(inner, property) else inner
    return typing.cast("Callable[..., object]", inner)


class _Input:
    def __init__(self, arguments: variations.Arguments, *, passing: bool, seen: bool) -> None:
        self.arguments, self.passing, self.seen = arguments, passing, seen
        self.text = _shown(arguments)


def _inputs(harvest: _Harvest, passing: frozenset[str], function: object, seed: int) -> Iterator[_Input]:
    known: set[str] = set()
    seen = [_Input(arguments, passing=test in passing, seen=True) for test, arguments in harvest.calls]
    near: list[_Input] = []
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    hints = _hints(_plain(function))
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


def _hints(function: Callable[..., object]) -> Mapping[str, object]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - an annotation may be any expression
        return {}


def _settled(inputs: Iterator[_Input], target: _Target, original: object, until: float) -> list[_Input]:
    """Leave out inputs on which the original does not do the same twice."""
    kept = []
    with target.installed(original) as function:
        for one in inputs:
            if time.monotonic() > until - 2 * _CALL_S:
                break
            if _call(function, one) == _call(function, one):
                kept.append(one)
    return kept


def _outcomes(target: _Target, text: str, inputs: Sequence[_Input], until: float) -> list[str]:
    outcomes = []
    try:
        version = target.version(text)
        with target.installed(version) as function:
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
        result = _bound_call(function, arguments)
        if inspect.isgenerator(result):
            result = list(itertools.islice(result, _MOST_ITEMS))
        told = f"returns {_shown(result)}"
    except TooLong:
        return "runs too long"
    except Exception as error:  # noqa: BLE001 - what it raises is its behaviour
        told = f"raises {type(error).__name__}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    after = _shown(arguments)
    return told if after == one.text else f"{told} and leaves {after}"


def _bound_call(function: Callable[..., object], arguments: variations.Arguments) -> object:
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function(**arguments)
    positional: list[object] = []
    named: dict[str, object] = {}
    for name, parameter in parameters.items():
        if name not in arguments:
            continue
        value = arguments[name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(typing.cast("Sequence[object]", value))
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update(typing.cast("Mapping[str, object]", value))
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = value
        else:
            positional.append(value)
    return function(*positional, **named)


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
