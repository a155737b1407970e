"""The commands `vscode sync` and `vscode install`."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from automation.interfaces.vscode.requests import InstallRequest, SyncRequest
from automation.interfaces.vscode.results import InstallResult, SyncResult
from automation.interfaces.vscode.shortcuts import Merge, keybindings_file, with_shortcuts, without_shortcuts
from automation.interfaces.vscode.syncing import wanted_files
from automation.registry import gridbot_registry
from trading.commands import Progress
from trading.errors import Refused
from trading.report.pages import write_whole


def sync(request: SyncRequest) -> Generator[Progress, None, SyncResult]:
    """Write ``.vscode/`` anew from the registry, or say what is out of step."""
    yield Progress("reading the registry")
    wanted = wanted_files(gridbot_registry(), request.path.resolve())
    changed = tuple(path for path, text in wanted.items() if _text(path) != text)
    if not request.check:
        for path in changed:
            _write(path, wanted[path])
    return SyncResult(changed, tuple(path for path in wanted if path not in changed), request.check)


def install(request: InstallRequest) -> Generator[Progress, None, InstallResult]:
    """Merge GridBot's shortcuts into the user's own keybindings.json, or take them out again."""
    yield Progress("reading the shortcuts")
    file = request.file or keybindings_file(request.editor)
    before = _text(file)
    if request.remove:
        merge = Merge(without_shortcuts(before), (), {})
    else:
        merge = with_shortcuts(before, str(file), force=request.force)
    if merge.text == before:
        return InstallResult(file, None, merge.keys, merge.left_out, changed=False)
    backup = file.with_name(f"{file.name}.before-gridbot") if before else None
    if backup is not None:
        _write(backup, before)
    _write(file, merge.text)
    return InstallResult(file, backup, merge.keys, merge.left_out, changed=True)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise Refused(
            f"{path} cannot be written ({error.strerror or error}); see to its folder and try again"
        ) from error
