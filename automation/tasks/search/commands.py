"""The search command: bring the index up to date, then ask it."""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter

from automation.codebase.search.embedding import SentenceEmbedder
from automation.codebase.search.index import IndexUpdate, SearchIndex, search_cache
from automation.config import load_automation_config
from automation.errors import ModelFailed, ModelUnavailable, RepositoryUnusable
from automation.models.sentences import open_embedder
from automation.tasks.search.requests import SearchRequest
from automation.tasks.search.results import SearchResult
from trading.commands import Progress


def search(request: SearchRequest) -> Generator[Progress, None, SearchResult]:
    """Find code and documentation by name, by words and by meaning."""
    root = request.path.expanduser().resolve()
    if not root.is_dir():
        raise RepositoryUnusable(f"{request.path} is no folder; name a repository")
    embedder, note = (None, "") if request.lexical else _embedder()
    try:
        return (yield from _searched(request, embedder, note))
    except (ModelFailed, ModelUnavailable) as error:
        # the server that was there a moment ago is not any more
        return (yield from _searched(request, None, f"No meanings were read: {error}"))


def _embedder() -> tuple[SentenceEmbedder | None, str]:
    try:
        return open_embedder(load_automation_config()), ""
    except ModelUnavailable as error:
        return None, f"No meanings were read: {error}"


def _searched(
    request: SearchRequest, embedder: SentenceEmbedder | None, note: str
) -> Generator[Progress, None, SearchResult]:
    root = request.path.expanduser().resolve()
    with SearchIndex(root, search_cache(root, request.home), embedder) as index:
        update = yield from _refreshed(index, request.patience)
        began = perf_counter()
        hits = index.search(request.query, limit=request.limit, kind=request.kind, under=request.inside)
        model = "" if embedder is None else embedder.name
        seconds = perf_counter() - began
        if update.unread:
            note = f"{update.unread:,} meanings are not read yet, so that words count more; the next search reads on."
        return SearchResult(request.query, root, hits, model, note, update, seconds)


def _refreshed(index: SearchIndex, reading_s: float) -> Generator[Progress, None, IndexUpdate]:
    try:
        return (yield from index.refresh(reading_s))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "what was read so far is kept, and the next search goes on from there; --lexical answers at once"
        ) from None
