"""Docstrings that no longer fit their code: what is wrong, and the same text with the entries mended."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from automation.tasks.document.exceptions import is_gone, is_promise
from automation.tasks.document.insertion import DocLiteral
from automation.tasks.document.knowledge import Knowledge
from automation.tasks.document.layout import Entry, Section, section, sections_of
from automation.tasks.document.meanings import meanings_of
from automation.tasks.document.requests import Style
from automation.tasks.document.sentences import words_of
from automation.tasks.document.signatures import (
    Function,
    Parameter,
    is_data_class,
    parameters_of,
    raises_of,
)
from automation.tasks.document.writing import Item, entry_lines
from automation.tasks.review.docstrings import Documentable
from automation.tasks.review.ground import decorator_word

_PLAIN_TYPES = frozenset({"int", "float", "str", "bool", "bytes", "Path", "dict", "list", "tuple", "set", "datetime"})
_MOST_TOLD = 80
# A docstring may say the wider word.
_WIDER = {("int", "float"), ("bool", "int"), ("Path", "str")}
# Decorators that leave the parameters as they are.
_TRANSPARENT = frozenset({
    "staticmethod", "classmethod", "property", "cached_property", "cache", "lru_cache", "contextmanager",
    "asynccontextmanager", "abstractmethod", "override", "final", "njit", "jit", "kernel",
})  # fmt: skip
_FIELDLESS = frozenset({"ABC", "Protocol", "Generic", "NamedTuple", "TypedDict", "object"})
_NAME = re.compile(r"\w+$")


@dataclass(frozen=True, slots=True)
class Mend:
    """A docstring mended.

    Parameters
    ----------
    body : str
        Its text between the quotes, a person's words kept.
    reasons : tuple of str
        What was wrong, and what was done about it.
    open : tuple of str
        What a person has to say: which parameter is which, or what one that was added means.
    """

    body: str
    reasons: tuple[str, ...]
    open: tuple[str, ...] = ()


@dataclass(slots=True)
class _Work:
    lines: list[str]
    reasons: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


def mended(subject: Documentable, literal: DocLiteral, knowledge: Knowledge, width: int) -> Mend | None:
    """Return a docstring with its entries as the signature has them, or None when they are.

    Parameters
    ----------
    subject : Documentable
        A function or class that has a docstring.
    literal : DocLiteral
        That docstring.
    knowledge : Knowledge
        Of the repository.
    width : int
        Longest line, in characters.
    """
    node = subject.node
    if isinstance(node, ast.Module):
        return None
    newline = "\r\n" if "\r\n" in literal.body else "\n"
    work = _Work(literal.body.split(newline))
    if isinstance(node, ast.ClassDef):
        _mend_class(work, node)
    elif _TRANSPARENT.issuperset(map(decorator_word, node.decorator_list)):
        given = parameters_of(node, is_method=subject.owner is not None)
        while _mend_parameters(work, given, subject, knowledge, width):
            pass
        while not is_promise(node) and _mend_raises(work, node, knowledge, width):
            pass
    if not work.reasons and not work.open:
        return None
    return Mend(newline.join(work.lines), tuple(work.reasons), tuple(dict.fromkeys(work.open)))


def _mend_class(work: _Work, node: ast.ClassDef) -> None:
    """Take out what a class is not made with any more; a class may leave out what its fields' names say."""
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    has_init = any(isinstance(one, ast.FunctionDef) and one.name == "__init__" for one in node.body)
    if not has_init and (bases - _FIELDLESS or not is_data_class(node)):
        return
    known = {one.bare: one for one in parameters_of(node)}
    # attributes are sometimes listed among the parameters
    known |= {name: Parameter(name) for name in _attributes(node)}
    while _mend_listed(work, known):
        pass


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self":
            yield one.attr
        elif isinstance(one, ast.FunctionDef):
            yield one.name
        elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            yield one.target.id


def _mend_parameters(
    work: _Work, given: Sequence[Parameter], subject: Documentable, knowledge: Knowledge, width: int
) -> bool:
    """Mend one thing, and say whether there was one."""
    sections = sections_of(work.lines)
    listed = section(sections, "Parameters")
    if listed is None or not listed.entries:
        return False
    others = section(sections, "Other Parameters")
    told = [(entry, name.lstrip("*")) for entry in listed.entries for name in entry.names]
    elsewhere = {name.lstrip("*") for entry in (others.entries if others else ()) for name in entry.names}
    known = {one.bare: one for one in given}
    extra = [each for each in told if _is_extra(each[1], known)]
    known_elsewhere = elsewhere.union(name for _, name in told)
    untold = [one for one in given if one.bare not in known_elsewhere and one.name[0] != "_"]
    # what stars take is often left out on purpose
    missing = [one for one in untold if one.name[0] != "*"]
    if len(extra) == len(untold) == 1 and _is_renamed(extra[0][0], extra[0][1], untold[0]):
        _rename(work, extra[0][0], extra[0][1], untold[0])
        return True
    if untold and any(len(entry.names) == 1 and entry.text for entry, _ in extra):
        old, new = ", ".join(name for _, name in extra), ", ".join(one.bare for one in untold)
        work.open.append(f"whether the words on {old} (gone) are about {new} (new)")
        return False
    if _mend_listed(work, known):
        return True
    if missing:
        meanings = meanings_of(subject, knowledge.vocabulary)
        _add(work, listed, missing[0], meanings, width, [one.bare for one in given])
        return True
    return False


