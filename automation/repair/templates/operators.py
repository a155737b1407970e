"""Wrong operators: comparison, arithmetic, logic, signs, operands and their grouping."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed, shorten
from automation.repair.templates.kinds import NUMBER, TEXT

COMPARISON_TOKEN = re.compile(r"\bnot\s+in\b|\bis\s+not\b|\bis\b|\bin\b|<=|>=|==|!=|<|>")
_ARITHMETIC = re.compile(r"\*\*|//|<<|>>|[-+*/%&|^@]")
_AUGMENTED = re.compile(r"(?:\*\*|//|<<|>>|[-+*/%&|^@])=")
_LOGIC = re.compile(r"\band\b|\bor\b")
_COMPARISONS: dict[type[ast.cmpop], tuple[tuple[str, float], ...]] = {
    ast.Lt: (("<=", 1.0), (">", 0.5), (">=", 0.35), ("!=", 0.2), ("==", 0.1)),
    ast.LtE: (("<", 1.0), (">=", 0.5), (">", 0.35), ("==", 0.15), ("!=", 0.1)),
    ast.Gt: ((">=", 1.0), ("<", 0.5), ("<=", 0.35), ("!=", 0.2), ("==", 0.1)),
    ast.GtE: ((">", 1.0), ("<=", 0.5), ("<", 0.35), ("==", 0.15), ("!=", 0.1)),
    ast.Eq: (("!=", 0.7), (">=", 0.4), ("<=", 0.4), (">", 0.25), ("<", 0.25), ("in", 0.15), ("is", 0.1)),
    ast.NotEq: (("==", 0.8), ("<", 0.35), (">", 0.35), ("<=", 0.15), (">=", 0.15), ("not in", 0.1)),
    ast.Is: (("is not", 0.7), ("==", 0.6)),
    ast.IsNot: (("is", 0.7), ("!=", 0.6)),
    ast.In: (("not in", 0.9), ("==", 0.2)),
    ast.NotIn: (("in", 0.9), ("!=", 0.2)),
}
_OPERATORS: dict[type[ast.operator], tuple[tuple[str, float], ...]] = {
    ast.Add: (("-", 1.0), ("*", 0.5), ("|", 0.05), ("^", 0.03)),
    ast.Sub: (("+", 1.0), ("*", 0.2), ("/", 0.15), ("//", 0.15), ("%", 0.15)),
    ast.Mult: (("+", 0.6), ("**", 0.5), ("/", 0.5), ("//", 0.3), ("-", 0.2)),
    ast.Div: (("//", 1.0), ("*", 0.6), ("%", 0.4), ("-", 0.2)),
    ast.FloorDiv: (("/", 1.0), ("%", 0.7), ("*", 0.4), ("-", 0.1)),
    ast.Mod: (("//", 0.8), ("/", 0.4), ("*", 0.2), ("-", 0.2)),
    ast.Pow: (("*", 1.0), ("+", 0.1), ("//", 0.1), ("^", 0.05)),
    ast.BitAnd: (("|", 1.0), ("^", 0.7), ("-", 0.15), ("and", 0.2)),
    ast.BitOr: (("&", 1.0), ("^", 0.7), ("+", 0.2), ("-", 0.15), ("or", 0.2)),
    ast.BitXor: (("&", 1.0), ("|", 0.7), ("**", 0.5)),
    ast.LShift: ((">>", 1.0), ("<", 0.05)),
    ast.RShift: (("<<", 1.0), (">", 0.05)),
    ast.MatMult: (("*", 1.0),),
}
_NUMERIC_ONLY = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow, ast.Mod, ast.LShift, ast.RShift)


def comparisons(context: Context, site: Site) -> Iterator[Change]:
    """Propose other comparison operators, boundaries first."""
    for node in site.expressions:
        if not isinstance(node, ast.Compare):
            continue
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            start, end = context.module.span(left)[1], context.module.span(right)[0]
            literal = isinstance(right, ast.Constant) and right.value is not None
            for new, weight in _COMPARISONS[type(operator)]:
                likely = 1.0 if literal and isinstance(operator, ast.Is | ast.IsNot) and new in ("==", "!=") else weight
                change = context.token(start, end, COMPARISON_TOKEN, new, likely)
                if change:
                    yield change


def arithmetic(context: Context, site: Site) -> Iterator[Change]:
    """Propose other arithmetic and bit operators."""
    for node in site.expressions:
        if not isinstance(node, ast.BinOp):
            continue
        start, end = context.module.span(node.left)[1], context.module.span(node.right)[0]
        textual = TEXT in (site.scope.kind(node.left), site.scope.kind(node.right))
        for new, weight in _OPERATORS[type(node.op)]:
            change = context.token(start, end, _ARITHMETIC, f" {new} " if new.isalpha() else new, weight)
            if change:
                yield change if not textual else Change(change.edits, change.description, weight * 0.2)


def augmented(context: Context, site: Site) -> Iterator[Change]:
    """Propose other augmented assignments, and plain for augmented and the other way round."""
    statement, module = site.statement, context.module
    if isinstance(statement, ast.AugAssign):
        start, end = module.span(statement.target)[1], module.span(statement.value)[0]
        for new, weight in (*_OPERATORS[type(statement.op)], ("", 0.7)):
            if not new.isalpha():
                change = context.token(start, end, _AUGMENTED, f"{new}=", weight)
                if change:
                    yield change
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        start, end = module.span(target)[1], module.span(statement.value)[0]
        if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
            for new, weight in (("+=", 1.0), ("-=", 0.4), ("*=", 0.4), ("//=", 0.15), ("|=", 0.15), ("^=", 0.1)):
                change = context.token(start, end, re.compile("="), new, weight)
                if change:
                    yield change


def logic(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``and`` for ``or`` and the other way round."""
    for node in site.expressions:
        if isinstance(node, ast.BoolOp):
            new = "or" if isinstance(node.op, ast.And) else "and"
            edits: list[TextEdit] = []
            for left, right in zip(node.values, node.values[1:], strict=False):
                change = context.token(context.module.span(left)[1], context.module.span(right)[0], _LOGIC, new)
                if change:
                    yield change
                    edits += change.edits
            if len(edits) > 1:
                yield Change(tuple(edits), f"every operator becomes {new}", 0.6)


