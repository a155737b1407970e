"""A docstring written out in NumPy's or Google's layout."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from automation.tasks.document.requests import Style

_NARROWEST = 40


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: its name, its type and its words, each perhaps empty."""

    name: str
    type: str = ""
    text: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a docstring is to say.

    Parameters
    ----------
    summary : str
        The first sentence.
    parameters, results, raises : tuple of Item
        Entries of its sections; a section without entries is left out.
    yields : bool
        Whether the results are yielded.
    examples : tuple of str
        Lines of a doctest.
    """

    summary: str
    parameters: tuple[Item, ...] = ()
    results: tuple[Item, ...] = ()
    raises: tuple[Item, ...] = ()
    yields: bool = False
    examples: tuple[str, ...] = ()


def docstring_text(draft: Draft, style: Style, margin: str, width: int) -> str:
    """Return the literal, quotes and all, for a place that is ``margin`` deep; the first line without the margin.

    Parameters
    ----------
    draft : Draft
        What it is to say.
    style : Style
        Its layout.
    margin : str
        White space in front of the definition's body.
    width : int
        Longest line, in characters.
    """
    room = max(width - len(margin), _NARROWEST)
    summary = textwrap.wrap(draft.summary, room - 6)
    lines = [*summary, *(line for block in _blocks(draft, style, room) for line in ("", *block))]
    text = "\n".join([lines[0], *((margin + line).rstrip() for line in lines[1:])])
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.endswith('"'):
        text += " "
    return f'"""{text}\n{margin}"""' if len(lines) > 1 else f'"""{text}"""'


def entry_lines(item: Item, style: Style, room: int) -> list[str]:
    """Return an entry's lines, indented as in its section's body, with no margin."""
    if style is Style.NUMPY:
        typed = item.type + (f", default {item.default}" if item.default not in {"", "None"} else "")
        head = f"{item.name} : {typed}" if typed else item.name
        return [head, *textwrap.wrap(item.text, room - 4, initial_indent="    ", subsequent_indent="    ")]
    head = f"    {item.name} ({item.type}):" if item.type else f"    {item.name}:"
    return textwrap.wrap(f"{head} {item.text}".rstrip(), room, subsequent_indent="        ", drop_whitespace=True)


def _blocks(draft: Draft, style: Style, room: int) -> Iterator[list[str]]:
    results = "Yields" if draft.yields else "Returns"
    titles = ("Parameters", results, "Raises") if style is Style.NUMPY else ("Args", results, "Raises")
    for title, items in zip(titles, (draft.parameters, draft.results, draft.raises), strict=True):
        if items:
            body = [line for item in items for line in entry_lines(item, style, room)]
            yield [*_title(title, style), *body]
    if draft.examples:
        indent = "" if style is Style.NUMPY else "    "
        yield [*_title("Examples", style), *_indented(draft.examples, indent)]


def _title(title: str, style: Style) -> list[str]:
    return [title, "-" * len(title)] if style is Style.NUMPY else [f"{title}:"]


def _indented(lines: Sequence[str], indent: str) -> list[str]:
    return [indent + line for line in lines]
