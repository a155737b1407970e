"""Wrong control flow: ``break`` and ``continue``, ``while`` and ``if``, ``elif`` and ``else``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import block_is_clear, inserted
from automation.repair.templates.changes import Change, Context, Site

_KEYWORD = re.compile(r"elif|if|while")


def jumps(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``continue`` for ``break`` and the other way round, ``pass`` and ``return``."""
    start, end = context.module.span(site.statement)
    own = {ast.Break: "break", ast.Continue: "continue", ast.Pass: "pass"}.get(type(site.statement), "")
    weights = {"break": 1.0, "continue": 1.0, "return": 0.5, "pass": 0.5, "return False": 0.3, "return True": 0.3}
    if own:
        for new, weight in weights.items():
            yield Change((TextEdit(start, end, new),), f"{own} becomes {new}", weight)
    if isinstance(site.statement, ast.Return) and site.function is not None:
        for new in ("break", "continue"):
            yield Change((TextEdit(start, end, new),), f"return becomes {new}", 0.4)


def keywords(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``while`` for ``if``, ``if`` for ``while`` and ``elif``, ``elif`` for ``if``."""
    statement, module = site.statement, context.module
    if not isinstance(statement, ast.If | ast.While):
        return
    start, end = module.span(statement)[0], module.span(statement.test)[0]
    written = module.text[start:end]
    if isinstance(statement, ast.While) or not statement.orelse:
        new = "if" if isinstance(statement, ast.While) else "while"
        if not written.startswith("elif"):
            change = context.token(start, end, _KEYWORD, new, 0.8 if new == "while" else 0.5)
            if change:
                yield change
    if written.startswith("elif"):
        yield Change((TextEdit(start, start + 4, "if"),), "elif becomes if", 1.0)
    elif isinstance(statement, ast.If):
        block = module.blocks.get(statement, [])
        at = block.index(statement) if statement in block else 0
        if at > 0 and isinstance(block[at - 1], ast.If):
            yield Change((TextEdit(start, start + 2, "elif"),), "if becomes elif", 1.0)


def otherwise(context: Context, site: Site) -> Iterator[Change]:
    """Propose a missing ``else`` before what follows, and the two branches exchanged."""
    statement, module = site.statement, context.module
    if not isinstance(statement, ast.If) or not module.stands_alone(statement):
        return
    newline, unit = module.source.newline, module.indent_unit
    block = module.blocks.get(statement, [])
    at = block.index(statement) if statement in block else len(block)
    is_elif = module.text[slice(*module.span(statement))].startswith("elif")
    if not statement.orelse and at + 1 < len(block) and block_is_clear(context, block[at + 1]) and not is_elif:
        following = block[at + 1]
        start, end = module.lines_span(following)
        lines = module.text[start:end].splitlines(keepends=True)
        indented = "".join(unit + line if line.strip() else line for line in lines)
        edit = TextEdit(start, end, f"{module.indent_of(statement)}else:{newline}{indented}")
        yield Change((edit,), f"line {following.lineno} becomes the else branch", 0.8)
    if not statement.orelse and site.function is not None:
        for text in ("return False", "return True", "return None", "break", "continue"):
            tail = f"else:\n{unit}{text}"
            edit = inserted(context, statement, tail, module.indent_of(statement))
            yield Change((edit,), f"else {text}", 0.3)
        for name in site.scope.variables[:10]:
            if site.scope.kinds.get(name) == "number":
                for step in (f"{name} += 1", f"{name} -= 1", f"{name} = 0"):
                    edit = inserted(context, statement, f"else:\n{unit}{step}", module.indent_of(statement))
                    yield Change((edit,), f"else {step}", 0.15)
    yield from _exchanged_branches(context, statement)


def _exchanged_branches(context: Context, statement: ast.If) -> Iterator[Change]:
    module = context.module
    if not statement.orelse or isinstance(statement.orelse[0], ast.If):
        return
    spans = []
    for body in (statement.body, statement.orelse):
        if not all(block_is_clear(context, item) for item in body):
            return
        spans.append((module.line_start(module.first_line(body[0])), module.line_end(body[-1].end_lineno or 0)))
    (one, one_end), (two, two_end) = spans
    edits = (TextEdit(one, one_end, module.text[two:two_end]), TextEdit(two, two_end, module.text[one:one_end]))
    yield Change(edits, f"the branches of line {statement.lineno} trade places", 0.8)
