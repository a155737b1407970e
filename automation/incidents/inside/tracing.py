"""Which lines of chosen files run, and what their variables hold; stdlib only, no cost worth naming elsewhere."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Protocol

FIRST_VISITS = 3
LAST_VISITS = 2
VISITS_LIMIT = 500
LINES_LIMIT = 600
_TOOL_IDS = (4, 3, 5)

Shown = Callable[[Mapping[str, object]], dict[str, str]]
LocalTrace = Callable[[FrameType, str, object], object]


class ValueLog:
    """Local variables at the first and last visits of each line.

    Parameters
    ----------
    shown_locals : callable
        Turns a frame's locals into bounded, masked reprs.
    """

    def __init__(self, shown_locals: Shown) -> None:
        self._shown = shown_locals
        self._first: dict[tuple[str, int], list[dict[str, str]]] = {}
        self._last: dict[tuple[str, int], deque[dict[str, str]]] = {}
        self._visits: dict[tuple[str, int], int] = {}

    def visit(self, path: str, line: int, values: Mapping[str, object]) -> None:
        """Note the locals as they are before a line runs."""
        at = (path, line)
        count = self._visits.get(at, 0)
        if count >= VISITS_LIMIT or (count == 0 and len(self._visits) >= LINES_LIMIT):
            return
        self._visits[at] = count + 1
        snapshot = self._shown(values)
        if count < FIRST_VISITS:
            self._first.setdefault(at, []).append(snapshot)
        else:
            self._last.setdefault(at, deque(maxlen=LAST_VISITS)).append(snapshot)

    def returned(self, path: str, line: int, value: object) -> None:
        """Note what a function hands back from a line, as ``return=repr``."""
        self.visit(path, line, {"return": value})

    def take(self) -> dict[str, list[str]]:
        """Return ``"path:line"`` to distinct ``name=repr`` in the order seen, and start anew."""
        found = {}
        for at, first in self._first.items():
            visits = [*first, *self._last.get(at, ())]
            pairs = dict.fromkeys(f"{name}={text}" for visit in visits for name, text in visit.items())
            if pairs:
                found[f"{at[0]}:{at[1]}"] = list(pairs)
        self._first, self._last, self._visits = {}, {}, {}
        return found


class Tracer(Protocol):
    """Records lines until it is stopped."""

    def start(self) -> None:
        """Begin, or begin again after something else took the interpreter's hook."""
        ...

    def stop(self) -> None:
        """End."""
        ...

    def take(self) -> dict[str, list[int]]:
        """Return the lines since the last call by file, sorted, and start anew."""
        ...


class _Lines:
    def __init__(self, wanted: Callable[[str], str | None], values: ValueLog | None) -> None:
        self._wanted = wanted
        self._values = values
        self._seen: dict[str, set[int]] = {}

    def take(self) -> dict[str, list[int]]:
        found = {path: sorted(lines) for path, lines in self._seen.items() if lines}
        for lines in self._seen.values():
            lines.clear()
        return found


class SettraceTracer(_Lines):
    """Lines by ``sys.settrace``, in this thread and those that start later.

    Parameters
    ----------
    wanted : callable
        Gives a code object's file name the path to record it under, or None.
    values : ValueLog, optional
        Takes the variables at each line.
    """

    def __init__(self, wanted: Callable[[str], str | None], values: ValueLog | None = None) -> None:
        super().__init__(wanted, values)
        self._local: dict[str, LocalTrace | None] = {}
        self._hook = self._call_hook()

    def start(self) -> None:
        """Begin, or begin again after something else took the interpreter's hook."""
        threading.settrace(self._hook)  # type: ignore[arg-type]
        sys.settrace(self._hook)  # type: ignore[arg-type]

    def stop(self) -> None:
        """End."""
        sys.settrace(None)
        threading.settrace(None)

    def _call_hook(self) -> LocalTrace:
        local, decide = self._local, self._decide

        def on_call(frame: FrameType, event: str, argument: object) -> LocalTrace | None:
            name = frame.f_code.co_filename
            try:
                return local[name]
            except KeyError:
                return decide(name)

        return on_call

    def _decide(self, name: str) -> LocalTrace | None:
        path = self._wanted(name)
        found = None
        if path is not None:
            seen = self._seen.setdefault(path, set())
            found = _line_hook(seen) if self._values is None else _value_hook(seen, path, self._values)
        self._local[name] = found
        return found


