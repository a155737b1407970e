"""What a search found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.codebase.search.index import Hit, IndexUpdate
from trading.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answers to one question.

    Parameters
    ----------
    query : str
        What was asked.
    root : Path
        The repository, absolute.
    hits : tuple of Hit
        The best first.
    model : str
        What read the meanings; empty when only words and names counted.
    note : str
        Why no meanings were read; empty when they were.
    update : IndexUpdate
        What was new in the index.
    seconds : float
        Of the search itself, without bringing the index up to date.
    """

    query: str
    root: Path
    hits: tuple[Hit, ...]
    model: str
    note: str
    update: IndexUpdate
    seconds: float

    @property
    def exit_code(self) -> ExitCode:
        """0, or 6 when nothing was found."""
        return ExitCode.DONE if self.hits else ExitCode.NOTHING_TO_DO

    def as_json(self) -> dict[str, object]:
        """Return the answers as plain JSON data."""
        return {
            "query": self.query,
            "root": str(self.root),
            "model": self.model or None,
            "note": self.note,
            "milliseconds": round(self.seconds * 1_000, 1),
            "documents": self.update.documents,
            "hits": [_plain(hit) for hit in self.hits],
        }

    def as_text(self) -> RenderableType:
        """Return two lines an answer: the place, which an editor's terminal opens, and what is there."""
        from rich.text import Text

        text = Text(no_wrap=True, overflow="ellipsis")
        for hit in self.hits:
            _write(text, hit, self._place(hit))
        if not self.hits:
            text.append(f"Nothing in {self.root} answers {self.query!r}.\n", "yellow")
        ways = f"by name, words and meaning ({self.model})" if self.model else "by name and words"
        text.append(f"{len(self.hits)} of {self.update.documents:,} {ways}, {self.seconds * 1_000:.0f} ms", "dim")
        if self.note:
            text.append(f"\n{self.note}", "yellow")
        return text

    def _place(self, hit: Hit) -> str:
        # an editor's terminal opens what is relative to where the command ran, or absolute
        path, here = self.root / hit.document.path, Path.cwd()
        shown = path.relative_to(here) if path.is_relative_to(here) else path
        return f"{shown.as_posix()}:{hit.document.line}"


def _write(text: Text, hit: Hit, place: str) -> None:
    document = hit.document
    text.append(place, "bold cyan")
    text.append(f"  {hit.score:.2f} {' '.join(hit.why)}\n", "dim")
    text.append(f"    {document.signature}")
    text.append(f"  {document.name}\n" if "." in document.name else "\n", "dim")
    if document.doc:
        text.append(f"    {document.doc}\n", "green")


def _plain(hit: Hit) -> dict[str, object]:
    document = hit.document
    return {
        "path": document.path,
        "line": document.line,
        "end_line": document.end_line,
        "name": document.name,
        "kind": document.kind.value,
        "signature": document.signature,
        "doc": document.doc,
        "score": round(hit.score, 4),
        "why": [reason.value for reason in hit.why],
    }
