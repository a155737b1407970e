"""What a parameter means, as far as its name, the code and the repository's own docstrings say."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from automation.tasks.document.layout import section, sections_of
from automation.tasks.document.sentences import words_of
from automation.tasks.document.signatures import Function, Parameter, none_means, parameters_of, shapes_of
from automation.tasks.review.docstrings import Documentable

_UNITS = {
    "s": "seconds", "sec": "seconds", "secs": "seconds", "seconds": "seconds", "ms": "milliseconds",
    "us": "microseconds", "ns": "nanoseconds", "minutes": "minutes", "hours": "hours", "days": "days",
    "bytes": "bytes", "kb": "kilobytes", "mb": "megabytes", "gb": "gigabytes", "hz": "hertz", "px": "pixels",
    "pct": "percent", "percent": "percent", "bps": "basis points", "ticks": "ticks", "lots": "lots", "deg": "degrees",
    "rad": "radians", "km": "kilometres", "mm": "millimetres",
}  # fmt: skip
_NUMBERS = frozenset({"int", "float", "Decimal", "int | None", "float | None", "Decimal | None", ""})
_LONGEST_BORROWED = 120
_OFTEN = 3


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the repository's docstrings say of parameters.

    Parameters
    ----------
    by_module : mapping of (str, str, str) to str
        By file, name and annotation, where the file says it in one way only.
    anywhere : mapping of (str, str) to str
        By name and annotation, where the repository says it in the same words at least three times, and not otherwise.
    """

    by_module: Mapping[tuple[str, str, str], str]
    anywhere: Mapping[tuple[str, str], str]


def learn(subjects: Iterable[Documentable]) -> Vocabulary:
    """Read what documented definitions say of their parameters.

    Parameters
    ----------
    subjects : iterable of Documentable
        Of the whole repository.
    """
    near: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    far: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for subject in subjects:
        if isinstance(subject.node, ast.Module):
            continue
        doc = ast.get_docstring(subject.node)
        listed = section(sections_of((doc or "").splitlines()), "Parameters")
        if listed is None:
            continue
        annotations = {
            one.bare: one.annotation for one in parameters_of(subject.node, is_method=subject.owner is not None)
        }
        for entry in listed.entries:
            name = entry.names[0].lstrip("*")
            if len(entry.names) == 1 and name in annotations and 0 < len(entry.text) <= _LONGEST_BORROWED:
                near[subject.path, name, annotations[name]].add(entry.text)
                far[name, annotations[name]][entry.text] += 1
    return Vocabulary(
        {key: next(iter(texts)) for key, texts in near.items() if len(texts) == 1},
        {key: next(iter(texts)) for key, texts in far.items() if len(texts) == 1 and texts.total() >= _OFTEN},
    )


def meanings_of(subject: Documentable, vocabulary: Vocabulary) -> dict[str, str]:
    """Return the parameters of which something is known, with one or two short sentences each.

    Parameters
    ----------
    subject : Documentable
        A function or class.
    vocabulary : Vocabulary
        What the repository says elsewhere.
    """
    node = subject.node
    if isinstance(node, ast.Module):
        return {}
    function = _maker(node)
    shapes = shapes_of(function) if function is not None else {}
    nones = none_means(function) if function is not None else {}
    found = {}
    for one in parameters_of(node, is_method=subject.owner is not None):
        parts = [_borrowed(subject.path, one, vocabulary) or _by_name(one)]
        if one.bare in shapes:
            parts.append(f"Shape {shapes[one.bare]}.")
        if one.bare in nones and len(nones[one.bare]) <= _LONGEST_BORROWED // 2:
            parts.append(f"None takes ``{nones[one.bare]}``.")
        told = " ".join(part for part in parts if part)
        if told:
            found[one.name] = told
    return found


def _maker(node: Function | ast.ClassDef) -> Function | None:
    if isinstance(node, ast.ClassDef):
        return next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    return node


def _borrowed(path: str, parameter: Parameter, vocabulary: Vocabulary) -> str:
    near = vocabulary.by_module.get((path, parameter.bare, parameter.annotation), "")
    return near or vocabulary.anywhere.get((parameter.bare, parameter.annotation), "")


def _by_name(parameter: Parameter) -> str:
    words = words_of(parameter.bare)
    unit = _UNITS.get(words[-1]) if len(words) > 1 else None
    if unit is not None and parameter.annotation in _NUMBERS:
        return f"In {unit}."
    if words[:1] in (["n"], ["num"]) and len(words) > 1 and parameter.annotation in {"int", ""}:
        return f"How many {' '.join(words[1:])}."
    if words == ["seed"]:
        return "Of what is random."
    literal = parameter.annotation.removesuffix(" | None")
    if literal.startswith("Literal["):
        return f"One of {literal.removeprefix('Literal[').removesuffix(']')}."
    return ""
