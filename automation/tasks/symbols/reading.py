"""The symbol tools that only read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from automation.codebase.symbol_backend import SymbolBackend
from automation.codebase.symbol_patterns import search_pattern
from automation.codebase.symbol_views import SymbolQuery
from automation.tasks.symbols.requests import FindRequest, OverviewRequest, PatternRequest, ReferencesRequest


def symbols_overview(backend: SymbolBackend, root: Path, request: OverviewRequest) -> Mapping[str, object]:
    """Tell what a file defines."""
    symbols = backend.overview(request.relative_path, request.depth)
    return {"path": request.relative_path, "symbols": [one.as_json() for one in symbols]}


def find_symbols(backend: SymbolBackend, root: Path, request: FindRequest) -> Mapping[str, object]:
    """Tell which symbols fit a name path; ``complete`` is false where there are more than were asked for."""
    query = SymbolQuery(
        name_path=request.name_path,
        path=request.relative_path,
        depth=request.depth,
        with_body=request.include_body,
        substring=request.substring_matching,
        limit=request.max_matches + 1,
    )
    found = backend.find(query)
    shown = found[: request.max_matches]
    return {"symbols": [one.as_json() for one in shown], "complete": len(found) <= request.max_matches}


def find_references(backend: SymbolBackend, root: Path, request: ReferencesRequest) -> Mapping[str, object]:
    """Tell which places lead to a definition."""
    found = backend.references(request.relative_path, request.name_path)
    return {"references": [one.as_json() for one in found]}


def search_text(backend: SymbolBackend, root: Path, request: PatternRequest) -> Mapping[str, object]:
    """Tell which lines a regular expression matches; ``complete`` is false where there are more."""
    hits = search_pattern(
        root, request.pattern, glob=request.glob, around=request.context_lines, limit=request.max_matches + 1
    )
    shown = hits[: request.max_matches]
    return {"hits": [one.as_json() for one in shown], "complete": len(hits) <= request.max_matches}
