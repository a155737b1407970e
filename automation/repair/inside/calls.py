"""Calls of one function: watched while a program runs, and made anew on versions of the function.

Loaded by file path inside the sandbox, for any Python from 3.9 on; what compares candidates of a repair and what
proves rewrites for speed both stand on it.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import os
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

Arguments = dict[str, object]

_MOST_STATE = 64
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
_GENERATOR = inspect.CO_GENERATOR
_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Watch:
    """A profile hook that hands over the arguments of one function whenever it is called.

    Parameters
    ----------
    path : str
        Of its file, absolute.
    name : str
        Without what is before a dot.
    lines : frozenset of int
        First lines that its code object may have.
    keep : callable
        Keeps a copy of a call's arguments, and says whether it was a new one.
    """

    def __init__(self, path: str, name: str, lines: frozenset[int], keep: Callable[[Arguments], bool]) -> None:
        self.scope: dict[str, object] = {}
        self.problem = ""
        self._path, self._name, self._lines, self._keep = path, name, lines, keep
        self._known: dict[types.CodeType, bool] = {}
        self._begun: list[types.FrameType] = []
        self._busy = False

    def on_event(self, frame: types.FrameType, event: str, argument: object) -> None:
        """Look at an event of the program, as ``sys.setprofile`` tells it."""
        if event != "call" or self._busy:
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
        return named and os.path.abspath(code.co_filename) == self._path  # noqa: PTH100 - links stay as they are

    def _take(self, frame: types.FrameType) -> None:
        if frame.f_code.co_flags & _GENERATOR:
            self._begun.append(frame)
        if frame.f_code.co_freevars:
            self.problem = "it is a closure"
            return
        arguments = {name: frame.f_locals[name] for name in _parameters(frame.f_code) if name in frame.f_locals}
        try:
            if self._keep(arguments):
                self.scope = frame.f_globals
        except Exception as error:  # noqa: BLE001 - what a target's value does when it is copied is its own
            self.problem = f"its arguments cannot be copied ({type(error).__name__})"


def _parameters(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


class Version:
    """One version of the function, in a module of its own; classes stay the original ones.

    ``promised`` is what the original's annotation says that it returns, None where it says nothing.
    """

    def __init__(
        self, owner: object, name: str, function: object, scope: dict[str, object], watched: frozenset[str]
    ) -> None:
        self._owner, self._name, self._function, self._scope = owner, name, function, scope
        self.promised: object = None
        self._initial = {key: copy.deepcopy(scope.get(key)) for key in sorted(watched)}

    def reset(self) -> None:
        """Give the module's own variables their first values again, collections in place."""
        for key, value in self._initial.items():
            held = self._scope.get(key)
            if isinstance(held, list):
                held[:] = copy.deepcopy(typing.cast("list[object]", value))
            elif isinstance(held, (dict, set)):
                held.clear()
                held.update(copy.deepcopy(typing.cast("typing.Any", value)))
            else:
                self._scope[key] = value

    def state(self) -> dict[str, object]:
        """Return the module's own variables as they are now."""
        return {key: self._scope.get(key) for key in self._initial}

    @contextlib.contextmanager
    def installed(self) -> Iterator[Callable[..., object]]:
        """Put a method in its class for as long as it is called; a plain function is called as it is."""
        if self._owner is None:
            yield _plain(self._function)
            return
        before = inspect.getattr_static(self._owner, self._name)
        setattr(self._owner, self._name, self._function)
        try:
            yield _plain(self._function)
        finally:
            setattr(self._owner, self._name, before)

    def hints(self) -> Mapping[str, object]:
        """Return its resolved annotations; none where they cannot be resolved."""
        try:
            return typing.get_type_hints(_plain(self._function))
        except Exception:  # noqa: BLE001 - an annotation may be any expression
            return {}


class Versions:
    """Makes versions of one function out of texts of its module.

    Parameters
    ----------
    scope : dict
        The module as it was loaded.
    function : str
        Dotted name.
    path : str
        Of its file.
    state : bool
        Whether the module's own variables are looked at too.
    """

    def __init__(self, scope: dict[str, object], function: str, path: str, *, state: bool) -> None:
        self._scope, self._path = scope, path
        self._watched: frozenset[str] | None = None if state else frozenset()
        self._promised: tuple[object] | None = None
        *self._owners, self._name = function.split(".")

    def make(self, text: str) -> Version:
        """Execute a text of the module and return its version of the function."""
        name = str(self._scope["__name__"])
        kept = {key: self._scope.get(key) for key in ("__package__", "__spec__", "__loader__", "__path__")}
        fresh: dict[str, object] = {key: value for key, value in kept.items() if value is not None}
        # A script guards its work by its name, and must not do it again.
        fresh.update(__name__="_gridbot_version" if name == "__main__" else name, __file__=self._path)
        exec(compile(text, self._path, "exec", dont_inherit=True), fresh)  # noqa: S102 - this is the sandbox
        holder: object = types.SimpleNamespace(**fresh)
        owner: object = types.SimpleNamespace(**self._scope) if self._owners else None
        for part in self._owners:
            holder, owner = getattr(holder, part), getattr(owner, part)
        found = inspect.getattr_static(holder, self._name)
        for key, value in self._scope.items():
            if isinstance(value, type) and value.__module__ == name and key in fresh:
                fresh[key] = value
        if self._watched is None:
            # A rewrite may bring constants along, so the variables of the first version, the original, count.
            self._watched = frozenset(key for key, value in fresh.items() if _is_state(key, value))
        version = Version(owner, self._name, found, fresh, self._watched)
        if self._promised is None:
            self._promised = (version.hints().get("return"),)
        version.promised = self._promised[0]
        return version


def call(function: Callable[..., object], arguments: Arguments) -> object:
    """Call a function with the arguments as a frame had them."""
    return binding(function, arguments)()


def binding(function: Callable[..., object], arguments: Arguments) -> Callable[[], object]:
    """Return the call of a function with the arguments as a frame had them."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return partial(function, **arguments)
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
    return partial(function, *positional, **named)


def without_addresses(text: str) -> str:
    """Return a text with memory addresses taken out."""
    return _ADDRESS.sub("0x", text)


def _is_state(name: str, value: object) -> bool:
    if name.startswith("__"):
        return False
    return type(value) in (int, float, str, bool, type(None)) or (
        type(value) in (list, dict, set) and len(typing.cast("list[object]", value)) <= _MOST_STATE
    )


def _plain(function: object) -> Callable[..., object]:
    inner = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
    inner = inner.fget if isinstance(inner, property) else inner
    return typing.cast("Callable[..., object]", inner)
