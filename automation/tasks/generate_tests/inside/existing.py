"""Run the tests that are there already: where each of them goes in one file, and how it calls the subjects.

Loaded by file path inside the sandbox, for any Python from 3.9 on.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import types
import typing
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Dict, List, Optional  # noqa: UP035 - read at run time by Python 3.9

if typing.TYPE_CHECKING:
    from automation.tasks.generate_tests.inside import arcs, values
else:
    # loaded by path: the target may hold a package of the same name as ours
    _package = sys.modules.setdefault("_gridbot_tests", types.ModuleType("_gridbot_tests"))
    _package.__path__ = [str(Path(__file__).parent)]
    from _gridbot_tests import arcs, values

Record = Dict[str, Any]  # noqa: UP006
Emit = Callable[[Record], None]

_MOST_SEEN = 24
_LONGEST = 240


def run(job: Record, emit: Emit) -> None:
    """Emit what the probe tells, ``arcs`` after each test, and ``seen`` (arguments by line of the function) at the end.

    Parameters
    ----------
    job : dict
        ``probe`` (file that runs the tests), ``suite`` (its job), ``path`` (of the file that is looked at), ``lines``
        (first lines of the functions whose calls are kept, with their decorators' lines).
    emit : callable
        Takes each record, which the sandbox hands out.
    """
    path = os.path.join(os.path.abspath(str(job["suite"]["root"])), job["path"])  # noqa: PTH100, PTH118 - links stay
    tracer = _Watching(path, frozenset(job["lines"]))

    def tell(record: Record) -> None:
        emit(record)
        if record.get("event") == "result":
            emit({"event": "arcs", "node_id": record["node_id"], "arcs": sorted(tracer.take())})
            tracer.start()

    probe = _probe(str(job["probe"]))
    tracer.start()
    try:
        probe.run(job["suite"], tell)
    finally:
        tracer.stop()
    emit({"event": "seen", "calls": tracer.calls})


def _probe(place: str) -> values.Foreign:
    spec = importlib.util.spec_from_file_location("_gridbot_probe", place)
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} is no Python file")
    probe = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = probe
    spec.loader.exec_module(probe)
    return probe


class _Watching(arcs.ArcTracer):
    """Notes the arguments of some functions on the way."""

    def __init__(self, path: str, lines: frozenset[int]) -> None:
        super().__init__(path)
        self.calls: Dict[str, List[Any]] = {}  # noqa: UP006
        self._lines = lines
        self._known: set[str] = set()

    def on_call(self, frame: FrameType, event: str, argument: object) -> Optional[object]:  # noqa: UP045
        """Follow a call inside the file, and keep its arguments when it is one of the functions."""
        found = super().on_call(frame, event, argument)
        if found is not None and event == "call" and frame.f_code.co_firstlineno in self._lines:
            sys.settrace(None)
            try:
                self._note(frame)
            except Exception:  # noqa: BLE001, S110 - what cannot be written down is not used
                pass
            finally:
                sys.settrace(self.on_call)  # type: ignore[arg-type]
        return found

    def _note(self, frame: FrameType) -> None:
        code = frame.f_code
        kept = self.calls.setdefault(str(code.co_firstlineno), [])
        if len(kept) >= _MOST_SEEN or code.co_flags & inspect.CO_VARARGS:
            return
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        arguments = []
        for name in names:
            if name == "cls":
                continue
            text, imports = values.written(frame.f_locals[name])
            arguments.append(["instance" if name == "self" else name, text, imports])
        key = repr((code.co_firstlineno, arguments))
        if key not in self._known and len(key) < _LONGEST:
            self._known.add(key)
            kept.append(arguments)
