"""Questions to the person at the terminal, and what happens when there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from automation.assistant.answers import Step
from trading.commands import Face, Permission, Risk, permission
from trading.errors import Refused, UsageError


def has_person() -> bool:
    """Say whether somebody can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def needs_consent(step: Step, *, yes: bool) -> bool:
    """Say whether a person must agree before a step runs.

    Parameters
    ----------
    step : Step
        What is to run.
    yes : bool
        Whether consent was given beforehand; it never covers real money, nor what only a person may do.
    """
    command = step.command
    if permission(command, Face.ENGLISH) is not Permission.ASK:
        return False
    return not yes or command.risk is Risk.MONEY or command.by_person


def ask_consent(steps: Sequence[Step], *, yes: bool) -> None:
    """Ask for every step that needs it; return when all may run.

    Raises
    ------
    Refused
        When nobody can be asked, or the answer is no.
    """
    for step in steps:
        if not needs_consent(step, yes=yes):
            continue
        if not has_person():
            raise Refused(
                f"{step.command.name!r} is not run from a sentence without a person's consent; "
                f"run it yourself: {step.text}"
            )
        if not _agreed(step):
            raise Refused(f"not run, as you did not agree: {step.text}")


def choose(question: str, choices: Sequence[Step]) -> Step | None:
    """Let the person choose; None when nobody is there, or none was taken."""
    if not has_person() or not choices:
        return None
    lines = [f"{number}. {step.text}" for number, step in enumerate(choices, 1)]
    answer = _answer("\n".join([question, *lines, f"1 to {len(choices)}, or nothing: "]))
    return choices[int(answer) - 1] if answer.isdigit() and 1 <= int(answer) <= len(choices) else None


def ask_missing(step: Step) -> dict[str, object]:
    """Ask for the values that a step lacks.

    Raises
    ------
    UsageError
        When nobody can be asked, or nothing is answered; it names what is missing.
    """
    given: dict[str, object] = {}
    for name in step.missing:
        word = name.rstrip("_").upper()
        meaning = step.command.load_request().model_fields[name].description or ""
        answer = _answer(f"{step.command.name}: {word} ({meaning})? ") if has_person() else ""
        if not answer:
            raise UsageError(f"the sentence does not say {word} ({meaning}); say it, or run: {step.text}")
        given[name] = [answer] if _is_list(step, name) else answer
    return given


def _agreed(step: Step) -> bool:
    if step.command.risk is Risk.MONEY:
        name = step.command.name
        return _answer(f"This touches real money: {step.text}\nType {name} to run it: ") == name
    return _answer(f"Run {step.text}? [y/N] ").lower() in {"y", "yes"}


def _answer(question: str) -> str:
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    return line.strip()


def _is_list(step: Step, name: str) -> bool:
    return "list[" in str(step.command.load_request().model_fields[name].annotation)
