"""Wrong conditions: negated, dropped, too weak or too strong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import permutations

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed, shorten
from automation.repair.templates.kinds import CONTAINER, DICT, NUMBER, SET, TEXT

_MOST_ADDED = 40


def negations(context: Context, site: Site) -> Iterator[Change]:
    """Propose the opposite of a condition."""
    for test in tests_of(context, site):
        yield context.swap(test, context.negated(test), 1.0)
        if isinstance(test, ast.BoolOp):
            for part in test.values:
                yield context.swap(part, context.negated(part), 0.7)
    for node in site.expressions:
        parent = context.module.parents.get(node)
        boolean = isinstance(node, ast.Compare | ast.BoolOp) or site.scope.kind(node) == "bool"
        if isinstance(parent, ast.Return | ast.Assign) and boolean and not isinstance(node, ast.Constant):
            yield context.swap(node, context.negated(node), 0.6)


def dropped(context: Context, site: Site) -> Iterator[Change]:
    """Propose a condition with one of its parts left out, or left out as a whole."""
    for node in site.expressions:
        if isinstance(node, ast.BoolOp):
            operator = " and " if isinstance(node.op, ast.And) else " or "
            for at in range(len(node.values)):
                rest = [context.code(part) for other, part in enumerate(node.values) if other != at]
                yield context.swap(node, rest[0] if len(rest) == 1 else operator.join(map(bracketed, rest)), 1.0)
        if isinstance(node, ast.Compare) and len(node.ops) == 2:
            middle = node.comparators[0]
            start, end = context.module.span(node)
            inner = context.module.span(middle)
            for text in (context.module.text[start : inner[1]], context.module.text[inner[0] : end]):
                yield context.swap(node, text, 0.7)
    for test in tests_of(context, site):
        parent = context.module.parents.get(test)
        if not isinstance(test, ast.Constant):
            yield context.swap(test, "True", 0.5)
            yield context.swap(test, "False", 0.25 if not isinstance(parent, ast.While) else 0.05)
        if isinstance(parent, ast.comprehension):
            yield from _without_filter(context, parent, test)


def _without_filter(context: Context, parent: ast.comprehension, test: ast.expr) -> Iterator[Change]:
    at = parent.ifs.index(test)
    before = parent.iter if at == 0 else parent.ifs[at - 1]
    start, end = context.module.span(before)[1], context.module.span(test)[1]
    opened = context.module.gap(start, context.module.span(test)[0])
    if opened.strip() == "if":
        yield Change((TextEdit(start, end, ""),), f"filter {shorten(context.code(test))} goes", 0.7)


def added(context: Context, site: Site) -> Iterator[Change]:
    """Propose a further condition: one that the function tests elsewhere, or a check for None, empty or bounds."""
    for test in tests_of(context, site):
        code = bracketed(context.code(test)) if isinstance(test, ast.BoolOp | ast.IfExp) else context.code(test)
        for extra, weight in _further(context, site, test)[:_MOST_ADDED]:
            if extra == context.code(test):
                continue
            safe = bracketed(extra) if " or " in extra or " and " in extra or " if " in extra else extra
            before = any(part in extra for part in ("is not None", "len(", " < ")) or " " not in extra
            for operator in ("and", "or"):
                halved = 0.8 if operator == "or" else 1.0
                yield context.swap(test, f"{code} {operator} {safe}", weight * halved)
                if before:
                    yield context.swap(test, f"{safe} {operator} {code}", weight * halved * 0.8)


def filters(context: Context, site: Site) -> Iterator[Change]:
    """Propose a filter in a comprehension that has none."""
    for node in site.expressions:
        if not isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        last = node.generators[-1]
        names = [item.id for item in ast.walk(last.target) if isinstance(item, ast.Name)]
        pool = [*names, *(f"{name} is not None" for name in names), *(f"not {name}" for name in names)]
        pool += [f"{name}.{test}()" for name in names for test in _predicates(site, name)]
        pool += [condition for condition in site.scope.conditions if any(name in condition for name in names)]
        for name in names:
            pool += [f"{name} != {other}" for other in site.scope.parameters]
            pool += [f"{name} not in {other}" for other in site.scope.variables if other != name][:4]
        end = context.module.span(last.ifs[-1] if last.ifs else last.iter)[1]
        while context.module.text[end : end + 1] == ")" and end < context.module.span(node)[1] - 1:
            end += 1
        for condition in dict.fromkeys(pool):
            yield Change((TextEdit(end, end, f" if {condition}"),), f"only if {shorten(condition)}", 0.5)


def _predicates(site: Site, name: str) -> tuple[str, ...]:
    textual = site.scope.kinds.get(name, "") in (TEXT, "") and any(part in name for part in ("char", "text", "word"))
    return ("isalnum", "isalpha", "isdigit", "strip") if textual or site.scope.kinds.get(name) == TEXT else ()


def compared(context: Context, site: Site) -> Iterator[Change]:
    """Propose a comparison where only a value is tested, and a test of the value where it is compared."""
    for test in tests_of(context, site):
        operand = test.operand if isinstance(test, ast.UnaryOp) else test
        code = bracketed(context.code(operand))
        negative = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
        if isinstance(operand, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            choices = ("is None", "== 0", "== 1", "<= 0", "<= 1") if negative else ("is not None", "> 0", "> 1", "!= 0")
            for text in choices:
                yield context.swap(test, f"{code} {text}", 0.6)
        if isinstance(test, ast.BinOp):
            for text in ("== 0", "!= 0", "> 0", "== 1"):
                yield context.swap(test, f"{context.code(test)} {text}", 0.7)
        if isinstance(test, ast.Compare):
            yield context.swap(test, context.code(test.left), 0.5)
            yield context.swap(test, f"not {bracketed(context.code(test.left))}", 0.3)
    value = site.statement.value if isinstance(site.statement, ast.Return) else None
    if isinstance(value, ast.BinOp):
        likely = 1.0 if isinstance(value.op, ast.Mod) else 0.2
        for text in ("== 0", "!= 0", "> 0"):
            yield context.swap(value, f"{context.code(value)} {text}", likely)


def safeguards(context: Context, site: Site) -> Iterator[Change]:
    """Propose to test first whether there is something to read from, and a loop that ends when something is used up."""
    for test in tests_of(context, site):
        code = bracketed(context.code(test)) if isinstance(test, ast.BoolOp | ast.IfExp) else context.code(test)
        for base in _bases(context, test):
            for extra, weight in ((f"{base} is not None and", 1.0), (f"{base} and", 1.0)):
                yield context.swap(test, f"{extra} {code}", weight)
            for extra, weight in ((f"{base} is None or", 0.9), (f"not {base} or", 0.9)):
                yield context.swap(test, f"{extra} {code}", weight)
        for extra, weight in _inside(context, site, test):
            yield context.swap(test, f"{extra} {code}", weight)
        if isinstance(test, ast.Constant | ast.Name):
            yield from _built_anew(context, site, test)


def _inside(context: Context, site: Site, test: ast.expr) -> Iterator[tuple[str, float]]:
    for node in ast.walk(test):
        match node:
            case ast.Subscript(
                value=ast.Name(id=name) as holder, slice=ast.Name() | ast.BinOp() | ast.Subscript() as at
            ):
                index, kind = context.code(at), site.scope.kind(holder)
            case _:
                continue
        if kind not in (DICT, SET):
            yield f"{index} < len({name}) and", 1.0
            yield f"{index} >= 0 and", 0.7
        if kind in (DICT, CONTAINER, ""):
            yield f"{index} not in {name} or", 1.2
            yield f"{index} in {name} and", 1.2


def _built_anew(context: Context, site: Site, test: ast.Constant | ast.Name) -> Iterator[Change]:
    kinds, code = site.scope.kinds, context.code(test)
    numbers = [name for name in site.scope.variables if kinds.get(name) == NUMBER][:5]
    for one, other in permutations(numbers, 2) if isinstance(test, ast.Constant) else ():
        for sign in ("<", "<="):
            yield context.swap(test, f"{one} {sign} {other}", 0.5)
    for name in site.scope.variables:
        if name != code:
            likely = 1.0 if kinds.get(name, "") not in (NUMBER, "bool") else 0.4
            yield context.swap(test, name, likely)
            yield context.swap(test, f"not {name}", 0.3 * likely)


def _bases(context: Context, test: ast.expr) -> list[str]:
    found: dict[str, None] = {}
    for node in ast.walk(test):
        if not isinstance(node, ast.Attribute | ast.Subscript):
            continue
        base = node.value
        if isinstance(base, ast.Attribute) or (isinstance(base, ast.Name) and base.id not in ("self", "cls", "math")):
            found.setdefault(context.code(base))
    return list(found)[:3]


def tests_of(context: Context, site: Site) -> Iterator[ast.expr]:
    """Yield the conditions of a site: of ``if``, ``while``, ``assert``, conditional expressions and filters."""
    for node in site.expressions:
        parent = context.module.parents.get(node)
        tested = isinstance(parent, ast.If | ast.While | ast.IfExp | ast.Assert) and parent.test is node
        if tested or (isinstance(parent, ast.comprehension) and node in parent.ifs):
            yield node


def _further(context: Context, site: Site, test: ast.expr) -> list[tuple[str, float]]:
    scope, weights = site.scope, dict[str, float]()
    for condition in scope.conditions:
        weights.setdefault(condition, 0.6)
    used = list(dict.fromkeys(node.id for node in ast.walk(test) if isinstance(node, ast.Name)))
    names = [name for name in used if name in scope.variables]
    names += [name for name in scope.variables if name not in names]
    for at, name in enumerate(names[:6]):
        near = 0.7 if at < len(used) else 0.4
        if scope.kinds.get(name) == NUMBER:
            weights |= {f"{name} is None": near * 0.4, f"{name} is not None": near * 0.4}
            weights |= {f"{name} < 0": near, f"{name} == 0": near * 0.8, f"{name} > 0": near * 0.7}
            weights |= {
                f"{name} < len({other})": near * 0.5
                for other in scope.variables
                if scope.kinds.get(other) in ("list", "text", "container", "tuple")
            }
        else:
            weights |= {f"not {name}": near, name: near, f"{name} is not None": near, f"{name} is None": near * 0.8}
            if scope.kinds.get(name) in ("set", "dict"):
                weights |= {f"{other} not in {name}": near for other in names[:4] if other != name}
                weights |= {f"{other} in {name}": near * 0.5 for other in names[:4] if other != name}
    weights |= {f"not ({condition})": 0.25 for condition in scope.conditions}
    return sorted(weights.items(), key=lambda item: -item[1])
