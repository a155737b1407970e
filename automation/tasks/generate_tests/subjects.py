"""The public functions, methods and classes of a file that tests can call, and why the others are left out."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from automation.codebase.scopes import Scope
from automation.tasks.generate_tests.records import Subject

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_RAISES = re.compile(
    r"^\s*(?:Raises\s*\n\s*-{3,}\s*\n(?P<numpy>.*)|Raises:\s*\n(?P<google>.*))", re.MULTILINE | re.DOTALL
)
_EXCEPTION = re.compile(r"^\s*([A-Z][\w.]*(?:\s*,\s*[A-Z][\w.]*)*)\s*(?::|$)", re.MULTILINE)
_SPHINX = re.compile(r":raises?\s+([\w.]+)\s*:")
_WHY = {
    "command": "it is a command line's",
    "callback": "it is a command line's",
    "fixture": "it is a fixture of pytest",
    "overload": "it is a declaration only",
    "abstractmethod": "it is abstract",
    "contextmanager": "it is a context manager",
    "asynccontextmanager": "it is a context manager",
    "setter": "it sets a property",
    "deleter": "it deletes a property",
}
_ASKING = frozenset({"input", "breakpoint", "exec", "exit", "quit"})


def module_of(path: str, python_path: Sequence[str]) -> str:
    """Return the dotted name under which a file is imported.

    Parameters
    ----------
    path : str
        Relative to the repository.
    python_path : sequence of str
        Folders at the front of the import path, relative to it.
    """
    pure = PurePosixPath(path)
    for folder in python_path:
        if folder not in {".", ""} and pure.is_relative_to(folder):
            pure = pure.relative_to(folder)
            break
    parts = list(pure.with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def subjects_of(
    path: str, text: str, module: str, scope: Scope | None = None
) -> tuple[tuple[Subject, ...], dict[str, str]]:
    """List what tests can call in a file.

    Parameters
    ----------
    path, text, module : str
        The file, what it holds, and its dotted name.
    scope : Scope, optional
        Leave out what does not belong to it.

    Returns
    -------
    tuple
        Subjects by line, and a reason for each public name that is none.
    """
    found: list[Subject] = []
    skipped: dict[str, str] = {}
    for owner, node in _definitions(ast.parse(text)):
        inside = scope is None or scope.holds(path, node.lineno, node.end_lineno)
        if not inside:
            continue
        name = f"{owner.name}.{node.name}" if owner is not None else node.name
        reason = _why_not(owner, node)
        if reason:
            skipped[name] = reason
            continue
        kind = _kind(owner, node)
        if kind:
            found.append(_subject(path, module, owner, node, kind))
    return tuple(sorted(found, key=lambda each: each.line)), skipped


def _definitions(
    tree: ast.Module,
) -> Iterator[tuple[ast.ClassDef | None, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    for node in tree.body:
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)) or node.name.startswith("_"):
            continue
        yield None, node
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, _FUNCTIONS) and not inner.name.startswith("_"):
                    yield node, inner


def _kind(owner: ast.ClassDef | None, node: ast.AST) -> str:
    if isinstance(node, ast.ClassDef):
        own = {inner.name for inner in node.body if isinstance(inner, _FUNCTIONS)}
        return "class" if own & {"__init__", "__post_init__", "__new__"} else ""
    if not isinstance(node, _FUNCTIONS):
        return ""
    names = _decorators(node)
    if owner is None:
        return "function"
    if names & {"staticmethod", "classmethod"}:
        return "static"
    return "property" if names & {"property", "cached_property"} else "method"


def _why_not(owner: ast.ClassDef | None, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    for name in _decorators(node):
        if name in _WHY:
            return _WHY[name]
    bases = {_last(base) for base in (node.bases if isinstance(node, ast.ClassDef) else owner.bases if owner else [])}
    if bases & {"Protocol", "TypedDict"}:
        return "it is a declaration only"
    if isinstance(node, ast.ClassDef):
        return ""
    if node.name == "main":
        return "it is a program's entry"
    if node.name.startswith("test_"):
        return "it is a test"
    called = {_last(each.func) for each in ast.walk(node) if isinstance(each, ast.Call)}
    asking = sorted(called & _ASKING)
    return f"it calls {asking[0]}" if asking else ""


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    return {_last(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _subject(
    path: str,
    module: str,
    owner: ast.ClassDef | None,
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
    kind: str,
) -> Subject:
    doc = ast.get_docstring(node) or ""
    return Subject(
        path=path,
        module=module,
        owner="" if owner is None else owner.name,
        name=node.name,
        kind=kind,
        line=node.lineno,
        end_line=node.end_lineno or node.lineno,
        documented=documented_exceptions(doc),
        examples=_examples(doc),
    )


def documented_exceptions(doc: str) -> tuple[str, ...]:
    """Return the exceptions that a docstring says are raised (numpydoc, Google or Sphinx style)."""
    found = _SPHINX.findall(doc)
    section = _RAISES.search(doc)
    if section is not None:
        body = section["numpy"] or section["google"] or ""
        end = re.search(r"\n\s*\w[\w ]*\n\s*-{3,}|\n\n\s*\w+:\s*\n", body)
        for names in _EXCEPTION.findall(body[: end.start()] if end else body):
            found += [name.strip() for name in names.split(",")]
    return tuple(dict.fromkeys(found))


def _examples(doc: str) -> tuple[tuple[str, str], ...]:
    try:
        examples = doctest.DocTestParser().get_examples(doc)
    except ValueError:
        return ()
    return tuple((each.source.strip(), each.want.strip()) for each in examples)
