"""Exceptions, frames and values as bounded plain data; stdlib only, since it runs under the target's interpreter."""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import reprlib
import sys
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

VALUE_LIMIT = 200
NAMES_LIMIT = 20
MESSAGE_LIMIT = 4000
FRAMES_LIMIT = 60
CHAIN_LIMIT = 8
HIDDEN = "***"
_LOOKED_AT = 8

_SECRET_NAME = re.compile(
    r"passw|passphrase|secret|token|credential|api_?key|private_?key|authori[sz]ation", re.IGNORECASE
)
_FOREIGN_FOLDERS = {"site-packages", "dist-packages", ".venv", "venv", ".tox", ".nox", "node_modules", "__pypackages__"}
_DULL = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_INSIDE = str(Path(__file__).resolve().parent)
_CODEBASE = Path(__file__).resolve().parents[2] / "codebase"


def loaded_by_path(name: str, path: Path) -> types.ModuleType:
    """Import a file under a name of its own, whatever packages the target brings."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded as a module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _from_codebase(name: str, function: str) -> object:
    return getattr(loaded_by_path(f"_gridbot_{name}", _CODEBASE / f"{name}.py"), function)


masked = functools.lru_cache(maxsize=4096)(cast("Callable[[str], str]", _from_codebase("masking", "masked")))
is_test_path = cast("Callable[[str], bool]", _from_codebase("suite_files", "is_test_path"))


class Places:
    """Tells a repository's own files from all others, by what code objects call them.

    Parameters
    ----------
    root : str
        Folder of the repository.
    """

    def __init__(self, root: str) -> None:
        # text, not Path: asked for every code object that runs
        self.root = os.path.abspath(root)  # noqa: PTH100
        self._starts = tuple({self.root + os.sep, os.path.realpath(root) + os.sep})
        self._known: dict[str, str | None] = {}

    def own(self, filename: str) -> str | None:
        """Return the path relative to the repository with forward slashes, None for any other file."""
        try:
            return self._known[filename]
        except KeyError:
            found = self._known[filename] = self._decide(filename)
            return found

    def _decide(self, filename: str) -> str | None:
        if filename.startswith("<"):
            return None
        path = os.path.normpath(os.path.join(self.root, filename))  # noqa: PTH118
        for start in self._starts:
            if path.startswith(start):
                parts = path[len(start) :].split(os.sep)  # noqa: PTH206
                return None if _FOREIGN_FOLDERS.intersection(parts) else "/".join(parts)
        return None


class _Bounded(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 4
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 24
        self.maxarray = 24
        self.maxstring = self.maxlong = self.maxother = _LOOKED_AT * VALUE_LIMIT

    def repr_dict(self, x: dict[object, object], level: int) -> str:
        if level <= 0 or len(x) > self.maxdict:
            return super().repr_dict(x, level)
        return "{" + ", ".join(f"{self._key(k, level)}: {self._value(k, v, level)}" for k, v in x.items()) + "}"

    def _key(self, key: object, level: int) -> str:
        return self.repr1(key, level - 1)

    def _value(self, key: object, value: object, level: int) -> str:
        if isinstance(key, str) and is_secret_name(key):
            return repr(HIDDEN)
        return self.repr1(value, level - 1)


_BOUNDED = _Bounded()


def is_secret_name(name: str) -> bool:
    """Whether a variable or key of that name is to be hidden."""
    return _SECRET_NAME.search(name) is not None


def shown(value: object, limit: int = VALUE_LIMIT) -> str:
    """Return a bounded, masked repr; a ``__repr__`` that raises is said, not followed."""
    try:
        text = _BOUNDED.repr(value)
    except Exception as error:  # noqa: BLE001 - the target's own code runs here
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return masked_cut(_ADDRESS.sub("", text), limit)


def masked_cut(text: str, limit: int) -> str:
    """Return a text without secrets and of at most ``limit`` characters, with its middle left out when it is longer."""
    # A secret that is cut in two is none to the eye of a pattern, so far more than what stays is masked first.
    return _cut(masked(_cut(text, _LOOKED_AT * limit)), limit)


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[: limit - 3 - half]}...{text[len(text) - half :]}"


def shown_locals(values: Mapping[str, object]) -> dict[str, str]:
    """Return at most 20 names with their bounded reprs; modules, functions, classes and dunders are left out."""
    found: dict[str, str] = {}
    for name, value in list(values.items()):
        if name.startswith(("__", "@")) or isinstance(value, _DULL):
            continue
        found[name] = HIDDEN if is_secret_name(name) else shown(value)
        if len(found) == NAMES_LIMIT:
            break
    return found


def type_name(error: BaseException) -> str:
    """Return an exception's qualified type name, without ``builtins.``."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def chain_of(error: BaseException, places: Places) -> list[dict[str, object]]:
    """Return an exception and its causes as data, each with its frames, outermost frame first."""
    found: list[dict[str, object]] = []
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting and len(found) < CHAIN_LIMIT:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        found.append({"type": type_name(current), "message": _message(current), "frames": _frames(current, places)})
        waiting += _causes(current)
    return found


def _causes(error: BaseException) -> list[BaseException]:
    inner = getattr(error, "exceptions", ())
    causes = [each for each in inner if isinstance(each, BaseException)] if isinstance(inner, (tuple, list)) else []
    if error.__cause__ is not None:
        causes.append(error.__cause__)
    elif error.__context__ is not None and not error.__suppress_context__:
        causes.append(error.__context__)
    return causes


def _message(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception as broken:  # noqa: BLE001 - the target's own code runs here
        return f"<message that raises {type(broken).__name__}>"
    return masked_cut(str(text), MESSAGE_LIMIT)


def stack_of(frame: types.FrameType | None, places: Places) -> list[dict[str, object]]:
    """Return where a thread is, outermost frame first, from the first frame of the repository on."""
    walk = []
    while frame is not None:
        walk.append((frame, frame.f_lineno))
        frame = frame.f_back
    return _from_own([_frame(each, line, places) for each, line in reversed(walk)])


def _frames(error: BaseException, places: Places) -> list[dict[str, object]]:
    frames = []
    walk = error.__traceback__
    while walk is not None:
        frames.append(_frame(walk.tb_frame, walk.tb_lineno, places))
        walk = walk.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(_placed(error.filename, error.lineno or 1, "", {}, places))
    return _from_own(frames)


def _from_own(frames: list[dict[str, object]]) -> list[dict[str, object]]:
    frames = [frame for frame in frames if not str(frame["path"]).startswith(("<frozen ", _INSIDE))]
    first_own = next((at for at, frame in enumerate(frames) if frame["own"]), max(0, len(frames) - FRAMES_LIMIT // 2))
    frames = frames[first_own:]
    if len(frames) > FRAMES_LIMIT:
        frames = frames[: FRAMES_LIMIT // 2] + frames[-(FRAMES_LIMIT // 2) :]
    return frames


def _frame(frame: types.FrameType, line: int | None, places: Places) -> dict[str, object]:
    code = frame.f_code
    own = places.own(code.co_filename) is not None
    values = shown_locals(frame.f_locals) if own else {}
    function = getattr(code, "co_qualname", code.co_name)
    function = "" if function == "<module>" else function.replace("<locals>.", "")
    return _placed(code.co_filename, line or code.co_firstlineno, function, values, places)


def _placed(filename: str, line: int, function: str, values: dict[str, str], places: Places) -> dict[str, object]:
    own = places.own(filename)
    path = filename if own is None else own
    test = own is not None and is_test_path(own)
    return {"path": path, "line": line, "function": function, "own": own is not None, "test": test, "values": values}
