"""Symbol tools: reading answers at once, editing makes a patch that goes the one road as a run."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations

from automation.codebase.symbol_backend import SymbolBackend
from automation.interfaces.mcp.command_tools import Runner
from automation.interfaces.mcp.schemas import ANY_OUTPUT, given_values, input_schema
from automation.interfaces.mcp.tools import Answer, make_tool, told
from automation.requests import build_request
from automation.tasks.symbols.editing import (
    SymbolEdit,
    inserted_after,
    inserted_before,
    keep_run,
    renamed,
    replaced,
)
from automation.tasks.symbols.reading import find_references, find_symbols, search_text, symbols_overview
from automation.tasks.symbols.requests import (
    EditRequest,
    FindRequest,
    InsertRequest,
    OverviewRequest,
    PatternRequest,
    ReferencesRequest,
    RenameRequest,
    ReplaceRequest,
    SymbolRequest,
)
from trading.commands import Registry

T = TypeVar("T")
R = TypeVar("R", bound=SymbolRequest)
_RESUME = "runs resume"
_ROAD = (
    "The change is made in a private copy, guarded and verified by the whole test suite, and lands on a branch of its "
    "own; paths that always ask, and large changes, wait for a person's `gridbot runs approve`. `dry_run` only returns "
    "the diff."
)


@dataclass(frozen=True, slots=True)
class ReadTool:
    """A symbol tool that reads.

    Parameters
    ----------
    name, summary : str
        As it is offered.
    request : type of SymbolRequest
        Its input.
    read : callable
        Takes the backend, the repository and the request, and returns plain JSON.
    """

    name: str
    summary: str
    request: type[SymbolRequest]
    read: Callable[..., Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class EditTool:
    """A symbol tool that edits.

    Parameters
    ----------
    name, summary : str
        As it is offered.
    request : type of EditRequest
        Its input.
    make : callable
        Takes the backend and the request, and returns the edit.
    """

    name: str
    summary: str
    request: type[EditRequest]
    make: Callable[..., SymbolEdit]


READ_TOOLS = (
    ReadTool("get_symbols_overview", "List what a Python file defines.", OverviewRequest, symbols_overview),
    ReadTool("find_symbol", "Find classes, functions, methods and constants.", FindRequest, find_symbols),
    ReadTool("find_referencing_symbols", "Find all places that lead to a symbol.", ReferencesRequest, find_references),
    ReadTool("search_for_pattern", "Search Python files with a regular expression.", PatternRequest, search_text),
)
EDIT_TOOLS = (
    EditTool("replace_symbol_body", "Replace a whole definition.", ReplaceRequest, replaced),
    EditTool("insert_after_symbol", "Insert code after a definition.", InsertRequest, inserted_after),
    EditTool("insert_before_symbol", "Insert code before a definition.", InsertRequest, inserted_before),
    EditTool("rename_symbol", "Rename a definition and all that refers to it.", RenameRequest, renamed),
)


class SymbolDesk:
    """A backend in a thread of its own, opened when it is first needed.

    Parameters
    ----------
    root, home : Path
        The repository and the data home.
    open_backend : callable
        Opens the backend; called in that thread.
    """

    def __init__(self, root: Path, home: Path, open_backend: Callable[[], SymbolBackend]) -> None:
        self.root = root
        self.home = home
        self._open = open_backend
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="symbols")
        self._backend: SymbolBackend | None = None

    async def use(self, work: Callable[[SymbolBackend], T]) -> T:
        """Do some work with the backend."""
        return await asyncio.wrap_future(self._thread.submit(lambda: work(self._ready())))

    def close(self) -> None:
        """Close the backend and end the thread."""

        def end() -> None:
            if self._backend is not None:
                self._backend.close()

        self._thread.submit(end).result()
        self._thread.shutdown()

    def _ready(self) -> SymbolBackend:
        if self._backend is None:
            self._backend = self._open()
        return self._backend


def symbol_tools(desk: SymbolDesk, registry: Registry, runner: Runner) -> Iterator[Tool]:
    """Yield the symbol tools; edits are led down the one road by the command ``runs resume``."""
    for reader in READ_TOOLS:
        yield _reading(reader, desk)
    for editor in EDIT_TOOLS:
        yield _editing(editor, desk, registry, runner)


def _reading(tool: ReadTool, desk: SymbolDesk) -> Tool:
    async def run(arguments: Mapping[str, object], context: Context) -> Answer:
        request = _request(tool.request, arguments, tool.name)
        found = await desk.use(lambda backend: tool.read(backend, desk.root, request))
        return told(json.dumps(found, ensure_ascii=False, indent=1), found)

    annotations = ToolAnnotations(title=tool.name, read_only_hint=True, open_world_hint=False)
    return make_tool(tool.name, tool.summary, input_schema(tool.request), ANY_OUTPUT, annotations, run)


def _editing(tool: EditTool, desk: SymbolDesk, registry: Registry, runner: Runner) -> Tool:
    async def run(arguments: Mapping[str, object], context: Context) -> Answer:
        request = _request(tool.request, arguments, tool.name)
        edit = await desk.use(lambda backend: tool.make(backend, request))
        diff = edit.patch.diff()
        if request.dry_run:
            return told(diff, {"status": "dry_run", "title": edit.title, "diff": diff})
        kept = await desk.use(lambda _: keep_run(edit, request, desk.root, desk.home))
        answer = await runner.run(registry[_RESUME], {"run": kept.run_id}, context)
        return answer if isinstance(answer, InputRequiredResult) else _shortened(answer, edit, diff)

    annotations = ToolAnnotations(title=tool.name, read_only_hint=False, destructive_hint=False, open_world_hint=False)
    return make_tool(tool.name, f"{tool.summary} {_ROAD}", input_schema(tool.request), ANY_OUTPUT, annotations, run)


def _shortened(answer: CallToolResult, edit: SymbolEdit, diff: str) -> CallToolResult:
    """Return of a run what an edit's caller needs: how it stands, where it landed, what the tests said."""
    run = (answer.structured_content or {}).get("result")
    if answer.is_error or not isinstance(run, dict):
        return answer
    names = ("run_id", "status", "reason", "branch", "commit", "landed", "tests_before", "tests_after")
    data = {"title": edit.title, **{name: run.get(name) for name in names}, "diff": diff}
    return CallToolResult(content=answer.content, structured_content={**data, "guard": run.get("guard_findings")})


def _request(model: type[R], arguments: Mapping[str, object], tool: str) -> R:
    return build_request(model, given_values(model, arguments), tool)
