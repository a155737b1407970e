"""What came of a sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rich.console import RenderableType

from automation.assistant.answers import Step
from automation.requests import command_words
from trading.commands import Result
from trading.errors import ExitCode


class Outcome(StrEnum):
    """What was done with a sentence."""

    RAN = "ran"
    PLANNED = "planned"
    ASKED = "asked"
    REFUSED = "refused"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step of a plan, and what came of it.

    Parameters
    ----------
    step : Step
        What was understood.
    result : Result or None
        None when it did not run, or ended with an error.
    error : str
        The sentence of the error, or of why it did not run.
    code : ExitCode or None
        None when it did not run.
    """

    step: Step
    result: Result | None = None
    error: str = ""
    code: ExitCode | None = None

    def as_json(self) -> dict[str, object]:
        """Return the step as plain JSON data."""
        return {
            "command": self.step.command.name,
            "command_line": self.step.text,
            "words": command_words(self.step.command, self.step.values),
            "values": {name: _plain(value) for name, value in self.step.values.items()},
            "missing": list(self.step.missing),
            "confidence": self.step.confidence,
            "why": self.step.why,
            "exit_code": None if self.code is None else int(self.code),
            "error": self.error or None,
            "result": None if self.result is None else self.result.as_json(),
        }


@dataclass(frozen=True, slots=True)
class AskResult:
    """What came of a sentence.

    Parameters
    ----------
    sentence : str
        As it was said.
    outcome : Outcome
        What was done.
    steps : tuple of StepDone
        The steps of the plan; the choices of a question.
    reason : str
        Why nothing ran, or what is asked; one sentence.
    phrases : mapping of str to str
        An example of what can be said, by command; only in a list.
    wants_json : bool
        Whether the sentence asked for JSON.
    """

    sentence: str
    outcome: Outcome
    steps: tuple[StepDone, ...] = ()
    reason: str = ""
    phrases: Mapping[str, str] = field(default_factory=dict)
    wants_json: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The first failing step's; of a question USAGE, of a refusal REFUSED."""
        if self.outcome is Outcome.ASKED:
            return ExitCode.USAGE
        if self.outcome is Outcome.REFUSED:
            return ExitCode.REFUSED
        codes = [done.code for done in self.steps if done.code is not None]
        if not codes:
            return ExitCode.DONE
        # a plan stops at the step that failed, so that the last one that ran tells how all went
        return ExitCode.DONE if len(codes) > 1 and codes[-1] is ExitCode.NOTHING_TO_DO else codes[-1]

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON data."""
        return {
            "sentence": self.sentence,
            "outcome": self.outcome.value,
            "reason": self.reason or None,
            "steps": [done.as_json() for done in self.steps],
            **({"phrases": dict(self.phrases)} if self.phrases else {}),
        }

    def as_text(self) -> RenderableType:
        """Return the results of the steps; the choices; or what can be said."""
        if self.wants_json and self.outcome is Outcome.RAN:
            return json.dumps(self.as_json(), ensure_ascii=False, default=str)
        if self.outcome is Outcome.LISTED:
            return _listing(self.phrases)
        if self.outcome in (Outcome.ASKED, Outcome.REFUSED):
            numbered = [f"  {number}. {done.step.text}" for number, done in enumerate(self.steps, 1)]
            return "\n".join([f"{self.reason[:1].upper()}{self.reason[1:]}", *numbered])
        if self.outcome is Outcome.PLANNED:
            return plan_text([done.step for done in self.steps])
        if len(self.steps) == 1 and self.steps[0].result is not None:
            return self.steps[0].result.as_text()
        return "\n".join(f"{number}. {done.step.text}: {_end(done)}" for number, done in enumerate(self.steps, 1))


def plan_text(steps: list[Step]) -> str:
    """Return the command lines of a plan, numbered when there are several."""
    if len(steps) == 1:
        return steps[0].text
    return "\n".join(f"{number}. {step.text}" for number, step in enumerate(steps, 1))


def _end(done: StepDone) -> str:
    if done.error:
        return done.error
    return "done" if done.code in (ExitCode.DONE, None) else done.code.name.lower().replace("_", " ")


def _listing(phrases: Mapping[str, str]) -> RenderableType:
    width = max((len(name) for name in phrases), default=0)
    lines = ["Say what you want; for example:", ""]
    lines += [f"  {name:<{width}}  {phrase}" for name, phrase in phrases.items()]
    return "\n".join([*lines, "", "Several wishes become a plan: run the tests, fix what fails, then document it."])


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)
