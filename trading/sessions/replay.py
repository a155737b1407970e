"""Running a recording again: the same inputs through the same core, every decision compared bit for bit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from trading.commands import Progress
from trading.errors import ExitCode
from trading.orders.journal_reader import JournalReader
from trading.sessions.recording import Recording, recording_of

_EVERY = 500


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What running a recording again came to.

    Parameters
    ----------
    session : str
        Whose recording.
    inputs, compared : int
        Inputs that were told, and at how many of them the outputs were compared.
    differs_at : int or None
        Number of inputs after which the outputs were other ones; None when all were the same.
    error : str or None
        What the core raised at the last input.
    recorded_error : str or None
        What it raised in the session.
    exported : Path or None
        Where the recording was written.
    """

    session: str
    inputs: int
    compared: int
    differs_at: int | None = None
    error: str | None = None
    recorded_error: str | None = None
    exported: Path | None = None

    @property
    def is_same(self) -> bool:
        """Whether every decision was the same, and so was the error if there was one."""
        return self.differs_at is None and (self.error is None) == (self.recorded_error is None)

    @property
    def exit_code(self) -> ExitCode:
        """DONE, or HALTED when the decisions differ."""
        return ExitCode.DONE if self.is_same else ExitCode.HALTED

    def as_json(self) -> dict[str, object]:
        """Return the outcome as JSON has it."""
        return {
            "session": self.session,
            "inputs": self.inputs,
            "compared": self.compared,
            "same": self.is_same,
            "differs_at": self.differs_at,
            "error": self.error,
            "recorded_error": self.recorded_error,
            "exported": None if self.exported is None else str(self.exported),
        }

    def as_text(self) -> RenderableType:
        """Return the outcome in words."""
        told = f"{self.inputs:,} inputs of {self.session} told again, outputs compared {self.compared:,} times"
        if self.differs_at is not None:
            return f"{told}: they differ after input {self.differs_at:,}; this version decides otherwise"
        words = f"{told}: the same, bit for bit"
        if self.error is not None:
            words += f"\nit fails as it did: {self.error}"
        elif self.recorded_error is not None:
            words += f"\nit no longer fails as it did: {self.recorded_error}"
        return words if self.exported is None else f"{words}\nwritten to {self.exported}"


def replay_session(journal: JournalReader, export: Path | None = None) -> Generator[Progress, None, ReplayResult]:
    """Run a session's recording again from its first input.

    Parameters
    ----------
    journal : JournalReader
        The session's journal.
    export : Path, optional
        Where to write the recording as a file of its own.
    """
    yield Progress("reading the recording")
    recording = recording_of(journal)
    exported = recording.write(export) if export is not None else None
    return (yield from replay_recording(recording, exported))


def replay_recording(recording: Recording, exported: Path | None = None) -> Generator[Progress, None, ReplayResult]:
    """Run a recording again.

    Parameters
    ----------
    recording : Recording
        What is told again.
    exported : Path, optional
        Where it was written, for the result.
    """
    decider = recording.decider()
    digests = dict(recording.digests)
    compared, differs_at, error = 0, None, None
    total = len(recording.inputs)
    for number, item in enumerate(recording.inputs, start=1):
        if number % _EVERY == 0:
            yield Progress("replaying", number, total, "inputs")
        try:
            decider.apply(item)
        except Exception as problem:  # noqa: BLE001 - whatever the core raises is what a replay is to show
            error = f"{type(problem).__name__}: {problem}"
            break
        if number in digests:
            compared += 1
            if decider.digest != digests[number]:
                differs_at = number
                break
    return ReplayResult(recording.session, total, compared, differs_at, error, recording.error, exported)
