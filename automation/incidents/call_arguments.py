"""Arguments to call a function with: those of the log, those that the repository passes, or the few its words name."""

from __future__ import annotations

import ast
import doctest
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation.incidents.inside.describe import Places
from automation.incidents.records import Frame, Raised
from automation.incidents.subjects import Subject, portable

FILES_LIMIT = 3000
SITES_LIMIT = 40
GUESSES_LIMIT = 200
_QUOTED = re.compile(r"'([^']{0,60})'|\"([^\"]{0,60})\"")
_NUMBER = re.compile(r"-?\b\d+(?:\.\d+)?\b")
_NUMBERS = ("0", "1", "-1", "2")
_POOLS = {
    "int": _NUMBERS,
    "float": ("0.0", "1.0", "-1.0"),
    "str": ("''", "'a'"),
    "bool": ("False", "True"),
    "list": ("[]", "[0]", "[1, 2]"),
    "Sequence": ("[]", "[0]", "[1, 2]"),
    "Iterable": ("[]", "[0]", "[1, 2]"),
    "tuple": ("()", "(0,)"),
    "dict": ("{}",),
    "Mapping": ("{}",),
    "set": ("set()",),
    "bytes": ("b''",),
}
_ANY = ("None", "0", "1", "''", "[]", "{}")


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to call the subject.

    Parameters
    ----------
    call : str
        Source of the expression.
    seen : bool
        Whether log or repository show these arguments; guessed ones must fail with the very message of the log.
    """

    call: str
    seen: bool


def trials(root: Path, subject: Subject, frame: Frame, raised: Raised) -> list[Trial]:
    """Return calls to try, the best founded first, without repetition.

    Parameters
    ----------
    root : Path
        The tree.
    subject : Subject
        What to call.
    frame : Frame
        Where the log saw it, with its local values if the log has them.
    raised : Raised
        What it raised; its message may name values.
    """
    sites = CallSites(root, subject)
    instances = _instances(subject, frame, sites)
    found = [
        Trial(subject.call(arguments, instance), True)
        for instance in instances
        for arguments in _seen(subject, frame, sites)
    ]
    found += [
        Trial(subject.call(arguments, instance), False)
        for instance in instances
        for arguments in itertools.islice(_guesses(subject, raised), GUESSES_LIMIT)
    ]
    first: dict[str, Trial] = {}
    for trial in found:
        first.setdefault(trial.call, trial)
    return list(first.values())[: 2 * GUESSES_LIMIT]


def _instances(subject: Subject, frame: Frame, sites: CallSites) -> list[str]:
    if subject.form not in ("method", "property"):
        return [""]
    logged = _expression(frame.values.get("self", ""), subject)
    made = [f"subject.{subject.owner}({arguments})" for arguments in sites.of(subject.owner)]
    return list(dict.fromkeys([*([logged] if logged else []), *made[:8], f"subject.{subject.owner}()"]))


def _seen(subject: Subject, frame: Frame, sites: CallSites) -> Iterator[str]:
    if subject.form == "property" or not subject.required:
        yield ""
    values = {name: _expression(text, subject) for name, text in frame.values.items()}
    wanted = [parameter.arg for parameter in subject.parameters]
    known = {name: values[name] for name in wanted if values.get(name)}
    if known and all(parameter.arg in known for parameter in subject.required):
        positional = {parameter.arg for parameter in subject.definition.args.posonlyargs}
        yield ", ".join(f"{text}" if name in positional else f"{name}={text}" for name, text in known.items())
    yield from sites.of(subject.name)


def _expression(text: str, subject: Subject) -> str | None:
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
    return portable(node, subject.names)


def _guesses(subject: Subject, raised: Raised) -> Iterator[str]:
    if not subject.required or len(subject.required) > 4:
        return
    words = [repr(a or b) for a, b in _QUOTED.findall(raised.message)]
    numbers = _NUMBER.findall(raised.message)
    pools = [(parameter, _pool(parameter, words, numbers)) for parameter in subject.required]
    keyword_only = {parameter.arg for parameter in subject.definition.args.kwonlyargs}
    for chosen in itertools.product(*(pool for _, pool in pools)):
        pairs = zip(pools, chosen, strict=True)
        yield ", ".join(f"{each.arg}={text}" if each.arg in keyword_only else text for (each, _), text in pairs)


def _pool(parameter: ast.arg, words: list[str], numbers: list[str]) -> list[str]:
    annotation = ast.unparse(parameter.annotation) if parameter.annotation is not None else ""
    names = set(re.findall(r"\w+", annotation))
    found = [text for name, pool in _POOLS.items() if name in names for text in pool]
    if "None" in names or "Optional" in names:
        found.append("None")
    if not found:
        found = list(_ANY)
    if not annotation or "str" in names:
        found = [*words[:3], *found]
    if not annotation or names & {"int", "float"}:
        found = [*found, *numbers[:2]]
    return list(dict.fromkeys(found))


class CallSites:
    """Calls with arguments that can stand in a test, found all over a tree: code, main blocks, doctests and tests.

    Parameters
    ----------
    root : Path
        The tree.
    subject : Subject
        What they call, or the class that holds it.
    """

    def __init__(self, root: Path, subject: Subject) -> None:
        self._names = subject.names
        self._found: dict[str, dict[str, None]] = {subject.name: {}, subject.owner: {}}
        places = Places(str(root))
        own = (path for path in sorted(root.rglob("*.py")) if places.own(str(path)) is not None)
        for path in itertools.islice(own, FILES_LIMIT):
            self._read(path)

    def of(self, name: str) -> list[str]:
        """Return the sources of the arguments of each distinct call, in the order of the files."""
        return list(self._found.get(name, ()))[:SITES_LIMIT]

    def _read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
            if not any(name and name in text for name in self._found):
                return
            self._take(ast.parse(text))
        except (OSError, SyntaxError, ValueError, RecursionError):
            # what cannot be read calls nothing
            return

    def _take(self, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self._note(node)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ">>>" in node.value:
                for example in doctest.DocTestParser().get_examples(node.value):
                    self._take(ast.parse(example.source))

    def _note(self, node: ast.Call) -> None:
        name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node.func, ast.Name | ast.Attribute) else ""
        if name not in self._found or not name:
            return
        sources = [portable(argument, self._names) for argument in node.args]
        named = [(each.arg, portable(each.value, self._names)) for each in node.keywords]
        parts = [*sources, *(f"{key}={text}" if key and text else None for key, text in named)]
        whole = [part for part in parts if part is not None]
        if len(whole) == len(parts):
            self._found[name][", ".join(whole)] = None
