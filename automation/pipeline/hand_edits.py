"""A run's change as a person edits it: its files to begin with, and the command that has the edited ones proven."""

from __future__ import annotations

import getpass
import re
import shutil
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from automation.codebase.patches import Patch, resolve_inside
from automation.errors import EditRefused, StaleSource
from automation.pipeline.change import kept_proposal, proposed_patch
from automation.pipeline.proposals import Proposal, land_proposal
from automation.pipeline.result import FixResult
from automation.pipeline.running import decide
from automation.pipeline.runs import Run, RunStore
from automation.pipeline.state import Chosen, Status
from trading.commands import Progress
from trading.setting_sources import data_home

FOLDER = "edited"
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SETTLED = (Status.FIXED, Status.LANDED, Status.AWAITING_APPROVAL)


@dataclass(frozen=True, slots=True)
class EditedFile:
    """One file of a run's change.

    Parameters
    ----------
    path : str
        Relative to the target.
    before : str or None
        As it is in the target now; None where it does not exist.
    proposed : str
        With the run's change.
    """

    path: str
    before: str | None
    proposed: str


class EditRunRequest(BaseModel):
    """A run whose change a person has edited."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str = Field(description="Id of the run, or its beginning.", json_schema_extra={"positional": True})
    edited: Path | None = Field(None, description="Folder with the changed files; else `edited` in the run's folder.")


def edit_run(request: EditRunRequest) -> Generator[Progress, None, FixResult]:
    """Weigh the edited files as a new proposal; where that stands, the run that they replace is rejected.

    Raises
    ------
    RunNotFound
        When there is no such run.
    EditRefused
        When nothing was edited, or the edited files are those of the target.
    """
    store = RunStore(data_home())
    run = store.find(request.run)
    found = store.result(run)
    folder = request.edited or run.folder / FOLDER
    patch = _patch_of(Path(found.target), folder)
    place = f"{patch.paths[0]}:{_first_line(patch)}"
    proposal = Proposal(
        kind="edit",
        title=f"Edit {', '.join(patch.paths)[:60]} by hand, after run {run.run_id}",
        patch=patch,
        edits=(Chosen(proposer="a person", description=f"edited by hand, after run {run.run_id}", place=place),),
        evidence={
            "edited run": run.run_id,
            "its change": [f"{one['place']}: {one['description']}" for one in found.chosen],
        },
    )
    result = yield from land_proposal(proposal, run.request)
    if found.status is Status.AWAITING_APPROVAL and result.status in _SETTLED:
        reason = f"run {result.run_id} replaces it: a person edited the change"
        yield from decide(store, run, approved=False, by=getpass.getuser(), reason=reason)
    return result


def files_to_edit(run: Run, result: FixResult) -> tuple[EditedFile, ...]:
    """Return the files that a run changes, as they are and with its change.

    Raises
    ------
    StaleSource
        When the target has changed since, so that the change does not fit any more.
    EditRefused
        When there is no change, or it is not text.
    """
    target = Path(result.target)
    kept = kept_proposal(run.folder)
    if kept is not None:
        wanted = {one.path: (one.before, one.after) for one in proposed_patch(kept).changes if one.after is not None}
        for path, (before, _) in wanted.items():
            if _bytes_of(target, path) != before:
                raise StaleSource(f"{path} changed since run {run.run_id} was proposed; reject the run")
        found = [
            EditedFile(path, _text(path, before), _text(path, after) or "") for path, (before, after) in wanted.items()
        ]
    else:
        found = list(_patched_files(target, result.patch))
    if not found:
        raise EditRefused(f"run {run.run_id} has no change that could be edited")
    return tuple(found)


def keep_edit(folder: Path, files: Mapping[str, str]) -> Path:
    """Write edited files into a run's folder and return where; what was there of an earlier edit is replaced.

    Parameters
    ----------
    folder : Path
        The run's own folder.
    files : mapping of str to str
        Text by path, relative to the target.
    """
    place, part = folder / FOLDER, folder / f"{FOLDER}.part"
    for old in (place, part):
        if old.is_dir():
            shutil.rmtree(old)
    part.mkdir()
    for path, text in files.items():
        file = resolve_inside(part, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    # whoever reads it finds all files or none
    return part.rename(place)


def _patch_of(target: Path, folder: Path) -> Patch:
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    after: dict[str, bytes | None] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    patch = Patch.of({path: _bytes_of(target, path) for path in after}, after)
    if not patch.changes:
        raise EditRefused(f"{folder} holds no file that differs from {target}; edit the change first")
    return patch


def _first_line(patch: Patch) -> int:
    blocks = patch.changes[0].replaced_lines()
    return blocks[0][1].start if blocks else 1


def _patched_files(target: Path, diff: str) -> Iterator[EditedFile]:
    for part in re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE):
        lines = part.split("\n")
        new = next((line for line in lines if line.startswith("+++ ")), "")
        if not new or new == "+++ /dev/null":
            # taken away, or no text
            continue
        path = new.removeprefix("+++ ").removeprefix("b/").split("\t")[0]
        before = _text(path, _bytes_of(target, path))
        yield EditedFile(path, before, _applied(path, before or "", lines))


def _applied(path: str, before: str, lines: list[str]) -> str:
    """Return a text with the hunks of a diff; every line of them must be where the diff says."""
    old, new, at = before.split("\n"), [], 0
    wanted = kept = 0
    unended: set[str] = set()
    sign = ""
    for line in lines:
        head = _HUNK.match(line) if not (wanted or kept) else None
        if head is not None:
            wanted, kept = (1 if head[group] is None else int(head[group]) for group in (2, 4))
            # an empty range names the line before it
            start = int(head[1]) - (1 if wanted else 0)
            new += old[at:start]
            at = start
        elif line.startswith("\\"):
            unended.update("-+" if sign == " " else sign)
        elif wanted or kept:
            sign = line[:1] or " "
            if sign in " -":
                if at >= len(old) or old[at] != line[1:]:
                    raise StaleSource(f"{path} changed since the run was made; run the repair again")
                at, wanted = at + 1, wanted - 1
            if sign in " +":
                new.append(line[1:])
                kept -= 1
    return "\n".join([*new, *_rest(old[at:], unended)])


def _rest(lines: list[str], unended: set[str]) -> list[str]:
    # the end of the last line is a line of its own to split and join
    if unended == {"-"}:
        return [*lines, ""]
    return [] if unended == {"+"} and lines == [""] else lines


def _bytes_of(target: Path, path: str) -> bytes | None:
    file = resolve_inside(target, path)
    return file.read_bytes() if file.is_file() else None


def _text(path: str, content: bytes | None) -> str | None:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise EditRefused(f"{path} is not UTF-8 text and cannot be edited here; use another editor") from None
