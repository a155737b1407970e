"""Every call of a model written down, one JSON line each, with secrets masked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from automation.codebase.masking import masked
from automation.models.protocol import Answer, Generation

TRANSCRIPT_NAME = "model_calls.jsonl"


def now_utc() -> datetime:
    """Return the time that a call is written down with."""
    return datetime.now(UTC)


class Transcript:
    """The calls of one run.

    Parameters
    ----------
    path : Path
        The file; appended to, so that a run that goes on keeps what was said.
    now : callable
        Returns the time.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = now_utc) -> None:
        self._path = path
        self._now = now

    def write(
        self,
        model: str,
        backend: str,
        question: Mapping[str, object],
        how: Generation,
        outcome: Answer | BaseException,
    ) -> None:
        """Append one call: what was asked, and what was answered or went wrong."""
        entry: dict[str, object] = {
            "time": self._now().isoformat(timespec="milliseconds"),
            "model": model,
            "backend": backend,
            "question": question,
            "options": asdict(how),
        }
        if isinstance(outcome, Answer):
            entry["answer"] = asdict(outcome)
        else:
            entry["error"] = {"type": type(outcome).__name__, "message": str(outcome)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(_masked(entry), ensure_ascii=False)
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(line + "\n")


def _masked(value: object) -> object:
    # Text by text, not the whole line: a mask must not eat the quotes of JSON.
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value
