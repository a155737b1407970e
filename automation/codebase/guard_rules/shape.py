"""Rules about what a patch takes away or loosens: public names, assertions, the errors that reach a caller."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.codebase.guard_rules.views import Finding, Trait, Version, View

_BROAD = frozenset({"Exception", "BaseException", "builtins.Exception", "builtins.BaseException"})
_DEFINITION = re.compile(r"^\s*(?:async\s+)?(?:def|class)\s+(\w+)\s*[(:]", re.MULTILINE)
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def broad_handlers(version: Version) -> Iterator[Trait]:
    """Yield each handler that catches whatever comes."""
    for node in version.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            names = [version.dotted(kind) if kind is not None else "everything" for kind in caught]
        elif isinstance(node, ast.Call) and version.dotted(node.func).endswith("suppress"):
            names = [version.dotted(kind) for kind in node.args]
        else:
            continue
        if any(name in _BROAD or name == "everything" for name in names):
            yield Trait("broad-except", "broad", node.lineno, "catches every exception, which hides the fault")
        if any(name.endswith("BaseException") or name == "everything" for name in names):
            yield Trait("broad-except", "bare", node.lineno, "catches even interrupts and exits, which hides the fault")


def constant_equality(version: Version) -> Iterator[Trait]:
    """Yield each comparison method that gives the same answer for everything."""
    for node in version.nodes:
        if isinstance(node, _Function) and node.name in {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}:
            returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
            if returned and all(isinstance(value, ast.Constant) and value.value is True for value in returned):
                yield Trait("always-equal", node.name, node.lineno, f"{node.name} says yes to everything")


def deleted_assertions(view: View) -> Iterator[Finding]:
    """Yield a finding for each function that holds fewer assertions than before."""
    by_text = view.before.problem is not None or view.after.problem is not None
    before, after = (_assertion_lines(version, by_text) for version in (view.before, view.after))
    for owner, lines in before.items():
        kept = len(after.get(owner, []))
        if kept < len(lines):
            where = f" in {owner}" if owner else ""
            message = f"removes or empties {len(lines) - kept} of {len(lines)} assertions{where}"
            yield Finding("deleted-assertion", view.path, lines[0], message)


def removed_names(view: View) -> Iterator[Finding]:
    """Yield a finding for each public name that is gone."""
    if not view.after.exists:
        yield Finding("removed-public-name", view.path, 1, "removes the whole file")
        return
    if view.after.tree is None:
        return
    if view.before.tree is None:
        kept = {node.name for node in view.after.nodes if isinstance(node, _Scope)}
        for found in _DEFINITION.finditer(view.before.text):
            if found[1] not in kept and not found[1].startswith("_"):
                line = view.before.text.count("\n", 0, found.start(1)) + 1
                yield Finding("removed-public-name", view.path, line, f"removes {found[1]}")
        return
    names = _public_names(view.after)
    for name, line in _public_names(view.before).items():
        if name not in names and not _is_reported(name, names, view.before):
            yield Finding("removed-public-name", view.path, line, f"removes {name}, which others may use")


def _is_reported(name: str, kept: dict[str, int], before: Version) -> bool:
    # A parameter or a method goes with its owner, which is reported itself.
    owner = name.rpartition(".")[0].partition("(")[0]
    return bool(owner) and owner not in kept and owner in _public_names(before)


def _public_names(version: Version) -> dict[str, int]:
    found: dict[str, int] = {}
    if version.tree is not None:
        _collect(version.tree.body, "", found, version.path.endswith("__init__.py"))
    return found


def _collect(body: list[ast.stmt], prefix: str, found: dict[str, int], with_imports: bool) -> None:
    for node in body:
        if isinstance(node, _Scope):
            _collect_scope(node, prefix, found)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            _collect_assignment(node, prefix, found)
        elif isinstance(node, ast.ImportFrom | ast.Import) and with_imports:
            for item in node.names:
                _add(found, prefix, (item.asname or item.name).partition(".")[0], node.lineno)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                _collect(getattr(node, part, []), prefix, found, with_imports)
            for handler in getattr(node, "handlers", []):
                _collect(handler.body, prefix, found, with_imports)


def _collect_scope(node: _Scope, prefix: str, found: dict[str, int]) -> None:
    if not _add(found, prefix, node.name, node.lineno):
        return
    if isinstance(node, ast.ClassDef):
        _collect(node.body, f"{prefix}{node.name}.", found, with_imports=False)
        return
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.arg not in {"self", "cls"}:
            found[f"{prefix}{node.name}({argument.arg})"] = node.lineno
    for star, rest in (("*", arguments.vararg), ("**", arguments.kwarg)):
        if rest is not None:
            found[f"{prefix}{node.name}({star})"] = node.lineno


def _collect_assignment(node: ast.Assign | ast.AnnAssign, prefix: str, found: dict[str, int]) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
        for part in parts:
            if isinstance(part, ast.Name):
                _add(found, prefix, part.id, node.lineno)
                if part.id == "__all__" and isinstance(node.value, ast.List | ast.Tuple):
                    for entry in node.value.elts:
                        if isinstance(entry, ast.Constant):
                            found[f"__all__[{entry.value!r}]"] = entry.lineno


def _add(found: dict[str, int], prefix: str, name: str, line: int) -> bool:
    special = name.startswith("__") and name.endswith("__")
    if name.startswith("_") and not special:
        return False
    found.setdefault(f"{prefix}{name}", line)
    return True


def _assertion_lines(version: Version, by_text: bool) -> dict[str, list[int]]:
    if by_text:
        lines = [number for number, line in enumerate(version.text.split("\n"), 1) if re.match(r"\s*assert\b", line)]
        return {"": lines} if lines else {}
    found: dict[str, list[int]] = {}
    for node in version.nodes:
        if (isinstance(node, ast.Assert) and not _is_vacuous(node.test)) or _is_assertion_call(version, node):
            found.setdefault(_owner(version, node), []).append(getattr(node, "lineno", 1))
    return found


def _is_assertion_call(version: Version, node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = version.dotted(node.func)
    return name.startswith("self.assert") or name in {"pytest.raises", "pytest.warns", "pytest.fail", "self.fail"}


def _is_vacuous(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return any(_is_vacuous(value) for value in test.values)
    return isinstance(test, ast.Tuple) and bool(test.elts)


def _owner(version: Version, node: ast.AST) -> str:
    names: list[str] = []
    while node in version.parents:
        node = version.parents[node]
        if isinstance(node, _Scope):
            names.append(node.name)
    return ".".join(reversed(names))
