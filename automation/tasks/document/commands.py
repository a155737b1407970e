"""The command ``document``: write the docstrings that are missing, mend those that are stale."""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automation.codebase.patches import FileChange, Patch
from automation.codebase.scopes import resolve_scope
from automation.codebase.sources import source_of
from automation.config import load_automation_config
from automation.errors import EditRefused
from automation.models.bound import BoundModel
from automation.models.selection import open_model
from automation.pipeline.proposals import Proposal, land_proposal
from automation.pipeline.requests import FixRequest
from automation.pipeline.result import FixResult
from automation.pipeline.state import Chosen
from automation.tasks.document.drafts import Drafter
from automation.tasks.document.examples import ExampleDesk, seen_calls
from automation.tasks.document.knowledge import Knowledge
from automation.tasks.document.layout import sections_of, style_of
from automation.tasks.document.planning import FilePlan, Open, Planner, Written, add_examples, subjects_of
from automation.tasks.document.readme import with_modules
from automation.tasks.document.requests import DocumentRequest, Style
from automation.tasks.document.results import Coverage, DocumentResult
from automation.tasks.document.words import Writer, deadline_in
from automation.tasks.review.docstrings import documentable
from automation.tasks.review.ground import Ground, ParsedFile
from trading.commands import Progress
from trading.setting_sources import data_home

_README = "README.md"
_USUAL_WIDTH = 88
_MOST_REFUSALS = 5
# More would be too much for one person to read, and for the guard to let through.
_MOST_NEW_LINES = 5_000
_MOST_FILES = 250
# What is left is for the tests of the change.
_SHARE_OF_TIME = 0.5


@dataclass(slots=True)
class _Work:
    """What has been prepared so far."""

    changes: list[FileChange] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    examples: int = 0
    lines: int = 0


def document(request: DocumentRequest) -> Generator[Progress, None, DocumentResult]:
    """Write and mend docstrings, and land them on the road of every change.

    Parameters
    ----------
    request : DocumentRequest
        What is documented, and how.

    Yields
    ------
    Progress
        File by file, then stage by stage of the run.

    Returns
    -------
    DocumentResult
        What was written, what a person has to say, and how it landed.
    """
    yield Progress("reading the repository")
    scope = resolve_scope(request.path, request.target, diff=request.diff, home=request.home)
    ground = Ground(scope, data_home(request.home) / "review")
    model = _model(request)
    try:
        work = yield from _prepared(ground, request, model)
    finally:
        if model is not None:
            model.close()
    before = _coverage(ground)
    added = sum(one.what == "docstring written" for one in work.written)
    patch = Patch(tuple(work.changes))
    run = yield from _landed(scope.label, scope.root, patch, work, request, before)
    return DocumentResult(
        scope=scope.label,
        before=before,
        after=Coverage(before.documented + added, before.total),
        written=tuple(work.written),
        open=tuple(work.open),
        examples=work.examples,
        model="" if model is None else model.name,
        notes=tuple(work.notes),
        diff=patch.diff() if patch.changes else "",
        run=run,
    )


def _model(request: DocumentRequest) -> BoundModel | None:
    return open_model(load_automation_config(), request.model, home=request.home)


def _prepared(ground: Ground, request: DocumentRequest, model: BoundModel | None) -> Generator[Progress, None, _Work]:
    deadline = deadline_in(request.max_minutes * 60 * _SHARE_OF_TIME)
    writer = None if model is None else Writer(model, deadline)
    planner = _planner(ground, request, writer)
    desk = ExampleDesk(ground.root, request.python)
    seen = _calls_seen(ground)
    work = _Work()
    for number, file in enumerate(ground.product.values()):
        yield Progress(f"documenting {file.path}", number, len(ground.product), "files")
        if work.lines > _MOST_NEW_LINES or len(work.changes) >= _MOST_FILES:
            work.notes.append(f"stopped before {file.path}: this is as much as one change may hold; run it again")
            break
        plan = planner.plan(file)
        problem = add_examples(planner, plan, desk, seen) if deadline() > 0 else "there was no time for examples"
        if problem:
            work.notes.append(f"no examples in {file.path}: {problem}")
        _take(work, planner, plan)
    if writer is not None:
        work.notes += [f"words of the model refused: {reason}" for reason in writer.refused[:_MOST_REFUSALS]]
        work.notes += [f"the model was asked no more: {writer.samples.ended}"] if writer.samples.ended else []
    if request.readme:
        _refresh_readme(ground, work)
    return work


