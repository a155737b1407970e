"""A router with all that is at hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from automation.assistant.answers import Context
from automation.assistant.router import Router
from automation.codebase.search.embedding import SentenceEmbedder
from automation.errors import AutomationError
from automation.registry import gridbot_registry
from trading.commands import Registry


def open_router(root: Path, *, context: Context | None = None, registry: Registry | None = None) -> Router:
    """Return a router over a registry, with the sentence model of the installed packages where it is there.

    Parameters
    ----------
    root : Path
        The repository that files and symbols are looked for in.
    context : Context, optional
        What the caller knows beside the sentences.
    registry : Registry, optional
        None takes GridBot's own.
    """
    return Router(registry or gridbot_registry(), root, embedder=sentence_model(), context=context)


@cache
def sentence_model() -> SentenceEmbedder | None:
    """Return the sentence model of the installed packages; None where it is not there."""
    from automation.models.sentences import open_embedder

    try:
        return open_embedder()
    except AutomationError:
        # without the sentence model words alone are compared, which is less sure and works everywhere
        return None
