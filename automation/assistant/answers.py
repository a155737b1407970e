"""What a sentence turns out to mean: steps that can run, a question with choices, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from automation.requests import command_text
from trading.commands import Command


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """What the caller knows beside the sentence.

    Parameters
    ----------
    file : str
        The file that the person looks at, relative to the repository, or absolute; empty when there is none.
    line : int
        The line of the cursor in it, from 1; 0 when it is not known.
    home : Path or None
        The data home, for sessions, runs and stored candles; None takes the usual one.
    clock : callable
        The present, aware of its zone, for "since yesterday".
    """

    file: str = ""
    line: int = 0
    home: Path | None = None
    clock: Callable[[], datetime] = _now


@dataclass(frozen=True, slots=True)
class Step:
    """One command with its arguments.

    Parameters
    ----------
    command : Command
        The registry's entry.
    values : mapping of str to object
        By field name, as `automation.requests.build_request` takes them.
    confidence : float
        How sure the router is of the command, 0 to 1.
    why : str
        What decided, for a person.
    missing : tuple of str
        Fields that the command needs and the sentence does not name; they are never guessed.
    """

    command: Command
    values: Mapping[str, object] = field(default_factory=dict)
    confidence: float = 1.0
    why: str = ""
    missing: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The command line that a person could type."""
        gaps = " ".join(name.rstrip("_").upper() for name in self.missing)
        return f"{command_text(self.command, self.values)} {gaps}".rstrip()


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in their order.

    Parameters
    ----------
    steps : tuple of Step
        One or more.
    wants_json : bool
        Whether the sentence asks for JSON.
    """

    steps: tuple[Step, ...]
    wants_json: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A sentence that could mean several things.

    Parameters
    ----------
    text : str
        The question, one sentence.
    choices : tuple of Step
        At most three, the likeliest first; each can run.
    """

    text: str
    choices: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sentence that no command answers.

    Parameters
    ----------
    reason : str
        One sentence: what is wrong, what to do.
    """

    reason: str


Routed = Plan | Question | Refusal
