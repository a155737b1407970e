"""Words of generated tests: names by scenario, and patterns that an error's message has to match."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence

from automation.tasks.generate_tests.records import Subject

_SPECIAL = re.compile(r"([.^$*+?{}\[\]\\|()])")
_ENDS = " '\"`()[]{}<>,;:-"
_LEAST_MESSAGE = 6
_LONGEST_MESSAGE = 60
_MOST_WORDS = 6
_TELLING = 0.8
_NUMBER = re.compile(r"-?\d[\d_.,]*")


def snake(name: str) -> str:
    """Return a class's name as part of a function's."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def slug(text: str, most: int = _MOST_WORDS) -> str:
    """Return the first words of a text as part of a name."""
    words = re.findall(r"[a-z0-9]+", text.lower().replace("'", ""))
    return "_".join(words[:most])


def name_of_test(subject: Subject, scenario: str) -> str:
    """Return the name of a test of something."""
    owner = f"{snake(subject.owner)}_" if subject.owner else ""
    if subject.name.endswith("_of"):
        scenario = scenario.removeprefix("of_")
    return f"test_{owner}{snake(subject.name)}_{scenario}".rstrip("_")


def constant_part(messages: Sequence[str], sources: Iterable[str]) -> str:
    """Return the longest part that error messages share and that no argument put there.

    Parameters
    ----------
    messages : sequence of str
        Of calls that were refused for the same reason.
    sources : iterable of str
        Sources of their arguments.
    """
    if not messages:
        return ""
    shown = {text for source in sources for text in _shown(source)}
    pieces = [messages[0]]
    for text in sorted(shown, key=len, reverse=True):
        pieces = [part for piece in pieces for part in piece.split(text)]
    pieces = [line for piece in pieces for part in _NUMBER.split(piece) for line in part.splitlines()]
    trimmed = [piece.strip(_ENDS) for piece in pieces]
    shared = [piece for piece in trimmed if all(piece in message for message in messages)]
    most = max(map(len, shared), default=0)
    # the beginning says most, unless it is much shorter than what comes later
    longest = next((piece for piece in shared if len(piece) >= most * _TELLING), "")
    if len(longest) > _LONGEST_MESSAGE:
        longest = longest[:_LONGEST_MESSAGE].rsplit(" ", 1)[0]
    return longest if len(longest) >= _LEAST_MESSAGE else ""


def match_literal(text: str) -> str:
    """Return the literal of a pattern that finds a text."""
    escaped = _SPECIAL.sub(r"\\\1", text)
    quote = "'" if '"' in escaped else '"'
    if quote in escaped or not escaped.isprintable():
        return repr(escaped)
    return f"{'r' if escaped != text else ''}{quote}{escaped}{quote}"


def argument_words(source: str) -> str:
    """Return an argument in words, empty when it has none."""
    value = literal(source)
    if value is None and source == "None":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return slug(value, 4) or ("blank_text" if value.strip() == value and not value else "signs_only")
    if isinstance(value, int | float):
        return ("minus_" if value < 0 else "") + slug(str(abs(value)))
    if isinstance(value, list | tuple | dict | set) and not value:
        return "nothing"
    return ""


def literal(source: str) -> object:
    """Return the value of a literal, None when the source is no literal."""
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _shown(source: str) -> set[str]:
    value = literal(source)
    if isinstance(value, str):
        parts = (value, repr(value), value.strip(), *value.split("/"), *re.findall(r"\w{3,}", value))
        return {each for each in parts if len(each) > 1}
    found = {source} if len(source) > 1 else set()
    if isinstance(value, list | tuple | dict):
        items = [*value, *(value.values() if isinstance(value, dict) else ())]
        found |= {repr(each) for each in items if len(repr(each)) > 1}
    return found | {repr(value)} if value is not None else found
