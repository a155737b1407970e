"""What a careful reader holds against a change that passes: it leaves something unread, or it only takes away."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator

from automation.repair.records import Candidate

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, *_COMPREHENSIONS)
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def leaves_unread(candidate: Candidate) -> bool:
    """Say whether a change leaves a value that was read before without a reader.

    Parameters
    ----------
    candidate : Candidate
        The change.

    Returns
    -------
    bool
        Whether a variable, a parameter or an attribute of ``self`` that the file sets is not read any more, or a
        comprehension's elements do not depend on its loop any more. People seldom set what nobody reads, so that such
        a change is seldom what they meant.
    """
    try:
        before, after = ast.parse(candidate.source.text), ast.parse(candidate.text())
    except (SyntaxError, ValueError):
        return False
    return bool(_unread(after) - _unread(before)) or _idle_loops(after) > _idle_loops(before)


def only_takes_away(candidate: Candidate) -> bool:
    """Say whether a change removes names, calls or statements and adds nothing.

    Parameters
    ----------
    candidate : Candidate
        The change.

    Returns
    -------
    bool
        Changes that only take code away pass weak tests easily and are often wrong (Tan et al. 2016, "Anti-patterns in
        search-based program repair").
    """
    try:
        before, after = _parts(candidate.source.text), _parts(candidate.text())
    except (SyntaxError, ValueError):
        return False
    # One more or less, or a sign, is no loss: only what somebody named or wrote as a step is.
    lost = [part for part in before - after if part.isidentifier() or part.startswith(".")]
    return bool(lost) and not after - before


def _parts(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name):
            found[node.id] += 1
        elif isinstance(node, ast.Attribute):
            found["." + node.attr] += 1
        elif isinstance(node, ast.Constant):
            found[f"= {node.value!r}"] += 1
        elif isinstance(node, ast.operator | ast.unaryop | ast.boolop | ast.cmpop):
            found[f"= {type(node).__name__}"] += 1
        elif isinstance(node, ast.Call | ast.stmt):
            found[type(node).__name__] += 1
    return found


def _unread(tree: ast.Module) -> Counter[str]:
    found: Counter[str] = Counter()
    for scope in ast.walk(tree):
        if isinstance(scope, _SCOPES):
            nodes = list(ast.walk(scope))
            read = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)}
            # What another function is told to share is read somewhere else.
            read |= {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
            name = getattr(scope, "name", "")
            found.update(f"{name}.{one}" for one in set(_set_in(scope)) - read if not one.startswith("_"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    own = [node for node in attributes if isinstance(node.value, ast.Name) and node.value.id == "self"]
    read = {node.attr for node in attributes if isinstance(node.ctx, ast.Load)}
    found.update({f"self.{node.attr}" for node in own if isinstance(node.ctx, ast.Store)} - {f"self.{a}" for a in read})
    return found


def _set_in(scope: ast.AST) -> Iterator[str]:
    if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        arguments = scope.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg not in ("self", "cls"):
                yield argument.arg
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _idle_loops(tree: ast.Module) -> int:
    """Count comprehensions with elements or filters that are the same at every turn, and no constants either."""
    return sum(
        not part_reads & targets
        for node in ast.walk(tree)
        if isinstance(node, _COMPREHENSIONS) and (targets := _targets(node))
        for part_reads in _reads(node)
        if part_reads
    )


def _targets(node: _Comprehension) -> set[str]:
    names = (name for loop in node.generators for name in ast.walk(loop.target) if isinstance(name, ast.Name))
    return {name.id for name in names if not name.id.startswith("_")}


def _reads(node: _Comprehension) -> Iterator[set[str]]:
    elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    yield _names(elements)
    for loop in node.generators:
        for test in loop.ifs:
            yield _names([test])


def _names(parts: list[ast.expr]) -> set[str]:
    return {name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name)}
