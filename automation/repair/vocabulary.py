"""What a repository's own code says about which names exist and which are easily confused."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from automation.codebase.sources import SourceFile
from automation.repair.confusions import FUNCTION_GROUPS, METHOD_GROUPS, usual_import
from automation.repair.normalise import UNREADABLE

_EXCEPTIONS = ("ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "ZeroDivisionError")


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function, ``self`` left out, with how many of the positional ones must be given."""

    parameters: tuple[str, ...]
    required: int


@dataclass(frozen=True)
class Vocabulary:
    """Names that a repository uses, with how often.

    Parameters
    ----------
    attributes : mapping of str to int
        Attribute and method names, by uses and definitions.
    shared : mapping of str to tuple of str
        Attribute to the attributes that are used on receivers of the same name.
    signatures : mapping of str to Signature
        Function, method or class name to its parameters; names with several signatures are left out.
    keywords : mapping of str to int
        Names of keyword arguments in calls and of parameters.
    constants : mapping of str to int
        Source text of number and short string literals.
    exceptions : mapping of str to int
        Names that are raised or caught.
    imports : mapping of str to str
        Name to the import statement that the repository most often gets it by.
    """

    attributes: Mapping[str, int] = field(default_factory=dict)
    shared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    keywords: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, int] = field(default_factory=dict)
    exceptions: Mapping[str, int] = field(default_factory=dict)
    imports: Mapping[str, str] = field(default_factory=dict)

    def attribute_alternatives(self, name: str, limit: int = 12) -> tuple[str, ...]:
        """Return attributes or methods that may have been meant instead, likeliest first."""
        groups = [other for group in METHOD_GROUPS if name in group for other in group]
        close = get_close_matches(name, self.attributes, n=5, cutoff=0.6)
        similar = [other for other in self.shared.get(name, ()) if other not in close]
        return _unlike(name, [*groups, *close, *similar])[:limit]

    def function_alternatives(self, name: str, limit: int = 8) -> tuple[str, ...]:
        """Return functions that may have been meant instead, likeliest first."""
        groups = [other for group in FUNCTION_GROUPS if name in group for other in group]
        return _unlike(name, [*groups, *get_close_matches(name, self.signatures, n=4, cutoff=0.6)])[:limit]

    def keyword_alternatives(self, name: str, limit: int = 4) -> tuple[str, ...]:
        """Return keyword names close to one that may be misspelt."""
        return _unlike(name, get_close_matches(name, self.keywords, n=limit, cutoff=0.6))

    def import_for(self, name: str) -> str | None:
        """Return the statement that brings a name in: the repository's own way, else the standard library's."""
        return self.imports.get(name) or usual_import(name)

    def exception_alternatives(self, name: str, limit: int = 8) -> tuple[str, ...]:
        """Return exceptions that may have been meant instead: the repository's commonest, then the usual ones."""
        own = sorted(self.exceptions, key=lambda other: (-self.exceptions[other], other))
        return _unlike(name, [*own[:limit], *_EXCEPTIONS])[:limit]


def learn_vocabulary(sources: Iterable[SourceFile]) -> Vocabulary:
    """Read what a repository's files use and define; files that do not parse teach nothing.

    Parameters
    ----------
    sources : iterable of SourceFile
        The repository's Python files.

    Returns
    -------
    Vocabulary
        What was learned.
    """
    learner = _Learner()
    for source in sources:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source.text)
        except UNREADABLE:
            continue
        for node in ast.walk(tree):
            learner.learn(node)
    return learner.result()


def signature_of(node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool) -> Signature:
    """Return a function's parameters, the first one left out for a method that is not static."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    required = len(names) - len(node.args.defaults)
    static = any(isinstance(item, ast.Name) and item.id == "staticmethod" for item in node.decorator_list)
    if method and not static and names:
        names, required = names[1:], max(required - 1, 0)
    return Signature((*names, *(argument.arg for argument in node.args.kwonlyargs)), required)


def _unlike(name: str, others: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(other for other in others if other != name))


class _Learner:
    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {
            kind: Counter() for kind in ("attributes", "keywords", "constants", "exceptions")
        }
        self.imports: dict[str, Counter[str]] = {}
        self.signatures: dict[str, set[Signature]] = {}
        self.receivers: dict[str, Counter[str]] = {}

    def learn(self, node: ast.AST) -> None:
        match node:
            case ast.Attribute(value=value, attr=name):
                self.counts["attributes"][name] += 1
                if isinstance(value, ast.Name):
                    self.receivers.setdefault(value.id, Counter())[name] += 1
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, method=False)
            case ast.ClassDef():
                self._class(node)
            case ast.keyword(arg=str(name)):
                self.counts["keywords"][name] += 1
            case ast.Constant(value=int() | float() | str() as value) if len(repr(value)) <= 24:
                self.counts["constants"][repr(value)] += 1
            case ast.Raise(exc=ast.Call(func=ast.Name(id=name))) | ast.ExceptHandler(type=ast.Name(id=name)):
                self.counts["exceptions"][name] += 1
            case ast.Import() | ast.ImportFrom():
                self._import(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool) -> None:
        if not method and node.args.args and node.args.args[0].arg in {"self", "cls"}:
            return
        for argument in (*node.args.args, *node.args.kwonlyargs):
            self.counts["keywords"][argument.arg] += 1
        self.signatures.setdefault(node.name, set()).add(signature_of(node, method=method))

    def _class(self, node: ast.ClassDef) -> None:
        for item in node.body:
            if not isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            self.counts["attributes"][item.name] += 1
            self.receivers.setdefault("self", Counter())[item.name] += 1
            self._function(item, method=True)
            if item.name == "__init__":
                self.signatures.setdefault(node.name, set()).add(signature_of(item, method=True))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.ImportFrom) and (node.level or node.module == "__future__"):
            return
        origin = "" if isinstance(node, ast.Import) else f"from {node.module} "
        for alias in node.names:
            bound = alias.asname or alias.name.split(".")[0]
            renamed = f" as {alias.asname}" if alias.asname else ""
            if alias.name != "*" and not hasattr(builtins, bound):
                self.imports.setdefault(bound, Counter())[f"{origin}import {alias.name}{renamed}"] += 1

    def result(self) -> Vocabulary:
        shared: dict[str, Counter[str]] = {}
        for used in self.receivers.values():
            common = [name for name, _ in used.most_common(40)]
            for name in common:
                shared.setdefault(name, Counter()).update({other: used[other] for other in common if other != name})
        return Vocabulary(
            attributes=self.counts["attributes"],
            shared={name: tuple(other for other, _ in found.most_common(8)) for name, found in shared.items()},
            signatures={name: next(iter(found)) for name, found in self.signatures.items() if len(found) == 1},
            keywords=self.counts["keywords"],
            constants=self.counts["constants"],
            exceptions=self.counts["exceptions"],
            imports={name: found.most_common(1)[0][0] for name, found in self.imports.items()},
        )
