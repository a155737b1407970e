"""What each kind of proposed change may do: the guard's options, and what is checked beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from automation.codebase.guard import Finding, GuardPolicy, check_patch
from automation.codebase.patches import FileChange, Patch

_DOCUMENTS = (".md", ".rst", ".txt")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class _Rule:
    max_lines: int
    max_files: int
    writes_tests: bool = False
    # Rules of the guard on which a person has the last word instead of the guard.
    person_decides: frozenset[str] = frozenset()


_RULES = {
    "tests": _Rule(3_000, 60, writes_tests=True),
    "document": _Rule(6_000, 300),
    "optimize": _Rule(400, 12),
    "edit": _Rule(400, 20, writes_tests=True, person_decides=frozenset({"removed-public-name", "too-large"})),
}


def findings_of(kind: str, patch: Patch) -> tuple[Finding, ...]:
    """Return what speaks against a proposed change before any test has run.

    Parameters
    ----------
    kind : str
        ``tests``, ``document``, ``optimize`` or ``edit``.
    patch : Patch
        What is proposed.

    Returns
    -------
    tuple of Finding
        By file and line. The blocking ones refuse the change; the others make it wait for a person.
    """
    rule = _RULES[kind]
    policy = GuardPolicy(max_changed_lines=rule.max_lines, max_files=rule.max_files)
    found = [
        Finding(each.rule, each.path, each.line, each.message, each.blocking and each.rule not in rule.person_decides)
        for each in check_patch(patch, writes_tests=rule.writes_tests, policy=policy)
    ]
    for change in patch.changes:
        found += _own_rules(kind, change, policy)
    return tuple(sorted(set(found), key=lambda each: (each.path, each.line, each.rule, each.message)))


def same_code(before: bytes, after: bytes) -> bool:
    """Say whether two versions of a Python file differ in docstrings, comments and layout only."""
    try:
        return _without_docstrings(before) == _without_docstrings(after)
    except (SyntaxError, ValueError):
        return False


def _own_rules(kind: str, change: FileChange, policy: GuardPolicy) -> Iterator[Finding]:
    path, is_test = change.path, policy.is_test(change.path)
    is_python = path.endswith((".py", ".pyi"))
    if kind == "tests":
        if not is_test or path.rpartition("/")[2] == "conftest.py":
            yield Finding("tests-only", path, 1, f"changes {path}, which is no test; a change of kind tests adds tests")
    elif kind == "document":
        if not is_python and not path.endswith(_DOCUMENTS):
            yield Finding("documents-only", path, 1, f"changes {path}, which is neither Python nor a text")
        elif is_python and not same_code(change.before or b"", change.after or b""):
            yield Finding("code-changed", path, 1, "changes code and not only docstrings and comments")
    elif kind == "edit" and is_test:
        yield Finding("edits-test", path, 1, f"changes {path}, which is a test", blocking=False)


def _without_docstrings(content: bytes) -> str:
    tree = ast.parse(content, type_comments=True)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