def _line_hook(seen: set[int]) -> LocalTrace:
    add = seen.add

    def on_line(frame: FrameType, event: str, argument: object) -> LocalTrace:
        if event == "line":
            add(frame.f_lineno)
        return on_line

    return on_line


def _value_hook(seen: set[int], path: str, values: ValueLog) -> LocalTrace:
    def on_line(frame: FrameType, event: str, argument: object) -> LocalTrace:
        if event == "line":
            seen.add(frame.f_lineno)
            if frame.f_code.co_name != "<module>":
                values.visit(path, frame.f_lineno, frame.f_locals)
        elif event == "return" and argument is not None and frame.f_code.co_name != "<module>":
            # a frame that an exception leaves "returns" None, so that None says nothing here
            values.returned(path, frame.f_lineno, argument)
        return on_line

    return on_line


class MonitoringTracer(_Lines):
    """Lines by ``sys.monitoring`` (Python 3.12 and later), which costs nothing in files that are not wanted.

    Parameters
    ----------
    wanted : callable
        Gives a code object's file name the path to record it under, or None.
    values : ValueLog, optional
        Takes the variables at each line.
    """

    def __init__(self, wanted: Callable[[str], str | None], values: ValueLog | None = None) -> None:
        super().__init__(wanted, values)
        self._paths: dict[CodeType, str] = {}
        self._tool: int | None = None
        self._monitoring = sys.monitoring  # type: ignore[attr-defined,unused-ignore]

    def start(self) -> None:
        """Begin, or let lines that were seen once be seen again."""
        if self._tool is not None:
            self._monitoring.restart_events()
            return
        events = self._monitoring.events
        self._tool = tool = next(each for each in _TOOL_IDS if self._monitoring.get_tool(each) is None)
        self._monitoring.use_tool_id(tool, "gridbot")
        self._monitoring.register_callback(tool, events.PY_START, self._on_start)
        self._monitoring.register_callback(tool, events.LINE, self._on_line)
        self._monitoring.register_callback(tool, events.PY_RETURN, self._on_return)
        self._monitoring.set_events(tool, events.PY_START)

    def stop(self) -> None:
        """End."""
        if self._tool is None:
            return
        for code in self._paths:
            self._monitoring.set_local_events(self._tool, code, 0)
        self._monitoring.set_events(self._tool, 0)
        self._monitoring.free_tool_id(self._tool)
        self._tool = None
        self._paths.clear()

    def _on_start(self, code: CodeType, offset: int) -> object:
        path = self._wanted(code.co_filename)
        if path is not None and code not in self._paths and self._tool is not None:
            self._paths[code] = path
            self._seen.setdefault(path, set())
            events = self._monitoring.events
            wanted = events.LINE if self._values is None else events.LINE | events.PY_RETURN
            self._monitoring.set_local_events(self._tool, code, wanted)
        return self._monitoring.DISABLE

    def _on_line(self, code: CodeType, line: int) -> object:
        path = self._paths.get(code)
        if path is None:
            return self._monitoring.DISABLE
        self._seen[path].add(line)
        if self._values is None:
            return self._monitoring.DISABLE
        if code.co_name != "<module>":
            self._values.visit(path, line, sys._getframe(1).f_locals)  # noqa: SLF001
        return None

    def _on_return(self, code: CodeType, offset: int, value: object) -> object:
        path = self._paths.get(code)
        if path is not None and self._values is not None and value is not None and code.co_name != "<module>":
            self._values.returned(path, sys._getframe(1).f_lineno, value)  # noqa: SLF001
        return None


def line_tracer(wanted: Callable[[str], str | None], values: ValueLog | None = None) -> Tracer:
    """Return the cheapest tracer that this interpreter has.

    Parameters
    ----------
    wanted : callable
        Gives a code object's file name the path to record it under, or None.
    values : ValueLog, optional
        Takes the variables at each line.
    """
    if sys.version_info >= (3, 12):
        return MonitoringTracer(wanted, values)
    return SettraceTracer(wanted, values)
