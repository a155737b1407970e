"""Wrong definitions: defaults, decorators, imports, exceptions, a missing ``await`` or ``super().__init__()``."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator

from automation.repair.records import TextEdit
from automation.repair.templates.blocks import (
    before,
    block_is_clear,
    first_body_statement,
    inserted_before,
    removed,
)
from automation.repair.templates.changes import Change, Context, Site, shorten
from automation.repair.templates.modules import Module

_RAISED = re.compile(r"raises\(\s*\(?\s*([A-Za-z_][\w.]*)")
_MISSING = re.compile(r"name '(\w+)' is not defined")


def mutable_defaults(context: Context, site: Site) -> Iterator[Change]:
    """Propose None for a default that is shared between calls, and its value made anew in the body."""
    function = site.function
    if function is None or site.statement is not function:
        return
    first = first_body_statement(function)
    if context.module.first_line(first) == function.lineno:
        return
    positional = [*function.args.posonlyargs, *function.args.args]
    given = list(zip(positional[len(positional) - len(function.args.defaults) :], function.args.defaults, strict=True))
    given += [
        (name, value) for name, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if value
    ]
    for argument, value in given:
        if isinstance(value, ast.List | ast.Dict | ast.Set | ast.Call):
            code, unit = context.code(value), context.module.indent_unit
            put = before(context, first, f"if {argument.arg} is None:\n{unit}{argument.arg} = {code}")
            edits = (context.edit(value, "None"), *put.edits)
            yield Change(edits, f"default {shorten(code)} of {argument.arg} is made anew in each call", 1.0)


def missing_imports(context: Context, site: Site) -> Iterator[Change]:
    """Propose the import of a name that nothing defines."""
    wanted = [node.id for node in site.loads if isinstance(node, ast.Name) and node.id not in site.scope.defined]
    wanted += [name for name in _MISSING.findall(context.evidence.failure) if name not in site.scope.defined]
    for name in dict.fromkeys(wanted):
        statement = context.vocabulary.import_for(name)
        if statement is not None:
            yield Change((_import_edit(context.module, statement),), f"{statement} is added", 1.0)


def _import_edit(module: Module, statement: str) -> TextEdit:
    newline, body = module.source.newline, module.tree.body
    after = None
    for item in body:
        docstring = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and item is body[0]
        future = isinstance(item, ast.ImportFrom) and item.module == "__future__"
        if docstring or future:
            after = item
    if after is None:
        at = module.line_start(module.first_line(body[0])) if body else 0
        return TextEdit(at, at, statement + newline)
    at = module.line_end(after.end_lineno or after.lineno)
    return TextEdit(at, at, newline + statement)


def exceptions(context: Context, site: Site) -> Iterator[Change]:
    """Propose another exception to raise or to catch, the one that the failing test expects first."""
    nodes = [node for node in site.expressions if isinstance(node, ast.Name) and _names_exception(context, node)]
    expected = [name for name in _RAISED.findall(context.evidence.test_source) if name in site.scope.defined]
    seen = [context.evidence.exception] if context.evidence.exception in site.scope.defined else []
    for node in nodes:
        for name in dict.fromkeys((*expected, *seen, *context.vocabulary.exception_alternatives(node.id))):
            if name != node.id and name in site.scope.defined:
                yield context.swap(node, name, 2.0 if name in expected else 0.7)
        handler = context.module.parents.get(node)
        if isinstance(handler, ast.ExceptHandler):
            for name in seen:
                if name != node.id:
                    yield context.swap(node, f"({node.id}, {name})", 0.8)


def _names_exception(context: Context, node: ast.Name) -> bool:
    kind = getattr(builtins, node.id, None)
    parent = context.module.parents.get(node)
    if isinstance(parent, ast.Call):
        parent = context.module.parents.get(parent)
    if isinstance(parent, ast.Tuple):
        parent = context.module.parents.get(parent)
    return isinstance(parent, ast.Raise | ast.ExceptHandler) or (
        isinstance(kind, type) and issubclass(kind, BaseException)
    )


def awaits(context: Context, site: Site) -> Iterator[Change]:
    """Propose ``await`` before a call, and a call without it."""
    if not isinstance(site.function, ast.AsyncFunctionDef):
        return
    for node in site.expressions:
        parent = context.module.parents.get(node)
        if isinstance(node, ast.Call) and not isinstance(parent, ast.Await):
            text = f"await {context.code(node)}"
            yield context.swap(node, f"({text})" if isinstance(parent, ast.Attribute | ast.Subscript) else text, 1.0)
        if isinstance(node, ast.Await):
            yield context.swap(node, context.code(node.value), 0.4)


def decorators(context: Context, site: Site) -> Iterator[Change]:
    """Propose a decorator more or less on a method."""
    function, module = site.function, context.module
    if function is None or site.statement is not function:
        return
    for decorator in function.decorator_list:
        start, end = module.span(decorator)
        line = module.text[
            module.line_start(decorator.lineno) : module.line_end(decorator.end_lineno or decorator.lineno)
        ]
        if line.strip() == "@" + module.text[start:end]:
            at = module.line_start(decorator.lineno)
            stop = module.line_start((decorator.end_lineno or decorator.lineno) + 1)
            yield Change((TextEdit(at, stop, ""),), f"@{shorten(module.code(decorator))} goes", 0.3)
    if isinstance(module.parents.get(function), ast.ClassDef) and not function.decorator_list:
        parameters = [argument.arg for argument in function.args.args]
        first = parameters[0] if parameters else ""
        names = {"self": ("property",), "cls": ("classmethod",)}.get(first, ("staticmethod",))
        for name in names:
            if name != "property" or len(parameters) == 1:
                yield before(context, function, f"@{name}", 1.0)


def initialisers(context: Context, site: Site) -> Iterator[Change]:
    """Propose a call of the parent's ``__init__`` where a class with parents has none."""
    function = site.function
    if function is None or function.name != "__init__" or site.statement is not function:
        return
    owner = context.module.parents.get(function)
    calls = any(isinstance(node, ast.Name) and node.id == "super" for node in site.scope.nodes)
    if not isinstance(owner, ast.ClassDef) or not owner.bases or calls:
        return
    first = first_body_statement(function)
    names = list(site.scope.parameters)
    yield before(context, first, "super().__init__()", 1.0)
    for count in range(1, len(names) + 1):
        yield before(context, first, f"super().__init__({', '.join(names[:count])})", 1.0)


