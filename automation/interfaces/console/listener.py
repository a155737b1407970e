"""What a line at the prompt leads to: an exact command runs; a sentence is understood, shown, and then runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from automation.interfaces.command_line import PROGRAM, ParsedLine, parse_line
from automation.interfaces.console.background import in_background
from automation.interfaces.console.dialogs import Choose, ShowPlan
from automation.interfaces.console.jobs import Job
from trading.commands import Face
from trading.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from automation.assistant.answers import Plan, Question, Refusal, Routed, Step
    from automation.assistant.router import Router
    from automation.interfaces.console.app import ConsoleApp

_GO_ON = (ExitCode.DONE, ExitCode.NOTHING_TO_DO)


class Listener:
    """Understands what is typed at the prompt.

    Parameters
    ----------
    app : ConsoleApp
        Where commands run and questions are asked.
    """

    def __init__(self, app: ConsoleApp) -> None:
        self._app = app
        self._context = app.context
        self._router: Router | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Have the router ready before the first sentence."""
        in_background(self._app, self._opened, lambda _: None, self._app.complain)

    def hear(self, line: str) -> None:
        """Do what a line says.

        Parameters
        ----------
        line : str
            A command line, with or without the program's name, or plain English.
        """
        self._app.prompt.think(True)
        in_background(self._app, partial(self._understand, line), self._heard, self._failed)

    def _understand(self, line: str) -> ParsedLine | Routed:
        try:
            parsed = parse_line(self._context.registry, line)
        except UsageError:
            # what begins like a command and is none may still be a sentence: "stop the paper session"
            if line.split(maxsplit=1)[0] == PROGRAM or " " not in line:
                raise
            return self._routed(line)
        sentence = parsed.values.get("sentence") if parsed.command.name == "ask" else None
        return self._routed(str(sentence)) if sentence else parsed

    def _routed(self, line: str) -> Routed:
        router = self._opened()
        with self._lock:
            return router.route(line)

    def _opened(self) -> Router:
        from automation.assistant.answers import Context
        from automation.assistant.opening import open_router

        with self._lock:
            if self._router is None:
                context = Context(home=self._context.home)
                self._router = open_router(self._context.root, context=context, registry=self._context.registry)
                self._router.warm()
            return self._router

    def _failed(self, problem: str) -> None:
        self._app.prompt.think(False)
        self._app.complain(problem)

    def _heard(self, found: ParsedLine | Routed) -> None:
        from automation.assistant.answers import Plan, Question

        self._app.prompt.think(False)
        if isinstance(found, ParsedLine):
            if found.help:
                self._app.open_form(found.command.name, found.values)
            else:
                self._app.run_command(found.command.name, found.values, show=True)
        elif isinstance(found, Plan):
            self._planned(found)
        elif isinstance(found, Question):
            self._asked(found)
        else:
            self._refused(found)

    def _planned(self, plan: Plan) -> None:
        if len(plan.steps) == 1:
            self._run(plan.steps)
            return

        def agreed(yes: bool | None) -> None:
            if yes:
                self._run(plan.steps)

        self._app.push_screen(ShowPlan([step.text for step in plan.steps]), agreed)

    def _asked(self, question: Question) -> None:
        def chosen(number: int | None) -> None:
            if number is not None:
                self._run((question.choices[number],))

        choices = [(step.text, step.command.summary) for step in question.choices]
        self._app.push_screen(Choose(question.text, choices), chosen)

    def _refused(self, refusal: Refusal) -> None:
        self._app.notify(refusal.reason, severity="warning", markup=False, timeout=8)

    def _run(self, steps: Sequence[Step]) -> None:
        step, later = steps[0], steps[1:]
        if step.missing:
            self._app.open_form(step.command.name, _values(step))
            return
        self._app.notify(step.text, title="understood", markup=False)

        def ended(job: Job) -> None:
            code = job.ended.exit_code if job.ended is not None else None
            if later and code in _GO_ON:
                self._run(later)
            elif later:
                self._app.complain(f"the plan ends here: {job.command.name} ended with {code}")

        self._app.desk.run(step.command.name, _values(step), ended, face=Face.ENGLISH, show=True)


def _values(step: Step) -> dict[str, object]:
    plain: dict[str, object] = TypeAdapter(dict[str, object]).dump_python(dict(step.values), mode="json")
    return plain