def _planner(ground: Ground, request: DocumentRequest, writer: Writer | None) -> Planner:
    style = request.style if request.style is not Style.AUTO else _own_style(ground)
    return Planner(ground, Drafter(Knowledge(ground), writer), style, _width(ground))


def _own_style(ground: Ground) -> Style:
    """Return the layout of the scope's docstrings, or of the repository's where those have no sections."""
    near = list(_docstrings(ground.product.values()))
    return style_of(near if any(sections_of(doc.splitlines()) for doc in near) else _docstrings(ground.around.values()))


def _docstrings(files: Iterable[ParsedFile]) -> Iterator[str]:
    for file in files:
        for each in documentable(file):
            doc = ast.get_docstring(each.node)
            if doc:
                yield doc


def _take(work: _Work, planner: Planner, plan: FilePlan) -> None:
    work.open += plan.open
    if not plan.drafts and not plan.mends:
        return
    path = plan.source.path
    try:
        after = planner.text(plan)
    except EditRefused as error:
        work.notes.append(f"{path} was left alone: {error}")
        return
    work.changes.append(FileChange(path, plan.source.content, after.content))
    work.written += plan.written
    work.lines += len(after.text.splitlines()) - len(plan.source.text.splitlines())
    work.examples += sum(len(sourced.draft.examples) // 2 for _, sourced in plan.drafts.values())


def _calls_seen(ground: Ground) -> dict[str, list[str]]:
    names = frozenset(
        subject.name
        for file in ground.product.values()
        for subject in subjects_of(ground, file)
        if isinstance(subject.node, ast.FunctionDef) and subject.owner is None and not ast.get_docstring(subject.node)
    )
    return seen_calls(ground.every_file(), names) if names else {}


def _refresh_readme(ground: Ground, work: _Work) -> None:
    file = ground.root / _README
    before = file.read_bytes() if file.is_file() else None
    new = {change.path: change.after or b"" for change in work.changes}
    files = [ParsedFile(source_of(path, new[path])) if path in new else each for path, each in ground.around.items()]
    after = with_modules((before or b"").decode("utf-8", "replace"), files).encode()
    if after != (before or b""):
        work.changes.append(FileChange(_README, before, after))
        work.written.append(Written(_README, 1, "modules", "rules", "table of modules refreshed"))


def _width(ground: Ground) -> int:
    for tool in ("ruff", "black"):
        width = ground.tool(tool).get("line-length")
        if isinstance(width, int):
            return width
    return _USUAL_WIDTH


def _coverage(ground: Ground) -> Coverage:
    subjects = [each for file in ground.product.values() for each in subjects_of(ground, file)]
    return Coverage(sum(ast.get_docstring(each.node, clean=False) is not None for each in subjects), len(subjects))


def _landed(
    label: str, root: Path, patch: Patch, work: _Work, request: DocumentRequest, before: Coverage
) -> Generator[Progress, None, FixResult | None]:
    if not patch.changes:
        return None
    mends = sum(one.what.startswith("docstring mended") for one in work.written)
    evidence: Mapping[str, object] = {
        "documented before": str(before),
        "docstrings written": sum(one.what == "docstring written" for one in work.written),
        "docstrings mended": mends,
        "examples run and checked": work.examples,
        "needs a person": len(work.open),
    }
    edits = tuple(
        Chosen(proposer=one.proposer, description=f"{one.name}: {one.what}", place=one.place) for one in work.written
    )
    proposal = Proposal("document", f"Document {label}"[:100], patch, edits, evidence)
    asked = FixRequest(
        path=root,
        tests=request.tests,
        max_minutes=request.max_minutes,
        model="none",
        land=request.land,
        approve=request.approve,
        python=request.python,
        seed=request.seed,
    )
    return (yield from land_proposal(proposal, asked))
