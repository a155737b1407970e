"""The user's own keybindings.json: GridBot's shortcuts are put in as one marked block, and taken out again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation.interfaces.vscode.documents import keybindings
from automation.interfaces.vscode.jsonc import blanked, read_jsonc, written
from trading.errors import Refused, UsageError

_BEGIN = "// GridBot's shortcuts begin (gridbot vscode install --remove takes them out)"
_END = "// GridBot's shortcuts end"
_FOLDERS = {"code": "Code", "insiders": "Code - Insiders", "codium": "VSCodium", "cursor": "Cursor"}


@dataclass(frozen=True, slots=True)
class Merge:
    """A keybindings.json with GridBot's shortcuts.

    Parameters
    ----------
    text : str
        The whole file.
    keys : tuple of str
        The shortcuts that are in it.
    left_out : mapping of str to str
        Keys that the user has bound to something else, and to what.
    """

    text: str
    keys: tuple[str, ...]
    left_out: Mapping[str, str]


def keybindings_file(editor: str) -> Path:
    """Return where an editor keeps the user's shortcuts.

    Raises
    ------
    UsageError
        When the folder cannot be known.
    """
    folder = _FOLDERS[editor]
    if sys.platform == "win32":
        base = os.environ.get("APPDATA")
        if not base:
            raise UsageError("APPDATA is not set, so that VS Code's folder is unknown; name it with --file")
        return Path(base) / folder / "User" / "keybindings.json"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / folder / "User" / "keybindings.json"
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / folder / "User" / "keybindings.json"


def with_shortcuts(text: str, where: str, *, force: bool) -> Merge:
    """Return the user's file with GridBot's shortcuts in it; every character of the user's stays.

    Parameters
    ----------
    text : str
        What the file holds; empty when there is none.
    where : str
        The file, for errors.
    force : bool
        Whether keys that the user has bound are taken all the same.

    Raises
    ------
    Refused
        When the file holds no list.
    """
    own = without_shortcuts(text)
    bound = _bound(own, where)
    ours = keybindings()
    left_out = {} if force else {str(each["key"]): bound[str(each["key"])] for each in ours if each["key"] in bound}
    taken = [each for each in ours if each["key"] not in left_out]
    entries = ",\n".join(written(each).strip() for each in taken)
    keys = tuple(str(each["key"]) for each in taken)
    if not own.strip():
        return Merge(f"[\n{_BEGIN}\n{entries}\n{_END}\n]\n", keys, left_out)
    plain = blanked(own)
    inside = plain[: plain.rindex("]")].rstrip()
    # the comma belongs to the block, so that what is left without it is the user's file to the last character
    comma = "" if inside.endswith(("[", ",")) else ","
    block = f"\n{_BEGIN}\n{comma}{entries}\n{_END}\n"
    return Merge(own[: len(inside)] + block + own[len(inside) :], keys, left_out)


def without_shortcuts(text: str) -> str:
    """Return a file without GridBot's block; a text without one is returned as it is."""
    begin = text.find(_BEGIN)
    end = text.find(_END, begin)
    if begin < 0 or end < 0:
        return text
    return text[:begin].removesuffix("\n") + text[end + len(_END) :].removeprefix("\n")


def _bound(text: str, where: str) -> dict[str, str]:
    value = read_jsonc(text, where)
    if value is None:
        return {}
    if not isinstance(value, list):
        raise Refused(f"{where} should hold a list of shortcuts; mend it and try again")
    return {
        str(each["key"]).lower().replace(" ", ""): str(each.get("command", ""))
        for each in value
        if isinstance(each, dict) and "key" in each and not str(each.get("command", "")).startswith("-")
    }
