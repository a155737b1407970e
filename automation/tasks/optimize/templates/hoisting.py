"""What is the same in every round of a loop, worked out once before it."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import (
    PURE_BUILTINS,
    Change,
    Place,
    Subject,
    loaded,
    root_of,
    stored,
    touched,
    walk,
)

_COSTLY = PURE_BUILTINS - {"range", "enumerate", "zip", "reversed", "isinstance", "hash", "map", "filter"}
# Their results can be changed, so the same one may only be looked at in every round.
_FRESH = frozenset({"sorted", "set", "list", "dict"})
_MOST_ALONE = 2
_PATTERN_CALLS = frozenset({"match", "search", "fullmatch", "sub", "findall", "finditer", "split", "subn"})


def hoisting(subject: Subject) -> Iterator[Draft]:
    """Yield drafts that move attribute lookups, lengths and pure calls out of loops."""
    for place in subject.loops:
        if subject.whole_lines(place.statement):
            yield from _attributes(subject, place)
            yield from _entries(subject, place)
            yield from _calls(subject, place)
            yield from _globals(subject, place)


def patterns(subject: Subject) -> Iterator[Draft]:
    """Yield drafts in which a regular expression is compiled once, when the module is imported."""
    for node in subject.nodes:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        module = node.func.value
        literal = node.args[0]
        if not subject.is_module(module) or subject.imports[ast.unparse(module)] != "re":
            continue
        if not isinstance(literal, ast.Constant) or not isinstance(literal.value, str):
            continue
        name = subject.free("_PATTERN")
        if node.func.attr == "compile" and all(isinstance(each, ast.Constant | ast.Attribute) for each in node.args):
            changes = [subject.instead(node, name), subject.at_top(f"{name} = {subject.words(node)}")]
        elif node.func.attr in _PATTERN_CALLS and not node.keywords and _has_no_flags(node):
            compiled = f"{name} = {ast.unparse(module)}.compile({subject.words(literal)})"
            rest = ", ".join(subject.words(each) for each in node.args[1:])
            changes = [subject.instead(node, f"{name}.{node.func.attr}({rest})"), subject.at_top(compiled)]
        else:
            continue
        yield from subject.draft("pattern", "the regular expression is compiled once", node, changes)


def _has_no_flags(node: ast.Call) -> bool:
    attribute = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    most = 4 if attribute in ("sub", "subn") else 3 if attribute == "split" else 2
    return len(node.args) <= most


def _attributes(subject: Subject, place: Place) -> Iterator[Draft]:
    loop = place.statement
    changed = frozenset(stored(loop))
    found: dict[str, list[ast.Attribute]] = {}
    for node in walk(loop):
        if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, ast.Load):
            continue
        if isinstance(subject.parents.get(node), ast.Attribute) or not _is_chain(node):
            continue
        if root_of(node) not in changed and _is_steady(subject, loop, node):
            found.setdefault(ast.unparse(node), []).append(node)
    # The most used ones alone, and all of them together: every draft costs time to prove.
    often = sorted(found.items(), key=lambda entry: -len(entry[1]))
    for text, nodes in often[:_MOST_ALONE]:
        name = subject.free(nodes[0].attr)
        changes: list[Change | None] = [subject.instead(node, name) for node in nodes]
        changes.append(subject.before(loop, f"{name} = {text}"))
        yield from subject.draft("hoist", f"{text} is looked up once before the loop", loop, changes)
    if len(found) > 1:
        yield from _all_attributes(subject, loop, found)


def _entries(subject: Subject, place: Place) -> Iterator[Draft]:
    """Look entries of mappings up once whose keys are constants, where the loop leaves the mapping as it is."""
    loop = place.statement
    once = {id(node) for node in ast.walk(loop.iter)} if isinstance(loop, ast.For) else set()
    changed = frozenset(stored(loop)) | touched(subject, loop)
    found: dict[str, list[ast.Subscript]] = {}
    for node in walk(loop):
        if not isinstance(node, ast.Subscript) or id(node) in once or not _is_entry(node):
            continue
        inside = subject.parents.get(node)
        if isinstance(inside, ast.Subscript) and inside.value is node and _is_entry(inside):
            continue
        if root_of(node) in subject.locals and root_of(node) not in changed:
            found.setdefault(ast.unparse(node), []).append(node)
    for text, nodes in sorted(found.items(), key=lambda entry: -len(entry[1]))[:_MOST_ALONE]:
        key = nodes[0].slice
        word = re.sub(r"\W+", "_", str(key.value)).strip("_").lower() if isinstance(key, ast.Constant) else ""
        name = subject.free(
            word if word.isidentifier() and not keyword.iskeyword(word) else f"{root_of(nodes[0])}_entry"
        )
        changes: list[Change | None] = [subject.instead(node, name) for node in nodes]
        changes.append(subject.before(loop, f"{name} = {subject.words(nodes[0])}"))
        yield from subject.draft("hoist", f"{text} is looked up once before the loop", loop, changes)


def _is_entry(node: ast.Subscript) -> bool:
    """Say whether a node is a chain of entries by text, read only."""
    if not isinstance(node.ctx, ast.Load) or not isinstance(node.slice, ast.Constant):
        return False
    inner = node.value
    if isinstance(inner, ast.Subscript):
        return isinstance(node.slice.value, str) and _is_entry(inner)
    return isinstance(node.slice.value, str) and isinstance(inner, ast.Name)


def _all_attributes(subject: Subject, loop: ast.stmt, found: dict[str, list[ast.Attribute]]) -> Iterator[Draft]:
    names: dict[str, str] = {}
    for text, nodes in found.items():
        name = subject.free(nodes[0].attr)
        names[text] = name if name not in names.values() else f"{name}_{len(names)}"
    changes: list[Change | None] = [
        subject.instead(node, names[text]) for text, nodes in found.items() for node in nodes
    ]
    changes.append(subject.before(loop, *(f"{name} = {text}" for text, name in names.items())))
    yield from subject.draft("hoist", f"{len(found)} attributes are looked up once before the loop", loop, changes)


def _is_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _is_steady(subject: Subject, loop: ast.stmt, node: ast.Attribute) -> bool:
    """Say whether an attribute is the same in every round: a module's, a local's method, an untouched object's."""
    root = root_of(node)
    call = subject.parents.get(node)
    is_method = isinstance(call, ast.Call) and call.func is node and isinstance(node.value, ast.Name)
    if subject.is_module(_first(node)):
        return True
    if is_method and root in subject.locals and root not in ("self", "cls"):
        return True
    return root in subject.locals and root not in touched(subject, loop)


