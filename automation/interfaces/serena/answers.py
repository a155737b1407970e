"""What Serena's tools answer, read as symbols and references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from automation.codebase.symbol_views import Reference, SymbolView
from automation.errors import WorkspaceFailed

_MARKED = re.compile(r"^\s*>\s*(\d+):(.*)$")
_INDEX = re.compile(r"\[\d+\]$")


def symbols_of_answer(text: str) -> tuple[SymbolView, ...]:
    """Read what ``find_symbol`` answers; its lines count from 0, ours from 1.

    Raises
    ------
    WorkspaceFailed
        When it is no such answer.
    """
    found = _read(text)
    if not isinstance(found, list):
        raise WorkspaceFailed(f"Serena's find_symbol answered {text[:200]!r}; ask for less")
    return tuple(_symbol(one, str(one["relative_path"]), str(one["name_path"]), str(one["kind"])) for one in found)


def names_of_answer(text: str) -> tuple[str, ...]:
    """Read what ``get_symbols_overview`` answers: the names at the top level of a file."""
    found = _read(text)
    groups = found if isinstance(found, dict) else {}
    return tuple(
        str(next(iter(one)) if isinstance(one, dict) else one)
        for kind, group in groups.items()
        if kind != "Module"
        for one in group
    )


def references_of_answer(text: str) -> tuple[Reference, ...]:
    """Read what ``find_referencing_symbols`` answers: files, kinds, symbols with a marked line."""
    found = _read(text)
    if not isinstance(found, dict):
        raise WorkspaceFailed(f"Serena's find_referencing_symbols answered {text[:200]!r}")
    return tuple(sorted(_references(found), key=lambda one: (one.path, one.line)))


def _symbol(one: Mapping[str, object], path: str, name_path: str, kind: str) -> SymbolView:
    place = one["body_location"]
    start, end = (place["start_line"], place["end_line"]) if isinstance(place, dict) else (0, 0)
    children = one.get("children")
    members = tuple(
        _symbol(child, path, f"{name_path}/{child['name']}", inner)
        for inner, group in (children if isinstance(children, dict) else {}).items()
        for child in group
    )
    body = one.get("body")
    return SymbolView(
        path=path,
        name_path=_INDEX.sub("", name_path),
        kind=kind.lower(),
        line=int(start) + 1,
        end_line=int(end) + 1,
        body=None if body is None else str(body),
        members=members,
    )


def _references(found: Mapping[str, object]) -> Iterator[Reference]:
    for path, kinds in found.items():
        for kind, group in (kinds if isinstance(kinds, dict) else {}).items():
            for one in group:
                inside = "" if kind == "File" else str(one["name_path"])
                for line in str(one["content_around_reference"]).splitlines():
                    marked = _MARKED.match(line)
                    if marked:
                        yield Reference(path, int(marked[1]) + 1, marked[2].strip(), inside)


def _read(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise WorkspaceFailed(f"Serena answered {text[:200]!r}, which is no data; ask for less") from None
