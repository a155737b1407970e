"""Progress of long work on stderr: bars with rate and estimate on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from trading.commands import Progress

_LINE_EVERY_S = 5.0
_MOST_BARS = 8


class ProgressDisplay(Protocol):
    """Where progress goes."""

    def show(self, step: Progress) -> None:
        """Show one step."""
        ...


@contextmanager
def display_for(silent: bool, stream: TextIO | None = None) -> Iterator[ProgressDisplay]:
    """Open the display that fits the stream.

    Parameters
    ----------
    silent : bool
        Show nothing.
    stream : text file, optional
        None takes stderr.

    Yields
    ------
    ProgressDisplay
        Bars on a terminal, lines elsewhere.
    """
    target = sys.stderr if stream is None else stream
    if silent:
        yield Silence()
    elif target.isatty():
        bars = _bars(target)
        try:
            yield Bars(bars)
        finally:
            bars.stop()
    else:
        yield Lines(target)


class Silence:
    """Shows nothing."""

    def show(self, step: Progress) -> None:
        """Show nothing."""


class Lines:
    """One line of text at most every few seconds, for logs and pipes.

    Parameters
    ----------
    stream : text file
        Where lines go.
    clock : callable
        Seconds that only rise.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last = clock()
        self._started: dict[str, tuple[float, float]] = {}

    def show(self, step: Progress) -> None:
        """Write a line when the last one is old enough."""
        now = self._clock()
        began, first = self._started.setdefault(step.label, (now, step.done))
        if now - self._last < _LINE_EVERY_S:
            return
        self._last = now
        seconds = now - began
        rate = (step.done - first) / seconds if seconds > 0 else 0.0
        self._stream.write(progress_line(step, rate) + "\n")
        self._stream.flush()


class Bars:
    """One bar for each label, the newest few."""

    def __init__(self, bars: RichProgress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._started = False

    def show(self, step: Progress) -> None:
        """Move the bar of the step's label, or open one."""
        total = step.total or None
        # not before there is something to show: a command may have the terminal for itself
        if not self._started:
            self._started = True
            with _interrupted_later():
                self._bars.start()
        task = self._tasks.get(step.label)
        if task is None:
            task = self._tasks[step.label] = self._bars.add_task(step.label, total=total, unit=step.unit)
            while len(self._tasks) > _MOST_BARS:
                self._bars.remove_task(self._tasks.pop(next(iter(self._tasks))))
        self._bars.update(task, completed=step.done, total=total)


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Hold Ctrl-C back until the block's end: bars that are half started cannot be stopped."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        signal.raise_signal(signal.SIGINT)


def progress_line(step: Progress, rate: float) -> str:
    """Return one step as text.

    Parameters
    ----------
    step : Progress
        What has been done.
    rate : float
        Work done per second.

    Returns
    -------
    str
        Such as ``reading: 40% (400/1,000 rows), 200 rows/s, 3 s left``.
    """
    unit = f" {step.unit}" if step.unit else ""
    if step.total:
        text = f"{step.label}: {step.done / step.total:.0%} ({step.done:,.0f}/{step.total:,.0f}{unit})"
    else:
        text = f"{step.label}: {step.done:,.0f}{unit}" if step.done else step.label
    if rate <= 0:
        return text
    left = f", {max(step.total - step.done, 0) / rate:,.0f} s left" if step.total else ""
    return f"{text}, {rate:,.3g}{unit}/s{left}" if rate < 1 else f"{text}, {rate:,.0f}{unit}/s{left}"


def _bars(stream: TextIO) -> RichProgress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Amount(ProgressColumn):
        def render(self, task: Task) -> Text:
            unit = f" {task.fields['unit']}" if task.fields.get("unit") else ""
            total = f"/{task.total:,.0f}" if task.total else ""
            rate = f" {task.speed:,.0f}{unit}/s" if task.speed else ""
            return Text(f"{task.completed:,.0f}{total}{unit}{rate}")

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        Amount(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(file=stream, emoji=False), transient=True)
