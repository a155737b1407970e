"""Functions that give the same answer for the same arguments, remembered."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation.repair.statements import FunctionSpan, functions_of
from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import PURE_BUILTINS, PURE_METHODS, Subject, stored

# Numbers with a fraction are none of them: 0.0 and -0.0 are one key, and may have two answers.
_HASHABLE = frozenset({"int", "str", "bytes", "bool", "None", "date", "datetime", "Path", "PurePosixPath", "Decimal"})
_FIXED = _HASHABLE | {"float", "complex", "frozenset", "tuple"}
_PURE_MODULES = ("math", "re", "fractions", "decimal", "functools", "itertools", "operator", "string", "unicodedata")
_MOST = 4096


def caching(subject: Subject) -> Iterator[Draft]:
    """Yield a draft that remembers a function's answers, when it is pure and arguments and answers cannot change."""
    node = subject.node
    outermost = "." not in subject.span.name and isinstance(node, ast.FunctionDef)
    if not outermost or node.decorator_list or node.args.vararg or node.args.kwarg or not subject.parameters:
        return
    if not all(each.annotation is not None and _names(each.annotation) <= _HASHABLE for each in subject.parameters):
        return
    if node.returns is None or not _names(node.returns) <= _FIXED or not is_pure(subject, subject.span, frozenset()):
        return
    decorated = f"@functools.lru_cache(maxsize={_MOST}, typed=True)"
    yield from subject.draft(
        "cache",
        f"{subject.span.name} remembers its answers",
        node,
        [subject.with_import("functools"), subject.before(node, decorated)],
        remembers=True,
    )


def is_pure(subject: Subject, span: FunctionSpan, seen: frozenset[str]) -> bool:
    """Say whether a function of the module only reads its arguments, constants and other pure functions."""
    node = span.node
    if span.name in seen:
        return True
    arguments = {each.arg for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)}
    own = arguments | {name for statement in node.body for name in stored(statement)}
    return all(
        _is_harmless(subject, each, own, seen | {span.name}) for statement in node.body for each in ast.walk(statement)
    )


def _is_harmless(subject: Subject, node: ast.AST, own: set[str], seen: frozenset[str]) -> bool:
    if isinstance(
        node,
        ast.Global | ast.Nonlocal | ast.Yield | ast.YieldFrom | ast.Await | ast.Delete | ast.Import | ast.ImportFrom,
    ):
        return False
    if isinstance(node, ast.Call):
        return _is_pure_call(subject, node, own, seen)
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        # Arguments cannot change, so what is stored into is the function's own.
        return isinstance(node.value, ast.Name) and node.value.id in own
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
        return subject.is_builtin(node) or node.id in subject.imports or _is_constant(subject, node.id)
    return True


def _is_pure_call(subject: Subject, node: ast.Call, own: set[str], seen: frozenset[str]) -> bool:
    called = node.func
    if isinstance(called, ast.Attribute):
        if isinstance(called.value, ast.Name) and called.value.id in subject.imports and called.value.id not in own:
            return subject.imports[called.value.id].partition(".")[0] in _PURE_MODULES
        return called.attr in PURE_METHODS or called.attr in (
            "append",
            "add",
            "extend",
            "update",
            "setdefault",
            "pop",
            "sort",
        )
    if not isinstance(called, ast.Name) or called.id in own:
        return False
    if called.id in subject.imports:
        return subject.imports[called.id].partition(".")[0] in _PURE_MODULES
    span = next((each for each in functions_of(subject.tree) if each.name == called.id), None)
    if span is not None:
        return is_pure(subject, span, seen)
    errors = called.id.endswith(("Error", "Exception"))
    return subject.is_builtin(called, *PURE_BUILTINS) or (errors and subject.is_builtin(called))


def _is_constant(subject: Subject, name: str) -> bool:
    """Say whether a name of the module is bound once and written as a constant is, or is a function or a class."""
    bound = [each for each in subject.tree.body if name in set(stored(each)) or getattr(each, "name", "") == name]
    changed = any(isinstance(each, ast.Global) and name in each.names for each in ast.walk(subject.tree))
    return len(bound) == 1 and not changed and (name.strip("_").isupper() or hasattr(bound[0], "name"))


def _names(annotation: ast.expr) -> frozenset[str]:
    found = set()
    for each in ast.walk(annotation):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Constant):
            found.add(str(each.value) if each.value is not Ellipsis else "None")
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
    return frozenset(found - {"typing", "datetime"} if "date" in found else found)
