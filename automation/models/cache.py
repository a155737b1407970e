"""Answers kept: the same question to the same model with the same seed is asked once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

from automation.databases import database
from automation.models.protocol import Answer, Generation

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, text TEXT NOT NULL, prompt_tokens INTEGER NOT NULL, tokens INTEGER NOT NULL,
    model TEXT NOT NULL, backend TEXT NOT NULL, used INTEGER NOT NULL
) STRICT
"""
_MOST_ANSWERS = 20_000


def question_key(backend: str, model: str, question: Mapping[str, object], how: Generation) -> str:
    """Return the key of a question: SHA-256 of all that an answer hangs on.

    Parameters
    ----------
    backend, model : str
        Who is asked.
    question : mapping
        Kind, messages or prefix and suffix, schema; plain JSON data.
    how : Generation
        How it is asked; the timeout changes no answer and is left out.
    """
    options = {name: value for name, value in asdict(how).items() if name != "timeout_s"}
    whole = {"backend": backend, "model": model, "question": question, "options": options}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


class ResponseCache:
    """Answers in a SQLite file, by question.

    Parameters
    ----------
    path : Path
        The file; made when first written to.
    most : int
        Answers that it holds; those unused for longest go first.
    """

    def __init__(self, path: Path, most: int = _MOST_ANSWERS) -> None:
        self._path = path
        self._most = most

    def get(self, key: str) -> Answer | None:
        """Return the answer to a question, or None."""
        if not self._path.is_file():
            return None
        with database(self._path, _SCHEMA) as connection:
            row = connection.execute(
                "SELECT text, prompt_tokens, tokens, model, backend FROM answers WHERE key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            connection.execute(
                "UPDATE answers SET used = (SELECT coalesce(max(used), 0) + 1 FROM answers) WHERE key = ?", (key,)
            )
        text, prompt_tokens, tokens, model, backend = row
        return Answer(text, prompt_tokens, tokens, 0.0, model, backend, cached=True)

    def put(self, key: str, answer: Answer) -> None:
        """Keep an answer."""
        kept = replace(answer, cached=True)
        with database(self._path, _SCHEMA) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO answers SELECT ?, ?, ?, ?, ?, ?, coalesce(max(used), 0) + 1 FROM answers",
                (key, kept.text, kept.prompt_tokens, kept.tokens, kept.model, kept.backend),
            )
            connection.execute(
                "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used DESC LIMIT -1 OFFSET ?)",
                (self._most,),
            )
