"""The command ``ask``: a sentence is understood, shown, agreed to where that is due, and run."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console

from automation.assistant.answers import Context, Plan, Question, Refusal, Routed, Step
from automation.assistant.asking import ask_consent, ask_missing, choose
from automation.assistant.opening import open_router
from automation.assistant.requests import AskRequest
from automation.assistant.results import AskResult, Outcome, StepDone, plan_text
from automation.registry import gridbot_registry
from automation.requests import build_request
from trading.commands import News, Result
from trading.commands import Step as Told
from trading.errors import ExitCode, GridBotError

FILE_VARIABLE = "GRIDBOT_FILE"
# What one of these finds is no failure when the next step takes it up.
_FINDERS = frozenset({"incidents", "review", "explain"})
_TAKES_UP = "fix"
_WIDTH = 120
_WELL = (ExitCode.DONE, ExitCode.NOTHING_TO_DO)


def ask(request: AskRequest) -> Generator[Told, None, AskResult]:
    """Understand a sentence and run what it means.

    Parameters
    ----------
    request : AskRequest
        The sentence, and where it is said.

    Yields
    ------
    News
        The command lines that were understood, before they run; then what the commands tell.
    Progress
        Of the commands.

    Returns
    -------
    AskResult
        Every step with its result; the choices when the sentence is unclear; the reason when nothing fits.

    Raises
    ------
    Refused
        When a person's consent is due and not given.
    UsageError
        When the sentence leaves out what a command needs.
    """
    if not request.sentence.strip():
        return AskResult("", Outcome.LISTED, phrases=_phrases())
    routed = _settled(_route(request), request)
    if isinstance(routed, Refusal):
        return AskResult(request.sentence, Outcome.REFUSED, reason=routed.reason)
    if isinstance(routed, Question):
        return AskResult(request.sentence, Outcome.ASKED, tuple(map(StepDone, routed.choices)), routed.text)
    steps = [_placed(step, request) for step in routed.steps]
    if request.dry_run:
        return AskResult(request.sentence, Outcome.PLANNED, tuple(map(StepDone, steps)))
    if [step.command.name for step in steps] == ["ask"]:
        return AskResult(request.sentence, Outcome.LISTED, phrases=_phrases())
    return (yield from _carried_out(steps, request, wants_json=routed.wants_json))


def _route(request: AskRequest) -> Routed:
    file = request.file or (Path(os.environ[FILE_VARIABLE]) if os.environ.get(FILE_VARIABLE) else None)
    context = Context("" if file is None else _inside(file, request.path), request.line, request.home)
    return open_router(request.path, context=context).route(request.sentence)


def _inside(file: Path, root: Path) -> str:
    full = (file if file.is_absolute() else root / file).resolve()
    own = root.resolve()
    return full.relative_to(own).as_posix() if full.is_relative_to(own) else str(file)


def _settled(routed: Routed, request: AskRequest) -> Routed:
    """Let the model, then the person, answer a question."""
    if not isinstance(routed, Question) or request.dry_run:
        return routed
    chosen = None
    if request.model != "none":
        from automation.assistant.choosing import chosen_by_model

        chosen = chosen_by_model(request.sentence, routed.choices, request.model, request.home)
    chosen = chosen or choose(routed.text, routed.choices)
    return routed if chosen is None else Plan((chosen,))


def _placed(step: Step, request: AskRequest) -> Step:
    """Add the repository and the data home that the sentence was said in."""
    fields = step.command.load_request().model_fields
    added: dict[str, object] = {}
    if "home" in fields and request.home is not None:
        added["home"] = request.home
    if "path" in fields and "path" not in step.values and request.path != Path():
        added["path"] = request.path
    return replace(step, values={**step.values, **added})


def _carried_out(steps: Sequence[Step], request: AskRequest, *, wants_json: bool) -> Generator[Told, None, AskResult]:
    yield News({"event": "understood", "steps": [step.text for step in steps]}, plan_text(list(steps)))
    steps = [replace(step, values={**step.values, **ask_missing(step)}, missing=()) for step in steps]
    requests = [build_request(step.command.load_request(), step.values, step.command.name) for step in steps]
    # all questions come before the first step, whose progress would write over them
    ask_consent(steps, yes=request.yes)
    done: list[StepDone] = []
    for number, (step, own) in enumerate(zip(steps, requests, strict=True), 1):
        if len(steps) > 1:
            yield News({"event": "step", "number": number, "command_line": step.text}, f"\n{number}. {step.text}")
        done.append((yield from _one(step, own, alone=len(steps) == 1)))
        if len(steps) > 1:
            yield _told(number, done[-1])
        following = steps[number].command.name if number < len(steps) else ""
        if not _goes_on(done[-1], following):
            break
    done += [StepDone(step, error="not run, as a step before it failed") for step in steps[len(done) :]]
    return AskResult(request.sentence, Outcome.RAN, tuple(done), wants_json=wants_json)


def _one(step: Step, request: BaseModel, *, alone: bool) -> Generator[Told, None, StepDone]:
    try:
        result: Result = yield from step.command.load_function()(request)
    except GridBotError as error:
        if alone:
            raise
        return StepDone(step, error=" ".join(str(error).split()), code=error.exit_code)
    return StepDone(step, result, code=result.exit_code)


def _told(number: int, done: StepDone) -> News:
    shown = done.error if done.result is None else _rendered(done.result)
    return News({"event": "result", "number": number, **done.as_json()}, shown)


def _rendered(result: Result) -> str:
    target = io.StringIO()
    width = shutil.get_terminal_size((_WIDTH, 0)).columns
    console = Console(file=target, width=width, highlight=False, emoji=False)
    text = result.as_text()
    console.print(text, markup=False, soft_wrap=isinstance(text, str))
    return target.getvalue().rstrip("\n")


def _goes_on(done: StepDone, following: str) -> bool:
    if done.code in _WELL:
        return True
    found = done.step.command.name in _FINDERS and following == _TAKES_UP
    return found and done.code is ExitCode.FAILED and done.result is not None


def _phrases() -> dict[str, str]:
    return {command.name: command.phrases[0] for command in gridbot_registry() if command.phrases}