def signs(context: Context, site: Site) -> Iterator[Change]:
    """Propose a minus or ``not`` more or less."""
    for node in site.loads:
        parent = context.module.parents.get(node)
        if isinstance(node, ast.UnaryOp):
            if not isinstance(node.op, ast.UAdd):
                yield context.swap(node, context.code(node.operand), 1.0)
            if isinstance(node.op, ast.USub):
                yield context.swap(node, f"abs({context.code(node.operand)})", 0.2)
        elif isinstance(node, ast.Name | ast.Call | ast.Subscript | ast.Attribute) and site.scope.kind(node) in (
            NUMBER,
            "",
        ):
            inside_call = isinstance(parent, ast.Call) and parent.func is node
            if not inside_call and not isinstance(parent, ast.Attribute | ast.UnaryOp | ast.Subscript | ast.Expr):
                weight = 0.4 if site.scope.kind(node) == NUMBER else 0.15
                yield context.swap(node, f"-{context.code(node)}", weight)
        elif isinstance(node, ast.BinOp) and isinstance(parent, ast.Return | ast.Call | ast.keyword | ast.Lambda):
            yield context.swap(node, f"-({context.code(node)})", 0.15)


def operands(context: Context, site: Site) -> Iterator[Change]:
    """Propose operands that trade places, and an operand dropped."""
    for node in site.expressions:
        if isinstance(node, ast.BinOp):
            kinds = site.scope.kind(node.left), site.scope.kind(node.right)
            if isinstance(node.op, _NUMERIC_ONLY) or (isinstance(node.op, ast.Add) and NUMBER not in kinds):
                yield context.exchange(node.left, node.right, 0.9 if isinstance(node.op, ast.Sub | ast.Div) else 0.6)
            constant = isinstance(node.right, ast.Constant)
            yield context.swap(node, context.code(node.left), 1.0 if constant else 0.6)
            yield context.swap(node, context.code(node.right), 0.5)
        if isinstance(node, ast.Compare) and isinstance(node.ops[-1], ast.In | ast.NotIn):
            yield context.exchange(node.left, node.comparators[0], 0.4)


def grouping(context: Context, site: Site) -> Iterator[Change]:
    """Propose the same operands grouped in another way."""
    for node in site.expressions:
        if isinstance(node, ast.BinOp):
            yield from _regrouped(context, node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BoolOp | ast.BinOp):
            yield _sign_on_first(context, node, node.operand)


def _regrouped(context: Context, node: ast.BinOp) -> Iterator[Change]:
    def side(operand: ast.expr) -> str:
        return bracketed(context.code(operand))

    outer = _operator_text(context, node)
    if isinstance(node.left, ast.BinOp):
        inner = _operator_text(context, node.left)
        tail = f"({side(node.left.right)} {outer} {side(node.right)})"
        yield context.swap(node, f"{side(node.left.left)} {inner} {tail}")
    if isinstance(node.right, ast.BinOp):
        inner = _operator_text(context, node.right)
        head = f"({side(node.left)} {outer} {side(node.right.left)})"
        yield context.swap(node, f"{head} {inner} {side(node.right.right)}")


def _sign_on_first(context: Context, node: ast.UnaryOp, inner: ast.BoolOp | ast.BinOp) -> Change:
    head = inner.values[0] if isinstance(inner, ast.BoolOp) else inner.left
    start, end = context.module.span(node)
    sign = context.module.text[start : context.module.span(inner)[0]].rstrip("(").strip()
    first = f"{sign} {bracketed(context.code(head))}" if sign == "not" else f"{sign}{bracketed(context.code(head))}"
    new = first + context.module.text[context.module.span(head)[1] : context.module.span(inner)[1]]
    return Change((TextEdit(start, end, f"({new})"),), f"{shorten(context.code(node))} becomes {shorten(new)}", 0.8)


def _operator_text(context: Context, node: ast.BinOp) -> str:
    start, end = context.module.span(node.left)[1], context.module.span(node.right)[0]
    match = _ARITHMETIC.search(context.module.gap(start, end))
    return match.group() if match else "+"