def _first(node: ast.AST) -> ast.AST:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node


def _calls(subject: Subject, place: Place) -> Iterator[Draft]:
    loop = place.statement
    changed = frozenset(stored(loop)) | touched(subject, loop)
    once = loop.iter if isinstance(loop, ast.For) else None
    skipped = {id(node) for node in ast.walk(once)} if once is not None else set()
    found: dict[str, list[ast.Call]] = {}
    for node in walk(loop):
        if not isinstance(node, ast.Call) or id(node) in skipped or not _is_pure(subject, node):
            continue
        if loaded(node) & changed or not loaded(node) & subject.locals:
            continue
        if isinstance(node.func, ast.Name) and node.func.id in _FRESH and not _is_looked_at(subject, node):
            continue
        found.setdefault(ast.unparse(node), []).append(node)
    for text, nodes in found.items():
        called = nodes[0].func
        base = (
            called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else "value"
        )
        argument = root_of(nodes[0].args[0]) if nodes[0].args else ""
        name = subject.free("_".join(part for part in (argument, {"len": "length"}.get(base, base)) if part))
        changes: list[Change | None] = [subject.instead(node, name) for node in nodes]
        changes.append(subject.before(loop, f"{name} = {text}"))
        yield from subject.draft("hoist", f"{text} is worked out once before the loop", loop, changes)


def _is_pure(subject: Subject, node: ast.Call) -> bool:
    if any(isinstance(each, ast.Lambda | ast.Starred | ast.NamedExpr | ast.Await) for each in ast.walk(node)):
        return False
    for each in ast.walk(node):
        if not isinstance(each, ast.Call):
            continue
        is_math = (
            isinstance(each.func, ast.Attribute)
            and subject.is_module(each.func.value)
            and subject.imports[ast.unparse(each.func.value)] in ("math", "re")
        )
        if not is_math and not subject.is_builtin(each.func, *_COSTLY):
            return False
    return True


def _is_looked_at(subject: Subject, node: ast.Call) -> bool:
    around = subject.parents.get(node)
    if isinstance(around, ast.Subscript):
        return around.value is node and isinstance(around.ctx, ast.Load)
    if isinstance(around, ast.Compare):
        return node in around.comparators
    if isinstance(around, ast.For | ast.comprehension):
        return around.iter is node
    return isinstance(around, ast.Call) and subject.is_builtin(around.func, *PURE_BUILTINS)


def _globals(subject: Subject, place: Place) -> Iterator[Draft]:
    loop = place.statement
    found: dict[str, list[ast.Name]] = {}
    for node in walk(loop):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            is_global = node.id in subject.module_names and node.id not in subject.locals
            if is_global or subject.is_builtin(node):
                found.setdefault(node.id, []).append(node)
    attributes = {id(each.value) for each in walk(loop) if isinstance(each, ast.Attribute)}
    kept = {name: nodes for name, nodes in found.items() if not any(id(node) in attributes for node in nodes)}
    if not kept:
        return
    names = {name: subject.free(f"local_{name.strip('_').lower()}") for name in kept}
    changes: list[Change | None] = [
        subject.instead(node, names[name]) for name, nodes in kept.items() for node in nodes
    ]
    changes.append(subject.before(loop, *(f"{new} = {name}" for name, new in names.items())))
    yield from subject.draft("local", f"{', '.join(kept)} bound to local names before the loop", loop, changes)
