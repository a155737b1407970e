"""What speaks for a proposed change, as short lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_LONGEST = 200
_MOST_ROWS = 20


def evidence_lines(evidence: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the evidence as names and texts: mappings inside it name their parts, a list gives one line a row.

    Parameters
    ----------
    evidence : object
        Plain JSON; a mapping at the top.
    prefix : str
        What stands before each name.
    """
    if isinstance(evidence, Mapping):
        for name, value in evidence.items():
            yield from evidence_lines(value, f"{prefix}, {_words(name)}" if prefix else _words(name))
    elif isinstance(evidence, list | tuple) and evidence and isinstance(evidence[0], Mapping):
        for row in evidence[:_MOST_ROWS]:
            yield prefix, _row_text(row)
        if len(evidence) > _MOST_ROWS:
            yield prefix, f"and {len(evidence) - _MOST_ROWS} more"
    elif evidence not in (None, "", [], ()):
        yield prefix, _value_text(evidence)


def _row_text(row: object) -> str:
    if not isinstance(row, Mapping):
        return _value_text(row)
    told = (f"{_words(name)} {_value_text(value)}" for name, value in row.items() if value not in (None, "", []))
    return ", ".join(told)


def _value_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return _row_text(value)
    if isinstance(value, list | tuple):
        return _bounded(", ".join(_value_text(each) for each in value))
    return _bounded(" ".join(str(value).split()))


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _words(name: object) -> str:
    return str(name).replace("_", " ")
