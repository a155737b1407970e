"""Wrong calls: arguments in another order, too many or too few, another function, a wrapper more or less."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

from automation.repair.records import TextEdit
from automation.repair.templates.changes import Change, Context, Site, bracketed, shorten
from automation.repair.templates.kinds import (
    BOOL,
    CONTAINER,
    DICT,
    FUNCTION,
    LIST,
    NONE,
    NUMBER,
    SET,
    TEXT,
    TUPLE,
    compatible,
)
from automation.repair.vocabulary import Signature, signature_of

_WRAPPERS: dict[str, tuple[str, ...]] = {
    LIST: ("len", "sorted", "set", "sum", "max", "min", "reversed", "list", "tuple", "any", "all", "enumerate"),
    CONTAINER: ("len", "sorted", "set", "list", "sum", "max", "min", "reversed", "tuple", "enumerate"),
    TUPLE: ("list", "len", "sorted", "set", "sum", "max", "min"),
    SET: ("len", "sorted", "list", "sum", "max", "min", "frozenset"),
    DICT: ("len", "list", "sorted", "dict"),
    TEXT: ("len", "int", "float", "list", "set", "sorted", "reversed", "str", "ord"),
    NUMBER: ("abs", "int", "str", "float", "round", "range", "chr", "bool"),
    BOOL: ("int", "bool", "not"),
    FUNCTION: (),
    NONE: (),
    "": ("len", "list", "sorted", "set", "int", "str", "abs", "sum", "max", "min", "tuple", "float", "dict", "bool"),
}
_USUAL = {
    "enumerate": ("1", "start=1"),
    "int": ("2", "16"),
    "round": ("2", "1"),
    "max": ("default=0", "default=None"),
    "min": ("default=0", "default=None"),
    "next": ("None",),
    "pop": ("None", "0"),
    "zip": ("strict=True",),
    "sum": ("[]",),
    "dumps": ("sort_keys=True",),
}
_BARE = (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp, ast.ListComp, ast.GeneratorExp, ast.IfExp)


def argument_order(context: Context, site: Site) -> Iterator[Change]:
    """Propose two arguments that trade places."""
    for node in site.expressions:
        if isinstance(node, ast.Call):
            given = [argument for argument in node.args if not isinstance(argument, ast.Starred)]
            for first, second in combinations(given[:5], 2):
                fit = compatible(site.scope.kind(first), site.scope.kind(second))
                yield context.exchange(first, second, max(fit, 0.4))
            keywords = [keyword for keyword in node.keywords if keyword.arg]
            for one, other in combinations(keywords[:5], 2):
                yield context.exchange(one.value, other.value, 0.5)


def argument_count(context: Context, site: Site) -> Iterator[Change]:
    """Propose a missing argument, or one less, by the signature where it is known."""
    for node in site.expressions:
        if not isinstance(node, ast.Call):
            continue
        signature = _signature(context, node)
        given = len(node.args) + len(node.keywords)
        lacking = signature is not None and given < len(signature.parameters)
        short = signature is not None and given < signature.required
        if signature is None or lacking:
            names = [name for name in site.scope.variables if name not in {context.code(item) for item in node.args}]
            for name in names[:8]:
                yield _with_argument(context, node, name, 1.0 if short else 0.3)
            if signature is not None:
                yield from _by_keyword(context, site, node, signature, 0.8 if short else 0.4)
        excess = signature is not None and given > len(signature.parameters)
        for argument in node.args[1:] if not excess else node.args:
            yield _without_argument(context, node, argument, 1.0 if excess else 0.4)


def keyword_names(context: Context, site: Site) -> Iterator[Change]:
    """Propose another name for a keyword argument, its own dropped, and flags turned."""
    for node in site.expressions:
        if not isinstance(node, ast.Call):
            continue
        signature = _signature(context, node)
        for keyword in node.keywords:
            if keyword.arg is None:
                continue
            start, _ = context.module.span(keyword)
            known = signature.parameters if signature else context.vocabulary.keyword_alternatives(keyword.arg)
            used = {item.arg for item in node.keywords}
            wrong = signature is not None and keyword.arg not in signature.parameters
            for name in [name for name in known if name not in used][:6]:
                edit = TextEdit(start, start + len(keyword.arg), name)
                yield Change((edit,), f"{keyword.arg}= becomes {name}=", 1.0 if wrong else 0.5)
            yield _without_argument(context, node, keyword, 0.4)
        callee = context.code(node.func)
        if callee.rsplit(".", 1)[-1] in ("sorted", "sort") and not any(k.arg == "reverse" for k in node.keywords):
            yield _with_argument(context, node, "reverse=True", 1.0)
        if callee.rsplit(".", 1)[-1] in ("sorted", "sort", "min", "max"):
            for key in (
                "len",
                "abs",
                "str.lower",
                "lambda item: item[0]",
                "lambda item: item[1]",
                "lambda item: -item",
            ):
                if not any(k.arg == "key" for k in node.keywords):
                    yield _with_argument(context, node, f"key={key}", 0.35)


def usual_arguments(context: Context, site: Site) -> Iterator[Change]:
    """Propose the second argument that a builtin often wants, and a function of the file as a sort key."""
    keys = [item.name for item in context.module.tree.body if isinstance(item, ast.FunctionDef)]
    for node in site.expressions:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        given = {keyword.arg for keyword in node.keywords}
        for text in _USUAL.get(name, ()):
            if text.partition("=")[0] not in given and ("=" in text or len(node.args) == 1):
                yield _with_argument(context, node, text, 1.0)
        if name in ("sorted", "sort", "min", "max") and "key" not in given:
            for key in keys:
                if site.function is None or key != site.function.name:
                    yield _with_argument(context, node, f"key={key}", 1.0)


def other_functions(context: Context, site: Site) -> Iterator[Change]:
    """Propose another function to call: a confusable one, or one defined in this file."""
    defined = [item for item in context.module.tree.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in site.expressions:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name, known = node.func.id, site.scope.defined
        for other in context.vocabulary.function_alternatives(name):
            if other in known:
                yield context.swap(node.func, other, 1.0)
        given = len(node.args) + len(node.keywords)
        for item in defined if any(item.name == name for item in defined) else ():
            most = len(item.args.args) + len(item.args.kwonlyargs)
            if item.name != name and most - len(item.args.defaults) <= given <= most:
                yield context.swap(node.func, item.name, 0.5)


def wrappers(context: Context, site: Site) -> Iterator[Change]:
    """Propose the result of a builtin instead of a value, by the value's kind."""
    for node in site.loads:
        parent = context.module.parents.get(node)
        if not isinstance(node, _BARE) or getattr(parent, "func", None) is node or isinstance(parent, ast.Attribute):
            continue
        if isinstance(parent, ast.Expr | ast.keyword) and isinstance(parent, ast.Expr):
            continue
        code, kind = context.code(node), site.scope.kind(node)
        around = context.code(parent.func) if isinstance(parent, ast.Call) else ""
        looped = isinstance(parent, ast.For | ast.comprehension) and parent.iter is node
        for name in _WRAPPERS[kind]:
            if name != around and name != _callee(node):
                weight = 1.0 if kind else 0.5
                yield context.swap(node, f"not {bracketed(code)}" if name == "not" else f"{name}({code})", weight)
        if looped:
            for new in (f"range({code})", f"range(len({code}))", f"enumerate({code})", f"{bracketed(code)}.items()"):
                yield context.swap(node, new, 0.7)
        if isinstance(parent, ast.BinOp | ast.Return | ast.Call) and not isinstance(node, ast.ListComp):
            yield context.swap(node, f"[{code}]", 0.5)
        if isinstance(node, ast.Call) and isinstance(parent, ast.Return) and site.scope.recursive:
            yield context.swap(node, f"1 + {code}", 0.5)


