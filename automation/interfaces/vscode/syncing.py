"""Writing ``.vscode/``: what GridBot generates is replaced, what a person added stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automation.interfaces.vscode.catalogue import PREFIXES
from automation.interfaces.vscode.documents import Json, documents
from automation.interfaces.vscode.jsonc import read_jsonc, written
from trading.commands import Registry
from trading.errors import Refused

HEADER = "Written by `gridbot vscode sync` from the command registry; entries of your own are kept."
# Lists whose entries are GridBot's by their name; everything else in them is a person's.
_NAMES = {"tasks": "label", "configurations": "name", "inputs": "id"}
_OWN_INPUT = "gridbot-"


def wanted_files(registry: Registry, folder: Path) -> dict[Path, str]:
    """Return the text that each file of a workspace's ``.vscode/`` should have.

    Parameters
    ----------
    registry : Registry
        The commands.
    folder : Path
        The workspace.

    Raises
    ------
    Refused
        When a file that is there is no JSON.
    """
    texts = {}
    for name, generated in documents(registry).items():
        path = folder / ".vscode" / name
        present = read_jsonc(path.read_text(encoding="utf-8"), str(path)) if path.is_file() else None
        texts[path] = written(_merged(generated, present, str(path)), HEADER)
    return texts


def _merged(generated: Json | list[Json], present: object, where: str) -> object:
    if isinstance(generated, list):
        return _merged_list(generated, present, "key", where) if present is not None else generated
    if present is None:
        return generated
    if not isinstance(present, dict):
        raise Refused(f"{where} should hold an object; move it away and try again")
    merged: Json = {**present}
    for key, value in generated.items():
        if key in _NAMES and isinstance(value, list):
            merged[key] = _merged_list(value, present.get(key), _NAMES[key], where)
        elif key == "recommendations" and isinstance(value, list):
            merged[key] = list(dict.fromkeys([*value, *_listed(present.get(key), where)]))
        elif key == "servers" and isinstance(value, dict):
            others = present.get(key)
            merged[key] = {**(others if isinstance(others, dict) else {}), **value}
        else:
            merged[key] = value
    return merged


def _merged_list(generated: Sequence[object], present: object, name: str, where: str) -> list[object]:
    own = {each.get(name) for each in generated if isinstance(each, dict)}
    kept = [
        each
        for each in _listed(present, where)
        if isinstance(each, dict) and each.get(name) not in own and not _is_ours(str(each.get(name)))
    ]
    return [*generated, *kept]


def _is_ours(name: str) -> bool:
    return name.startswith((*PREFIXES, _OWN_INPUT))


def _listed(value: object, where: str) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Refused(f"{where} holds no list where VS Code wants one; mend it and try again")
    return value
