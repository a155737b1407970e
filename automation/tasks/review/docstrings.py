"""Docstrings: how many public definitions say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from automation.tasks.review.findings import BEST, CheckSkipped, Finding, Findings, Severity, share_score
from automation.tasks.review.ground import Ground, ParsedFile, decorator_word
from automation.tasks.review.tools import Tools

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_NEEDLESS = frozenset({"overload", "override", "setter", "deleter", "register"})


@dataclass(frozen=True, slots=True)
class DocstringsCheck:
    """The share of public modules, classes, functions and methods that have a docstring."""

    name: str = "docstrings"
    weight: float = 1.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Count the docstrings of the scope that is no test."""
        files = ground.require_product().values()
        wanted = [each for file in files for each in documentable(file) if ground.scope.holds(file.path, each.line)]
        if not wanted:
            raise CheckSkipped("it holds nothing public to document")
        bare = [each for each in wanted if not ast.get_docstring(each.node)]
        good = len(wanted) - len(bare)
        score = share_score(good, len(wanted)) if bare else BEST
        figure = f"{good:,} of {len(wanted):,} public definitions ({good / len(wanted):.0%})"
        return Findings(self.name, self.weight, figure, score, ground.inside(each.finding() for each in bare))


@dataclass(frozen=True, slots=True)
class Documentable:
    """A public definition, or a module.

    Parameters
    ----------
    path : str
        Its file.
    name : str
        Qualified inside the file; empty for the module.
    node : ast node
        Its definition.
    owner : ast.ClassDef or None
        The class of a method.
    """

    path: str
    name: str
    node: ast.Module | Definition
    owner: ast.ClassDef | None = None

    @property
    def line(self) -> int:
        """Line of its header, 1 for the module."""
        return 1 if isinstance(self.node, ast.Module) else self.node.lineno

    def finding(self) -> Finding:
        """Return what is told of it when it has no docstring."""
        column = 1 if isinstance(self.node, ast.Module) else self.node.col_offset + 1
        message = f"{self.name or 'the module'} has no docstring; `gridbot document {self.path}` writes it"
        return Finding(self.path, self.line, column, Severity.INFO, message, "docstring")


def documentable(file: ParsedFile) -> Iterator[Documentable]:
    """Yield what should have a docstring: the module unless it is empty, and what is public in it."""
    if file.tree.body:
        yield Documentable(file.path, "", file.tree)
    yield from _public(file.path, file.tree, "")


def _public(path: str, around: ast.Module | ast.ClassDef, prefix: str) -> Iterator[Documentable]:
    owner = around if isinstance(around, ast.ClassDef) else None
    for node in around.body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        if isinstance(node, ast.ClassDef):
            yield Documentable(path, prefix + node.name, node, owner)
            yield from _public(path, node, f"{prefix}{node.name}.")
        elif not _NEEDLESS.intersection(map(decorator_word, node.decorator_list)):
            yield Documentable(path, prefix + node.name, node, owner)