def unwrapping(context: Context, site: Site) -> Iterator[Change]:
    """Propose a value itself instead of what a call or an attribute makes of it."""
    for node in site.expressions:
        match node:
            case ast.Call(func=ast.Name(), args=[only], keywords=[]) if not isinstance(only, ast.Starred):
                yield context.swap(node, context.code(only), 1.0)
            case ast.Call(func=ast.Name(), args=[first, *_]) if not isinstance(first, ast.Starred):
                yield context.swap(node, context.code(first), 0.3)
            case ast.Call(func=ast.Attribute(value=receiver), args=[]):
                yield context.swap(node, context.code(receiver), 0.7)
            case ast.Call(func=ast.Attribute(value=receiver), args=[only]):
                yield context.swap(node, context.code(receiver), 0.4)
                yield context.swap(node, context.code(only), 0.4)
            case ast.List(elts=[only], ctx=ast.Load()) if not isinstance(only, ast.Starred):
                yield context.swap(node, context.code(only), 0.6)
            case ast.Starred(value=value):
                start, end = context.module.span(node)
                yield Change(
                    (TextEdit(start, end, context.code(value)),), f"* before {shorten(context.code(value))} goes"
                )
            case ast.IfExp(body=body, orelse=orelse):
                yield context.swap(node, context.code(body), 0.4)
                yield context.swap(node, context.code(orelse), 0.4)