def class_state(context: Context, site: Site) -> Iterator[Change]:
    """Propose a collection that all objects of a class share made anew by the initialiser."""
    module, statement = context.module, site.statement
    owner = module.parents.get(site.function if site.statement is site.function else statement)
    if not isinstance(owner, ast.ClassDef):
        return
    makers = [item for item in owner.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    for item in owner.body:
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case _:
                continue
        if not isinstance(value, ast.List | ast.Dict | ast.Set | ast.Call) or not block_is_clear(context, item):
            continue
        line = f"self.{name} = {module.code(value)}"
        if makers:
            put = inserted_before(context, first_body_statement(makers[0]), line)
            edits = tuple(sorted((removed(context, item), put)))
        else:
            newline = module.source.newline + module.indent_of(item) + module.indent_unit
            edits = (TextEdit(*module.span(item), f"def __init__(self):{newline}{line}"),)
        yield Change(edits, f"{name} belongs to each object", 1.0)


def own_parameter(context: Context, site: Site) -> Iterator[Change]:
    """Propose the missing ``self`` among a method's parameters."""
    function = site.function
    if function is None or site.statement is not function:
        return
    first = function.args.args[0].arg if function.args.args else ""
    plain = isinstance(context.module.parents.get(function), ast.ClassDef) and not function.decorator_list
    if not plain or first in ("self", "cls"):
        return
    start = context.module.span(function)[0]
    match = re.compile(r"\bdef\s+\w+\s*\(").search(context.module.text, start)
    if match:
        text = "self, " if function.args.args else "self"
        yield Change((TextEdit(match.end(), match.end(), text),), "self is the first parameter", 1.0)
