"""Whole lines: put statements in, take them out, indent them anew."""

from __future__ import annotations

import ast

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, shorten
from automation.repair.templates.modules import Function


def block_is_clear(context: Context, statement: ast.stmt) -> bool:
    """Return whether a statement has its lines to itself and holds no text over several lines."""
    return context.module.stands_alone(statement) and not any(
        isinstance(node, ast.Constant | ast.JoinedStr) and (node.end_lineno or 0) > node.lineno
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant | ast.JoinedStr)
    )


def before(context: Context, statement: ast.stmt, text: str, weight: float = 1.0) -> Change:
    """Return the change that puts a statement on a line before another one."""
    return Change(
        (inserted_before(context, statement, text),), f"{shorten(text)} comes before line {statement.lineno}", weight
    )


def after(context: Context, statement: ast.stmt, text: str, weight: float = 1.0) -> Change:
    """Return the change that puts a statement on a line behind another one."""
    line = statement.end_lineno or statement.lineno
    edit = inserted(context, statement, text, context.module.indent_of(statement))
    return Change((edit,), f"{shorten(text)} comes after line {line}", weight)


def inserted(context: Context, statement: ast.stmt, text: str, indent: str) -> TextEdit:
    """Return the edit that puts lines behind a statement, with an indent of their own."""
    at = context.module.line_end(statement.end_lineno or statement.lineno)
    newline = context.module.source.newline
    return TextEdit(at, at, newline + lines_at(text, indent, newline))


def inserted_before(context: Context, statement: ast.stmt, text: str) -> TextEdit:
    """Return the edit that puts lines before a statement at its indent."""
    newline = context.module.source.newline
    start = context.module.line_start(context.module.first_line(statement))
    return TextEdit(start, start, lines_at(text, context.module.indent_of(statement), newline) + newline)


def removed(context: Context, statement: ast.stmt) -> TextEdit:
    """Return the edit that takes out a statement's lines, or leaves ``pass`` where the block would be empty."""
    start, end = context.module.lines_span(statement)
    if len(context.module.blocks.get(statement, ())) == 1:
        return TextEdit(*context.module.span(statement), "pass")
    return TextEdit(start, end, "")


def block_text(context: Context, statement: ast.stmt) -> str:
    """Return a statement's lines with its own indent taken off, without the last line end."""
    start, end = context.module.lines_span(statement)
    indent = context.module.indent_of(statement)
    lines = context.module.text[start:end].splitlines()
    return "\n".join(line.removeprefix(indent) for line in lines)


def lines_at(text: str, indent: str, newline: str) -> str:
    """Return lines at an indent."""
    return newline.join(indent + line if line else line for line in text.split("\n"))


def first_body_statement(function: Function) -> ast.stmt:
    """Return the statement that a function begins with, behind its docstring."""
    first, *rest = function.body
    is_docstring = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return rest[0] if is_docstring and rest else first


def is_docstring(statement: ast.stmt) -> bool:
    """Return whether a statement is only a text."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
