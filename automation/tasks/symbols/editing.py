"""The symbol tools that edit: each makes a patch, which goes the one road as a run like any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automation.codebase.patches import Patch
from automation.codebase.symbol_backend import SymbolBackend
from automation.pipeline.proposals import Proposal
from automation.pipeline.requests import FixRequest
from automation.pipeline.runs import Run, RunStore
from automation.tasks.symbols.requests import EditRequest, InsertRequest, RenameRequest, ReplaceRequest


@dataclass(frozen=True, slots=True)
class SymbolEdit:
    """An edit by symbol that is ready to go the one road.

    Parameters
    ----------
    title : str
        One line in the imperative.
    patch : Patch
        Relative to the repository, made for its present files.
    place : str
        File and name path.
    backend : str
        Whose edit it is.
    """

    title: str
    patch: Patch
    place: str
    backend: str


def replaced(backend: SymbolBackend, request: ReplaceRequest) -> SymbolEdit:
    """Make the edit that replaces a definition."""
    return _edit(backend, request, "Replace", backend.replace(request.relative_path, request.name_path, request.body))


def inserted_before(backend: SymbolBackend, request: InsertRequest) -> SymbolEdit:
    """Make the edit that puts code before a definition."""
    patch = backend.insert_before(request.relative_path, request.name_path, request.body)
    return _edit(backend, request, "Insert before", patch)


def inserted_after(backend: SymbolBackend, request: InsertRequest) -> SymbolEdit:
    """Make the edit that puts code after a definition."""
    patch = backend.insert_after(request.relative_path, request.name_path, request.body)
    return _edit(backend, request, "Insert after", patch)


def renamed(backend: SymbolBackend, request: RenameRequest) -> SymbolEdit:
    """Make the edit that renames a definition and everything that refers to it."""
    patch = backend.rename(request.relative_path, request.name_path, request.new_name)
    return _edit(backend, request, f"Rename to {request.new_name}:", patch)


def keep_run(edit: SymbolEdit, request: EditRequest, root: Path, home: Path) -> Run:
    """Keep an edit as a run that has yet to be worked on, so that ``runs resume`` leads it down the one road.

    Parameters
    ----------
    edit : SymbolEdit
        The change.
    request : EditRequest
        How it is tested and where it lands; never approved beforehand.
    root : Path
        The repository.
    home : Path
        The data home.
    """
    proposal = Proposal(
        kind="edit",
        title=edit.title,
        patch=edit.patch,
        edits=({"proposer": edit.backend, "description": request.reason or edit.title, "place": edit.place},),
        evidence={"asked_over": "MCP", "reason": request.reason},
    )
    asked = FixRequest(path=root, tests=request.tests, land=request.land, max_minutes=request.max_minutes, model="none")
    return RunStore(home).create(asked, proposal.as_json())


def _edit(backend: SymbolBackend, request: EditRequest, verb: str, patch: Patch) -> SymbolEdit:
    place = f"{request.relative_path}::{request.name_path.strip('/')}"
    return SymbolEdit(f"{verb} {place}", patch, place, backend.name)
