"""Lost terms: something added, subtracted, multiplied, a bound, a remainder, a unit, a rounding."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.templates.changes import Change, Context, Site, bracketed
from automation.repair.templates.kinds import BOOL, CONTAINER, DICT, LIST, NUMBER, SET, TEXT, TUPLE, compatible

_MOST_NODES, _MOST_TERMS = 12, 12
_PLACES: tuple[tuple[tuple[type[ast.AST], ...], float], ...] = (
    ((ast.Return, ast.Assign, ast.AugAssign), 1.0),
    ((ast.Call, ast.Tuple, ast.IfExp), 0.8),
    ((ast.Compare, ast.Subscript, ast.Slice, ast.ListComp, ast.GeneratorExp, ast.Lambda, ast.Dict), 0.6),
    ((ast.BinOp, ast.keyword, ast.List), 0.4),
)
_UNCHANGED = (ast.Constant, ast.BoolOp, ast.Compare, ast.Lambda, ast.Starred, ast.Slice, ast.JoinedStr, ast.Tuple)
_MODULI = ("2", "10", "26", "60")
_UNITS = (" * 2", " // 2", " / 2", " ** 2", " / 100", " * 100", " / 1000", " * 1000", " % 2", " // 10", " % 10")


def near_terms(context: Context, site: Site) -> Iterator[Change]:
    """Propose a term more where whole values are: a variable of the loop or of the lines nearby, one more a call."""
    nodes = [(node, place) for node, place in _nodes(context, site) if place >= 0.8]
    for node, _ in nodes[:5]:
        if isinstance(node, ast.Call) and isinstance(site.statement, ast.Return) and site.scope.recursive:
            yield context.swap(node, f"1 + {context.code(node)}", 1.0)
        if isinstance(node, ast.Call) and _callee(node) == "len":
            for name in site.scope.variables:
                if site.scope.kinds.get(name, "") not in (NUMBER, BOOL):
                    yield context.swap(node, f"{context.code(node)} - len({name})", 0.4)
                    yield context.swap(node, f"{context.code(node)} + len({name})", 0.4)
    yield from _with_terms(context, site, nodes[:5], _near(context, site))


def extra_terms(context: Context, site: Site) -> Iterator[Change]:
    """Propose a term more: a variable or an attribute added to, subtracted from or multiplied with an expression."""
    yield from _with_terms(context, site, list(_nodes(context, site)), _terms(context, site))


def _near(context: Context, site: Site) -> list[tuple[str, str, float]]:
    block = context.module.blocks.get(site.statement, [site.statement])
    at = block.index(site.statement) if site.statement in block else 0
    around: list[ast.AST] = [*block[max(0, at - 2) : at + 2], site.statement]
    above = context.module.parents.get(site.statement)
    while isinstance(above, ast.For | ast.While | ast.If):
        around += [above.target, above.iter] if isinstance(above, ast.For) else [above.test]
        above = context.module.parents.get(above)
    nodes = [item for part in around for item in ast.walk(part)]
    names = {item.id for item in nodes if isinstance(item, ast.Name)}
    terms = [(name, kind, weight) for name, kind, weight in _terms(context, site) if name.split(".")[0] in names]
    places = [item for item in nodes if isinstance(item, ast.Subscript) and not isinstance(item.slice, ast.Slice)]
    codes = dict.fromkeys(context.code(item) for item in places)
    return [*terms[:5], *((code, "", 0.6) for code in list(codes)[:3] if len(code) <= 24)]


def _with_terms(
    context: Context, site: Site, nodes: list[tuple[ast.expr, float]], terms: list[tuple[str, str, float]]
) -> Iterator[Change]:
    for node, place in nodes:
        kind, code = site.scope.kind(node), bracketed(context.code(node))
        used = {context.code(item) for item in ast.walk(node) if isinstance(item, ast.expr)}
        for term, known, closeness in terms:
            fit = compatible(kind, known) * closeness * place * (0.4 if term in used else 1.0)
            if kind in (LIST, "") and not isinstance(node, ast.Subscript | ast.BinOp) and term.isidentifier():
                share = (0.5 if kind else 0.25) * place * closeness
                yield context.swap(node, f"[{term}] + {code}", share)
                yield context.swap(node, f"{code} + [{term}]", share)
            if term == code or compatible(kind, known) < 0.5:
                continue
            yield context.swap(node, f"{code} + {term}", fit)
            if kind in (LIST, TEXT, TUPLE):
                yield context.swap(node, f"{term} + {code}", fit)
            elif kind in (NUMBER, ""):
                yield context.swap(node, f"{code} - {term}", 0.6 * fit)
                yield context.swap(node, f"{code} * {term}", 0.5 * fit)
                yield context.swap(node, f"{code} % {term}", 0.15 * fit)
            elif kind in (SET, DICT):
                yield context.swap(node, f"{code} | {term}", 0.6 * fit)


def bounds(context: Context, site: Site) -> Iterator[Change]:
    """Propose the larger or the smaller of an expression and a bound: what is assigned to, 0, 1, a variable."""
    statement = site.statement
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    own = context.code(target) if isinstance(target, ast.Name | ast.Attribute | ast.Subscript) else ""
    for node, place in _nodes(context, site):
        if site.scope.kind(node) not in (NUMBER, "") or _callee(node) in ("max", "min"):
            continue
        others = {own: 2.5} if own and node is getattr(statement, "value", None) and not _holds(own) else {}
        others |= {"0": 1.0, "1": 0.5} if not isinstance(node, ast.Name) else {"0": 0.5}
        for term, kind, closeness in _terms(context, site):
            if kind in (NUMBER, ""):
                others.setdefault(term, closeness * (0.6 if kind else 0.4))
        for other in _neighbours(context, site):
            others.setdefault(other, 0.4)
        code = context.code(node)
        for other, weight in others.items():
            if other != code:
                first = (other, code) if other in ("0", "1", own) else (code, other)
                for name in ("max", "min"):
                    yield context.swap(node, f"{name}({', '.join(first)})", weight * place)


def scales(context: Context, site: Site) -> Iterator[Change]:
    """Propose a factor, a square, a remainder or a change of unit that was left out."""
    for node, place in _nodes(context, site):
        if site.scope.kind(node) not in (NUMBER, ""):
            continue
        code = bracketed(context.code(node))
        known = place if site.scope.kind(node) else place * 0.6
        for unit in _UNITS:
            yield context.swap(node, code + unit, known * (0.6 if unit in (" * 2", " // 2", " ** 2") else 0.3))
        numbers = dict.fromkeys((*_moduli(site), *_MODULI))
        for number in numbers:
            yield context.swap(node, f"{code} % {number}", known * 0.4)
        for name in site.scope.variables:
            if site.scope.kinds.get(name, "") in (LIST, TEXT, TUPLE, CONTAINER) and isinstance(
                node, ast.Name | ast.BinOp
            ):
                yield context.swap(node, f"{code} % len({name})", known * 0.6)
        if isinstance(node, ast.Name):
            yield context.swap(node, f"{code} * {code}", known * 0.6)


def roundings(context: Context, site: Site) -> Iterator[Change]:
    """Propose a division rounded up, a result rounded to some digits, rounding for cutting off."""
    for node in site.expressions:
        match node:
            case ast.BinOp(op=ast.FloorDiv(), left=left, right=right):
                one, two = (bracketed(context.code(side)) for side in (left, right))
                yield context.swap(node, f"-(-{one} // {two})", 0.7)
                yield context.swap(node, f"({one} + {two} - 1) // {two}", 0.7)
                yield context.swap(node, f"({one} + {two} // 2) // {two}", 0.3)
                yield context.swap(node, f"round({one} / {two})", 0.4)
            case ast.BinOp(op=ast.Div(), left=left, right=right):
                one, two = (bracketed(context.code(side)) for side in (left, right))
                yield context.swap(node, f"-(-{one} // {two})", 0.5)
                if "ceil" in site.scope.defined or "math" in site.scope.defined:
                    name = "ceil" if "ceil" in site.scope.defined else "math.ceil"
                    yield context.swap(node, f"{name}({one} / {two})", 0.6)
            case ast.Call():
                yield from _rounded_call(context, node)
    yield from _rounded_result(context, site)


def _rounded_call(context: Context, node: ast.Call) -> Iterator[Change]:
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[only]):
            yield context.swap(node, f"int({context.code(only)} + 0.5)", 0.4)
            yield context.swap(node, f"int({context.code(only)}, 2)", 0.2)
        case ast.Call(func=ast.Name(id="round"), args=[first, *_]):
            for digits in ("2", "0", "1", "3"):
                yield context.swap(node, f"round({context.code(first)}, {digits})", 0.4)


def _rounded_result(context: Context, site: Site) -> Iterator[Change]:
    value = site.statement.value if isinstance(site.statement, ast.Return) else None
    if not isinstance(value, ast.BinOp | ast.Call) or site.scope.kind(value) not in (NUMBER, ""):
        return
    for text in (", 2", "", ", 4") if _callee(value) not in ("round", "int", "len") else ():
        yield context.swap(value, f"round({context.code(value)}{text})", 0.4)


def _nodes(context: Context, site: Site) -> Iterator[tuple[ast.expr, float]]:
    found = 0
    for node in site.loads:
        parent = context.module.parents.get(node)
        if isinstance(node, _UNCHANGED) or getattr(parent, "func", None) is node:
            continue
        if isinstance(parent, ast.Subscript) and parent.slice is not node:
            continue
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id == "isinstance":
            continue
        place = next((weight for types, weight in _PLACES if isinstance(parent, types)), 0.0)
        if isinstance(node, ast.BinOp) and isinstance(parent, ast.BinOp):
            place *= 0.8
        if place and site.scope.kind(node) != BOOL and found < _MOST_NODES:
            found += 1
            yield node, place


def _terms(context: Context, site: Site) -> list[tuple[str, str, float]]:
    """Variables and attributes that a lost term may be, with their kinds, those assigned in loops first."""
    scope = site.scope
    looped = {
        name.id
        for node in scope.nodes
        if isinstance(node, ast.For | ast.While | ast.comprehension)
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
    terms = {name: (scope.kinds.get(name, ""), 1.0 if name in looped else 0.8) for name in scope.variables}
    owner = context.module.enclosing_class(site.statement)
    if owner is not None:
        for node in ast.walk(owner):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="self")), args=[], keywords=[]):
                    terms.setdefault(context.code(node), ("", 0.7))
                case ast.Attribute(value=ast.Name(id="self")) if not _is_callee(context, node):
                    terms.setdefault(context.code(node), (scope.kind(node), 0.7))
    ranked = sorted(terms.items(), key=lambda item: -item[1][1])
    return [(term, kind, weight) for term, (kind, weight) in ranked if kind != BOOL][:_MOST_TERMS]


def _is_callee(context: Context, node: ast.expr) -> bool:
    return getattr(context.module.parents.get(node), "func", None) is node


def _neighbours(context: Context, site: Site) -> list[str]:
    used = {item.id for item in ast.walk(site.statement) if isinstance(item, ast.Name)}
    places = (text for text, node in site.scope.expressions.items() if isinstance(node, ast.Subscript | ast.Attribute))
    return [text for text in places if text.split("[")[0].split(".")[0] in used][:6]


def _moduli(site: Site) -> list[str]:
    numbers = (node.value for node in site.scope.nodes if isinstance(node, ast.Constant))
    return [repr(value) for value in dict.fromkeys(numbers) if type(value) is int and value > 2][:4]


def _callee(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _holds(target: str) -> bool:
    return ":" in target
