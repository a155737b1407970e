"""An explanation as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automation.incidents.log_parsing import moment_text
from automation.tasks.explain.explaining import Explanation
from automation.tasks.explain.places import Place
from trading.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class ModelWords:
    """What a model said and which one; else a note on why there is nothing."""

    text: str = ""
    model: str = ""
    note: str = ""


NO_WORDS = ModelWords()


@dataclass(frozen=True, slots=True)
class ExplainResult:
    """One explained error, or the news that there is none.

    Parameters
    ----------
    root : Path
        The repository, absolute.
    searched : str
        What was looked at.
    explanation : Explanation or None
        None when no error was found there.
    words : ModelWords
        What a model added.
    """

    root: Path
    searched: str
    explanation: Explanation | None
    words: ModelWords = NO_WORDS

    @property
    def exit_code(self) -> ExitCode:
        """0, or 6 when there was no error to explain."""
        return ExitCode.NOTHING_TO_DO if self.explanation is None else ExitCode.DONE

    def as_json(self) -> dict[str, object]:
        """Return everything as plain JSON data."""
        found = self.explanation
        if found is None:
            return {"found": False, "searched": self.searched, "root": str(self.root)}
        evidence = found.evidence
        return {
            "found": True,
            "searched": self.searched,
            "root": str(self.root),
            "origin": evidence.origin,
            "when": moment_text(evidence.when_ms) if evidence.when_ms else None,
            "title": _title(found),
            "category": found.advice.category.value,
            "confidence": found.confidence,
            "rule": found.advice.rule or None,
            "cause": found.advice.cause,
            "fixes": list(found.advice.fixes),
            "meant": list(found.meant),
            "code": evidence.code or None,
            "exit_code": evidence.exit_code,
            "test": None if evidence.test is None else evidence.test.node_id,
            "chain": [{"type": raised.type, "message": raised.message} for raised in evidence.chain],
            "places": [_plain(place) for place in found.places],
            "earlier_repairs": list(found.earlier),
            "notes": list(evidence.notes),
            "model": self.words.model or None,
            "model_words": self.words.text or None,
            "model_note": self.words.note or None,
        }

    def as_text(self) -> RenderableType:
        """Return lines that an editor's problem matcher reads, then the explanation for a person."""
        from rich.console import Group
        from rich.text import Text

        found = self.explanation
        if found is None:
            return Text(f"No error in {self.searched}.", "green")
        return Group(*self._problems(found), *self._story(found))

    def _problems(self, found: Explanation) -> list[Text]:
        title = _title(found)
        if not found.places:
            return [_line("", "error", title, "red")]
        first, *callers = found.places
        lines = [_line(self._shown(first), "error", title, "red")]
        for place in callers:
            inside = f" in {place.function}" if place.function else ""
            lines.append(_line(self._shown(place), "info", f"on the way{inside}: {place.source}", "dim"))
        return lines

    def _shown(self, place: Place) -> str:
        # relative to where the command ran, as an editor's terminal opens it
        path, here = self.root / place.path, Path.cwd()
        shown = path.relative_to(here) if path.is_relative_to(here) else path
        return f"{shown.as_posix()}:{place.line}:{place.column}"

    def _story(self, found: Explanation) -> list[RenderableType]:
        from rich.padding import Padding
        from rich.text import Text

        advice, evidence = found.advice, found.evidence
        when = f", {moment_text(evidence.when_ms)} UTC" if evidence.when_ms else ""
        head = Text("\n").append(advice.category.value, "bold yellow").append(f"  from {evidence.origin}{when}", "dim")
        parts: list[RenderableType] = [head, Text(advice.cause)]
        if found.places:
            place = found.places[0]
            inside = f" in {place.function}" if place.function else ""
            parts.append(Text(f"\nwhere  {place.path}:{place.line}{inside}", "bold"))
            if place.source:
                parts.append(Padding(Text(place.source, "cyan"), (0, 0, 0, 7), expand=False))
        if found.meant:
            parts.append(Text("\ndid you mean  ", "bold").append(", ".join(found.meant), "green"))
        parts += _list("what to do", advice.fixes)
        parts += _list("mended before", found.earlier)
        parts += _list("see also", evidence.notes)
        if self.words.text:
            parts.append(Text(f"\n{self.words.model} says (a model's words, not checked)", "bold magenta"))
            parts.append(Text(self.words.text))
        elif self.words.note:
            parts.append(Text(f"\n{self.words.note}", "dim"))
        return parts


def _list(heading: str, lines: tuple[str, ...]) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    head = [Text(f"\n{heading}", "bold")] if lines else []
    return [*head, *(Padding(Text(f"- {line}"), (0, 0, 0, 2), expand=False) for line in lines)]


def _line(place: str, severity: str, words: str, style: str) -> Text:
    """Return one line whatever the width, since a problem matcher reads it: a long message loses its end."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{place}: " if place else "", "bold")
    return text.append(f"{severity}: {words}", style)


def _title(found: Explanation) -> str:
    evidence = found.evidence
    if evidence.chain:
        raised = evidence.chain[0]
        words = " ".join(raised.message.split())
        title = f"{raised.type}: {words}" if raised.type and words else raised.type or words
    else:
        title = " ".join(evidence.said.split()) or found.advice.cause
    return title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"


def _plain(place: Place) -> dict[str, object]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "function": place.function,
        "source": place.source,
        "own": place.own,
    }