def starred(context: Context, site: Site) -> Iterator[Change]:
    """Propose an argument unpacked."""
    for node in site.expressions:
        if isinstance(node, ast.Call):
            for argument in node.args:
                if isinstance(argument, ast.Name | ast.Attribute | ast.Call) and site.scope.kind(argument) not in (
                    NUMBER,
                    BOOL,
                ):
                    yield context.swap(argument, f"*{context.code(argument)}", 0.5)


def calls_of_values(context: Context, site: Site) -> Iterator[Change]:
    """Propose a method called that was only named, and an attribute read that was called."""
    for node in site.loads:
        parent = context.module.parents.get(node)
        named_only = getattr(parent, "func", None) is not node and not isinstance(parent, ast.Attribute)
        if isinstance(node, ast.Attribute) and named_only:
            yield context.swap(node, f"{context.code(node)}()", 0.6)
        if isinstance(node, ast.Name) and named_only and _is_function(context, node.id):
            yield context.swap(node, f"{node.id}()", 0.4)
        if isinstance(node, ast.Call) and not node.args and not node.keywords:
            yield context.swap(node, context.code(node.func), 0.5)


def _is_function(context: Context, name: str) -> bool:
    return any(
        isinstance(item, ast.FunctionDef | ast.ClassDef) and item.name == name for item in context.module.tree.body
    )


def _signature(context: Context, call: ast.Call) -> Signature | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for item in ast.walk(context.module.tree):
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == name and not item.args.vararg:
            return signature_of(item, method=isinstance(context.module.parents.get(item), ast.ClassDef))
    return context.vocabulary.signatures.get(name)


def _by_keyword(context: Context, site: Site, node: ast.Call, signature: Signature, weight: float) -> Iterator[Change]:
    given = {keyword.arg for keyword in node.keywords} | set(signature.parameters[: len(node.args)])
    for name in signature.parameters:
        if name not in given and name in site.scope.variables:
            yield _with_argument(context, node, f"{name}={name}", weight)


def _with_argument(context: Context, node: ast.Call, text: str, weight: float) -> Change:
    _, end = context.module.span(node)
    before = context.module.text[context.module.span(node.func)[1] : end - 1].rstrip()
    separator = "" if before.endswith("(") else " " if before.endswith(",") else ", "
    description = f"{shorten(context.code(node))} also gets {text}"
    return Change((TextEdit(end - 1, end - 1, separator + text),), description, weight)


def _without_argument(context: Context, node: ast.Call, argument: ast.expr | ast.keyword, weight: float) -> Change:
    module = context.module
    items: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
    items.sort(key=lambda item: module.span(item)[0])
    at = items.index(argument)
    start, end = module.span(argument)
    if at > 0:
        start = module.span(items[at - 1])[1]
        while module.text[start : start + 1] == ")":
            start += 1
    elif len(items) > 1:
        end = module.span(items[1])[0]
    return Change((TextEdit(start, end, ""),), f"argument {shorten(module.code(argument))} goes", weight)


def _callee(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
