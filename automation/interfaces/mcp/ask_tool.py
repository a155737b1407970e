"""Plain English as a tool: a sentence becomes a plan, and every step of it has to be one that a program may run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import TypeAdapter

from automation.assistant.answers import Context as Known
from automation.assistant.answers import Question, Refusal, Routed, Step
from automation.assistant.requests import AskRequest
from automation.interfaces.execution import Ended
from automation.interfaces.mcp.command_tools import Runner, checked_values
from automation.interfaces.mcp.schemas import given_values, input_schema
from automation.interfaces.mcp.tools import Answer, make_tool, refused, told
from automation.requests import build_request
from trading.commands import Command, Registry
from trading.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from automation.assistant.router import Router

ASK = "ask"
# A plan goes on after these: done, a finding that the next step may be about, nothing to do.
_GOES_ON = {ExitCode.DONE, ExitCode.FAILED, ExitCode.NOTHING_TO_DO}
# The server's own repository, and answers that are a person's to give.
_NOT_ASKED = {"path", "yes", "model"}
_OUTPUT: Mapping[str, object] = {
    "type": "object",
    "properties": {
        "understood": {"enum": ["plan", "question"]},
        "commands": {"type": "array", "items": {"type": "string"}, "description": "command lines, or the choices"},
        "steps": {"type": "array", "items": {"type": "object"}, "description": "what ran, with its result or error"},
    },
    "required": ["understood", "commands", "steps"],
}
_Checked = tuple[Command, Mapping[str, object]]


class Interpreter:
    """The router in a thread of its own, opened with the first sentence, and what runs its plans.

    Parameters
    ----------
    registry : Registry
        The commands.
    runner : Runner
        Runs them.
    folder, home : Path
        The repository and the data home.
    """

    def __init__(self, registry: Registry, runner: Runner, folder: Path, home: Path) -> None:
        self._registry = registry
        self._runner = runner
        self._folder = folder
        self._home = home
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sentences")
        self._router: Router | None = None

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    async def answer(self, request: AskRequest, context: Context) -> Answer:
        """Answer a sentence: run its plan, show it, ask back, or refuse.

        Raises
        ------
        UsageError
            When a step may not be run by a program, or lacks an argument.
        """
        known = Known(str(request.file or ""), request.line, self._home)
        routed = await asyncio.wrap_future(self._thread.submit(self._route, request.sentence, known))
        if isinstance(routed, Refusal):
            return refused(routed.reason)
        if isinstance(routed, Question):
            choices = [step.text for step in routed.choices]
            return told("\n".join([routed.text, *(f"- `{each}`" for each in choices)]), _data("question", choices, []))
        lines = [step.text for step in routed.steps]
        steps = [_checked(step) for step in routed.steps]
        if request.dry_run:
            return told("\n".join(lines), _data("plan", lines, []))
        # before the first step runs: a client that is asked calls again from the beginning
        stopped = await self._runner.stopped(steps, context)
        return stopped if stopped is not None else await self._run(lines, steps, context)

    async def _run(self, lines: Sequence[str], steps: Sequence[_Checked], context: Context) -> CallToolResult:
        done: list[Mapping[str, object]] = []
        texts: list[str] = []
        failed = False
        for line, (command, values) in zip(lines, steps, strict=True):
            ended = await self._runner.start(command, values, context)
            done.append(_row(line, ended))
            texts.append(f"$ {line}\n{ended.text}")
            failed = ended.error is not None
            if failed or ended.exit_code not in _GOES_ON:
                break
        texts += [f"not run: {line}" for line in lines[len(done) :]]
        return told("\n\n".join(texts), _data("plan", lines, done), is_error=failed)

    def _route(self, sentence: str, known: Known) -> Routed:
        # what it takes to understand a sentence loads with the first one
        from automation.assistant.opening import open_router

        if self._router is None:
            self._router = open_router(self._folder, context=known, registry=self._registry)
        return self._router.route(sentence, known)


def ask_tool(interpreter: Interpreter) -> Tool:
    """Return the tool that understands plain English."""
    schema = input_schema(AskRequest)
    fields = schema["properties"]
    kept = {name: field for name, field in fields.items() if name not in _NOT_ASKED} if isinstance(fields, dict) else {}

    async def run(arguments: Mapping[str, object], context: Context) -> Answer:
        unknown = sorted(arguments.keys() - kept.keys())
        if unknown:
            raise UsageError(f"{ASK} has no argument {unknown[0]!r}; it has {', '.join(sorted(kept))}")
        request = build_request(AskRequest, given_values(AskRequest, arguments), ASK)
        return await interpreter.answer(request, context)

    summary = (
        "Say in plain English what you want; the commands that do it run, one after the other. What a program may not "
        "run is refused with its command line. `dry_run` only shows the commands."
    )
    return make_tool(
        ASK,
        summary,
        {**schema, "properties": kept, "required": ["sentence"]},
        _OUTPUT,
        ToolAnnotations(title=ASK, read_only_hint=False, destructive_hint=True),
        run,
    )


def _checked(step: Step) -> _Checked:
    if step.command.name == ASK:
        raise UsageError("a sentence cannot ask for another sentence; say what you want")
    if step.missing:
        raise UsageError(f"`{step.text}` needs {', '.join(step.missing)}; say it in the sentence")
    values = TypeAdapter(dict[str, object]).dump_python(dict(step.values), mode="json")
    return step.command, checked_values(step.command, values)


def _row(line: str, ended: Ended) -> Mapping[str, object]:
    return {"command": line, "exit_code": ended.exit_code, "result": ended.result, "error": ended.error}


def _data(understood: str, commands: Sequence[str], steps: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
    return {"understood": understood, "commands": list(commands), "steps": list(steps)}