def _is_renamed(entry: Entry, old: str, new: Parameter) -> bool:
    """Say whether an entry is plainly about another name of today: they share a word, or it has the same type."""
    shared = {word for word in words_of(old) if len(word) > 1} & set(words_of(new.bare))
    return len(entry.names) == 1 and (bool(shared) or bool(entry.type and entry.type == new.annotation))


def _is_extra(name: str, known: Mapping[str, Parameter]) -> bool:
    # beside keywords of any name an entry may mean one of those
    return (
        name not in known
        and name != "None"
        and bool(_NAME.match(name))
        and not any(one.name[:2] == "**" for one in known.values())
    )


def _mend_listed(work: _Work, known: Mapping[str, Parameter]) -> bool:
    """Mend one entry that is listed: of a parameter that is gone, or with a wrong type."""
    listed = section(sections_of(work.lines), "Parameters")
    if listed is None:
        return False
    for entry in listed.entries:
        for name in entry.names:
            bare = name.lstrip("*")
            if _is_extra(bare, known):
                _remove(work, listed, entry, bare)
                return True
            is_single = bare in known and len(entry.names) == 1
            if is_single and _mend_type(work, entry, known[bare], listed.style):
                return True
    return False


def _rename(work: _Work, entry: Entry, old: str, new: Parameter) -> None:
    work.lines[entry.first] = re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", new.bare, work.lines[entry.first], count=1)
    work.reasons.append(f"parameter {old} is now {new.bare}")


def _mend_type(work: _Work, entry: Entry, parameter: Parameter, style: Style) -> bool:
    # only where both are one plain word can a difference be called wrong
    word = re.match(r"\w+", entry.type)
    said, right = word.group() if word else "", parameter.annotation
    if said == right or not {said, right} <= _PLAIN_TYPES or {(right, said), (said, right)} & _WIDER:
        return False
    if entry.type not in {said, f"{said}, optional"} and not entry.type.startswith(f"{said}, default"):
        return False
    mark = ":" if style is Style.NUMPY else "("
    head, found, rest = work.lines[entry.first].partition(mark)
    work.lines[entry.first] = head + found + rest.replace(said, right, 1)
    work.reasons.append(f"type of {parameter.bare} is {right}, not {said}")
    return True


def _add(
    work: _Work, listed: Section, one: Parameter, meanings: Mapping[str, str], width: int, order: Sequence[str]
) -> None:
    margin = _margin(work.lines, listed)
    item = Item(one.name, one.annotation, meanings.get(one.name, ""), one.default)
    earlier = set(order[: order.index(one.bare)])
    before = [entry for entry in listed.entries if earlier.intersection(name.lstrip("*") for name in entry.names)]
    at = before[-1].end if before else listed.entries[0].first
    work.lines[at:at] = _written(item, listed, margin, width)
    work.reasons.append(f"parameter {one.bare} was missing")
    if one.name not in meanings:
        work.open.append(f"what the parameter {one.bare} means")


def _written(item: Item, listed: Section, margin: str, width: int) -> list[str]:
    return [(margin + line).rstrip() for line in entry_lines(item, listed.style, max(width - len(margin), 40))]


def _remove(work: _Work, listed: Section, entry: Entry, name: str) -> None:
    if len(entry.names) > 1:
        pattern = rf",\s*\*{{0,2}}{re.escape(name)}(?!\w)|(?<![\w*])\*{{0,2}}{re.escape(name)}\s*,\s*"
        work.lines[entry.first] = re.sub(pattern, "", work.lines[entry.first], count=1)
    else:
        _cut(work.lines, listed, entry)
    said = f" (it said: {entry.text[:_MOST_TOLD]})" if entry.text and len(entry.names) == 1 else ""
    work.reasons.append(f"parameter {name} is gone{said}")


def _cut(lines: list[str], listed: Section, entry: Entry) -> None:
    """Take an entry out, and its section when that was all it held."""
    last_of_all = entry.end >= len(lines)
    closing = [] if not last_of_all else [lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]]
    if len(listed.entries) > 1:
        lines[entry.first : entry.end] = closing if last_of_all else []
        return
    start = listed.first
    while start > 1 and not lines[start - 1].strip():
        start -= 1
    lines[start : listed.end] = closing if last_of_all else []


def _mend_raises(work: _Work, node: Function, knowledge: Knowledge, width: int) -> bool:
    """Mend one thing of the exceptions, and say whether there was one."""
    listed = section(sections_of(work.lines), "Raises")
    if listed is None or not listed.entries:
        return False
    raised = raises_of(node)
    names = list(dict.fromkeys(each.name for each in raised))
    told = [name.rpartition(".")[2] for entry in listed.entries for name in entry.names]
    if set(told) == set(names):
        return False
    exceptions = knowledge.exceptions
    for entry in listed.entries:
        if len(entry.names) == 1 and is_gone(entry.names[0], names, node, exceptions):
            _cut(work.lines, listed, entry)
            work.reasons.append(f"{entry.names[0]} is not raised any more")
            return True
    missing = [each for each in names if not any(exceptions.covers(name, each) for name in told)]
    if not missing:
        return False
    conditions = [each.condition for each in raised if each.name == missing[0] and each.condition]
    item = Item(missing[0], "", f"When ``{conditions[0]}``." if len(conditions) == 1 else "")
    at = listed.entries[-1].end
    work.lines[at:at] = _written(item, listed, _margin(work.lines, listed), width)
    work.reasons.append(f"{missing[0]} is raised and was not listed")
    return True


def _margin(lines: Sequence[str], listed: Section) -> str:
    # Google's entries are written with their own indentation by `entry_lines`
    line = lines[listed.first + (0 if listed.style is Style.GOOGLE else 1)]
    return line[: len(line) - len(line.lstrip())]
