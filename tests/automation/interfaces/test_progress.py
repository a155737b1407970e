"""Progress as text: how often a line is written, and what it says."""

from __future__ import annotations

import io
import signal

import pytest

from automation.interfaces.progress import Lines, display_for, progress_line
from trading.commands import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_pipe_gets_one_line_every_five_seconds_with_rate_and_estimate() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock)
    for done in range(0, 1_001, 10):
        lines.show(Progress("reading", done, 1_000, "rows"))
        clock.now += 0.125
    assert stream.getvalue().splitlines() == [
        "reading: 40% (400/1,000 rows), 80 rows/s, 8 s left",
        "reading: 80% (800/1,000 rows), 80 rows/s, 2 s left",
    ]


def test_quick_work_writes_nothing() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock)
    for done in range(100):
        lines.show(Progress("reading", done, 100))
    assert stream.getvalue() == ""


def test_the_rate_of_a_label_starts_where_the_label_starts() -> None:
    clock, stream = Clock(), io.StringIO()
    lines = Lines(stream, clock)
    lines.show(Progress("first", 50, 100))
    clock.now += 4
    lines.show(Progress("resumed", 900, 1_000, "rows"))
    clock.now += 2
    lines.show(Progress("resumed", 904, 1_000, "rows"))
    assert stream.getvalue() == "resumed: 90% (904/1,000 rows), 2 rows/s, 48 s left\n"


@pytest.mark.parametrize(
    ("step", "rate", "line"),
    [
        (Progress("connecting"), 0, "connecting"),
        (Progress("downloading", 12_345, unit="candles"), 1_000, "downloading: 12,345 candles, 1,000 candles/s"),
        (Progress("training", 1, 4, "epochs"), 0.05, "training: 25% (1/4 epochs), 0.05 epochs/s, 60 s left"),
        (Progress("going back", 5, 10), -3, "going back: 50% (5/10)"),
    ],
)
def test_what_a_line_says(step: Progress, rate: float, line: str) -> None:
    assert progress_line(step, rate) == line


class InterruptedTerminal(io.StringIO):
    """A terminal at which Ctrl-C is pressed as soon as something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed = False

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
        return super().write(text)


def test_ctrl_c_while_the_bars_are_being_drawn_first_is_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = InterruptedTerminal()
    with pytest.raises(KeyboardInterrupt), display_for(silent=False, stream=terminal) as display:
        display.show(Progress("reading", 1, 10))
    assert terminal.getvalue().count("\x1b[?25h") == 1, "the cursor is shown again"
