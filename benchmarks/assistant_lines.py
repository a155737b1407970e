"""When two command lines ask for the same: what two fair judges would accept as the right arguments of a sentence.

Beside equal lines they accept another name of the same code (``kelly_share`` and the file that defines it), a search
with the same content words, a number or an age written otherwise (``1.0`` and ``1``, ``28d`` and ``4w``), a path with
or without its last slash, and a default spelled out or left out. Everything else that differs is wrong.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from automation.assistant.places import Places
from automation.assistant.searching import content_words
from automation.requests import option_name
from trading.commands import Registry

_ON_CODE = frozenset({"review", "test", "document", "optimize", "explain", "search"})
_AGE = re.compile(r"(\d+)([dw])")


@dataclass(frozen=True, slots=True)
class Line:
    """A command line, taken apart.

    Parameters
    ----------
    command : str
        The command's name.
    options : mapping of str to frozenset of str
        Values by option; options that say what a command does anyway are left out.
    arguments : tuple of str
        What stands without an option.
    """

    command: str
    options: Mapping[str, frozenset[str]]
    arguments: tuple[str, ...]


def parsed(text: str, registry: Registry) -> Line:
    """Return a command line without the program's name, taken apart."""
    names = sorted((command.name for command in registry), key=len, reverse=True)
    name = next(each for each in names if f"{text} ".startswith(f"{each} "))
    # how results are printed is no option of a command: a plan has it for all of its steps
    return taken_apart([word for word in shlex.split(text) if word != "--json"], name, registry)


def taken_apart(words: Sequence[str], name: str, registry: Registry) -> Line:
    """Return the words of a command's line, taken apart."""
    model = registry[name].load_request()
    flags = {option_name(own, field) for own, field in model.model_fields.items() if field.annotation is bool}
    options: dict[str, set[str]] = {}
    arguments: list[str] = []
    rest = list(words[len(name.split()) :])
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments += rest
            break
        if not word.startswith("--"):
            arguments.append(word)
        else:
            is_flag = word in flags or word.startswith("--no-") or not rest
            options.setdefault(word, set()).add("" if is_flag else rest.pop(0))
    usual = {option_name(own, field): _texts(field.get_default()) for own, field in model.model_fields.items()}
    told = {option: frozenset(values) for option, values in options.items() if values != usual.get(option)}
    return Line(name, told, tuple(arguments))


def asks_the_same(wanted: Line, found: Line, places: Places) -> bool:
    """Say whether two fair judges would accept the arguments of one line in place of another's of the same command.

    Parameters
    ----------
    wanted : Line
        May hold ``*``, which stands for anything.
    found : Line
        What was understood.
    places : Places
        The repository in which code is named.
    """
    if wanted.options.keys() != found.options.keys() or len(wanted.arguments) != len(found.arguments):
        return False
    for option, values in wanted.options.items():
        others = found.options[option]
        pairs = zip(sorted(values), sorted(others), strict=False)
        if len(values) != len(others) or not all(_alike(one, other) for one, other in pairs):
            return False
    return all(
        _alike(one, other) or (wanted.command in _ON_CODE and _same_code(wanted.command, one, other, places))
        for one, other in zip(wanted.arguments, found.arguments, strict=True)
    )


def _same_code(command: str, wanted: str, found: str, places: Places) -> bool:
    words = content_words(wanted)
    return places.same_target(wanted, found) or (command == "search" and words == content_words(found) != frozenset())


def _alike(pattern: str, text: str) -> bool:
    return fnmatchcase(_plain(text), _plain(pattern).replace("[", "[[]"))


def _plain(value: str) -> str:
    """Return a value in the one way to write it."""
    bare = value.rstrip("/").removeprefix("./").lower()
    age = _AGE.fullmatch(bare)
    if age is not None:
        return f"{int(age[1]) * (7 if age[2] == 'w' else 1)}d"
    try:
        return f"{float(bare):.12g}"
    except ValueError:
        return bare


def _texts(default: object) -> set[str]:
    return {str(each) for each in default} if isinstance(default, list | tuple) else {str(default)}
