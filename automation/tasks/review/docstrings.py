"""Docstrings: how many public definitions say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from automation.tasks.review.findings import BEST, CheckSkipped, Finding, Findings, Severity, share_score
from automation.tasks.review.ground import Ground, ParsedFile, decorator_word
from automation.tasks.review.tools import Tools

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_TOPIC = "docstrings 1"
_NEEDLESS = frozenset({"overload", "override", "setter", "deleter", "register"})


@dataclass(frozen=True, slots=True)
class DocstringsCheck:
    """The share of public modules, classes, functions and methods that have a docstring."""

    name: str = "docstrings"
    weight: float = 1.0

    def look(self, ground: Ground, tools: Tools) -> Findings:
        """Count the docstrings of the scope that is no test."""
        files = ground.require_product().values()
        facts = ground.facts(_TOPIC, files, _told)
        wanted = [(path, *row) for path, rows in facts.items() for row in rows if ground.scope.holds(path, row[1])]
        if not wanted:
            raise CheckSkipped("it holds nothing public to document")
        bare = [_finding(path, name, line, column) for path, name, line, column, is_told in wanted if not is_told]
        good = len(wanted) - len(bare)
        score = share_score(good, len(wanted)) if bare else BEST
        figure = f"{good:,} of {len(wanted):,} public definitions ({good / len(wanted):.0%})"
        return Findings(self.name, self.weight, figure, score, ground.inside(bare))


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

    @property
    def column(self) -> int:
        """Column of its header, from 1."""
        return 1 if isinstance(self.node, ast.Module) else self.node.col_offset + 1


def documentable(file: ParsedFile) -> Iterator[Documentable]:
    """Yield what should have a docstring: the module unless it is empty, and what is public in it."""
    if file.tree.body:
        yield Documentable(file.path, "", file.tree)
    yield from _public(file.path, file.tree, "")


def _told(file: ParsedFile) -> list[tuple[str, int, int, bool]]:
    return [(each.name, each.line, each.column, bool(ast.get_docstring(each.node))) for each in documentable(file)]


def _finding(path: str, name: str, line: int, column: int) -> Finding:
    message = f"{name or 'the module'} has no docstring; `gridbot document {path}` writes it"
    return Finding(path, line, column, Severity.INFO, message, "docstring")


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
