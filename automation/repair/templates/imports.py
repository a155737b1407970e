"""Misspelt imports: a module or a name that nothing is called, and what comes closest to it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site

_CLOSE = 0.6
_MOST = 4


def misspelt_imports(context: Context, site: Site) -> Iterator[Change]:
    """Propose modules and names that are spelt like those that an import statement asks for."""
    statement = site.statement
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield from _renamed(context, alias, _modules(context))
    elif isinstance(statement, ast.ImportFrom):
        for alias in statement.names:
            yield from _renamed(context, alias, (*context.vocabulary.signatures, *context.vocabulary.imports))
        yield from _from_another(context, statement)


def _modules(context: Context) -> Iterable[str]:
    statements = context.vocabulary.imports.values()
    return (*sys.stdlib_module_names, *(words.split()[1] for words in statements))


def _renamed(context: Context, alias: ast.alias, known: Iterable[str]) -> Iterator[Change]:
    start = context.module.offset(alias.lineno, alias.col_offset)
    for name in get_close_matches(alias.name, set(known) - {alias.name}, _MOST, _CLOSE):
        uses = [node for node in ast.walk(context.module.tree) if isinstance(node, ast.Name) and node.id == alias.name]
        edits = [TextEdit(start, start + len(alias.name), name)]
        yield Change(tuple(edits), f"{alias.name} becomes {name}", 1.0)
        if uses and alias.asname is None:
            edits += [TextEdit(*context.module.span(node), name) for node in uses]
            yield Change(tuple(sorted(edits)), f"{alias.name} becomes {name} wherever it is used", 1.0)


def _from_another(context: Context, statement: ast.ImportFrom) -> Iterator[Change]:
    if not statement.module or statement.level:
        return
    start, end = context.module.span(statement)
    at = context.module.source.text.find(statement.module, start, end)
    for name in get_close_matches(statement.module, set(_modules(context)) - {statement.module}, _MOST, _CLOSE):
        edit = TextEdit(at, at + len(statement.module), name)
        yield Change((edit,), f"{statement.module} becomes {name}", 0.8)
