"""Search over what a repository defines and documents: by name, by words and by meaning."""

from trading.lazy import on_first_use

__all__ = ["Hit", "Kind", "SearchIndex", "SentenceEmbedder", "Weights", "search_cache"]

__getattr__ = on_first_use(
    __name__,
    {
        "Hit": "index",
        "Kind": "documents",
        "SearchIndex": "index",
        "SentenceEmbedder": "embedding",
        "Weights": "ranking",
        "search_cache": "index",
    },
)
