"""Statements in the wrong place: order, depth, one too many."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import (
    block_is_clear,
    block_text,
    inserted,
    inserted_before,
    is_docstring,
    lines_at,
    removed,
)
from automation.repair.templates.changes import Change, Context, Site, shorten

_NO_BLOCK = (ast.Module, ast.ClassDef)


def order(context: Context, site: Site) -> Iterator[Change]:
    """Propose a statement before its neighbour, behind it, or first or last in its block."""
    module, statement = context.module, site.statement
    block = module.blocks.get(statement, [])
    if not _movable(context, statement):
        return
    at = block.index(statement)
    for one, other, weight in _neighbours(block, at):
        if block_is_clear(context, one) and block_is_clear(context, other) and not is_docstring(one):
            yield _exchanged(context, one, other, weight)
    for target, weight in ((block[0], 0.3), (block[-1], 0.3)):
        if abs(block.index(target) - at) > 1 and block_is_clear(context, target) and not is_docstring(target):
            text = block_text(context, statement)
            early = target is block[0]
            indent = module.indent_of(target)
            put = inserted_before(context, target, text) if early else inserted(context, target, text, indent)
            yield _moved(context, statement, put, "first" if early else "last", weight)


def _neighbours(block: list[ast.stmt], at: int) -> Iterator[tuple[ast.stmt, ast.stmt, float]]:
    if at + 1 < len(block):
        yield block[at], block[at + 1], 1.0
    if at > 0:
        yield block[at - 1], block[at], 1.0


def _exchanged(context: Context, one: ast.stmt, other: ast.stmt, weight: float) -> Change:
    module, newline = context.module, context.module.source.newline
    start, end = module.line_start(module.first_line(one)), module.line_end(other.end_lineno or other.lineno)
    indent = module.indent_of(one)
    between = module.text[module.lines_span(one)[1] : module.lines_span(other)[0]]
    first, second = (lines_at(block_text(context, item), indent, newline) for item in (other, one))
    description = f"lines {one.lineno} and {other.lineno} trade places"
    return Change((TextEdit(start, end, first + newline + between + second),), description, weight)


def depth(context: Context, site: Site) -> Iterator[Change]:
    """Propose a statement out of the block around it, or into the block before or behind it."""
    statement = site.statement
    if not _movable(context, statement):
        return
    yield from _outwards(context, statement)
    yield from _inwards(context, statement)


def _outwards(context: Context, statement: ast.stmt) -> Iterator[Change]:
    module = context.module
    block, text, weight = module.blocks[statement], block_text(context, statement), 1.0
    above = module.parents.get(statement)
    while isinstance(above, ast.If | ast.For | ast.While | ast.With | ast.Try | ast.AsyncFor | ast.AsyncWith):
        if not module.stands_alone(above) or module.text[slice(*module.span(above))].startswith("elif"):
            break
        indent = module.indent_of(above)
        if statement is block[-1] or isinstance(statement, ast.Return):
            yield _moved(context, statement, inserted(context, above, text, indent), "out of the block", weight)
        if statement is block[0]:
            yield _moved(context, statement, inserted_before(context, above, text), "before the block", weight * 0.7)
        if statement is not block[-1]:
            yield _moved(context, statement, inserted(context, above, text, indent), "behind the block", weight * 0.4)
        above, weight = module.parents.get(above), weight * 0.6


def _inwards(context: Context, statement: ast.stmt) -> Iterator[Change]:
    module, block = context.module, context.module.blocks[statement]
    at, text = block.index(statement), block_text(context, statement)
    inner: ast.stmt | None = block[at - 1] if at > 0 else None
    weight = 1.0
    while isinstance(inner, ast.If | ast.For | ast.While | ast.With | ast.Try):
        for body in (inner.body, getattr(inner, "orelse", [])):
            if body and block_is_clear(context, body[-1]) and module.first_line(body[0]) > inner.lineno:
                indent = module.indent_of(body[-1])
                if len(indent) > len(module.indent_of(inner)):
                    put = inserted(context, body[-1], text, indent)
                    yield _moved(context, statement, put, "into the block before", weight)
        inner, weight = inner.body[-1], weight * 0.6
    following = block[at + 1] if at + 1 < len(block) else None
    if not isinstance(following, ast.If | ast.For | ast.While):
        return
    first = following.body[0]
    if block_is_clear(context, first) and module.first_line(first) > following.lineno:
        put = inserted_before(context, first, text)
        yield _moved(context, statement, put, "into the block behind", 0.7)


def deletion(context: Context, site: Site) -> Iterator[Change]:
    """Propose to leave a statement out, or to keep only what a block holds."""
    statement, module = site.statement, context.module
    if not block_is_clear(context, statement) or is_docstring(statement):
        return
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Pass | ast.Import):
        return
    yield Change((removed(context, statement),), f"{shorten(module.code(statement))} goes", 1.0)
    if (
        isinstance(statement, ast.If | ast.For | ast.While | ast.With)
        and module.first_line(statement.body[0]) > statement.lineno
    ):
        for body in (statement.body, getattr(statement, "orelse", [])):
            if body and not module.text[slice(*module.span(statement))].startswith("elif"):
                newline, indent = module.source.newline, module.indent_of(statement)
                text = newline.join(lines_at(block_text(context, item), indent, newline) for item in body)
                start = module.line_start(statement.lineno)
                edit = TextEdit(start, module.line_end(statement.end_lineno or statement.lineno), text)
                yield Change((edit,), f"only the block of line {statement.lineno} stays", 0.4)


def _movable(context: Context, statement: ast.stmt) -> bool:
    if isinstance(context.module.parents.get(statement), _NO_BLOCK) or is_docstring(statement):
        return False
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    return statement in context.module.blocks and block_is_clear(context, statement)


def _moved(context: Context, statement: ast.stmt, put: TextEdit, where: str, weight: float) -> Change:
    edits = tuple(sorted((removed(context, statement), put)))
    return Change(edits, f"{shorten(context.module.code(statement))} moves {where}", weight)
