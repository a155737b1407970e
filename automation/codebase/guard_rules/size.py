"""Rules about how much a patch changes, and where."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence

from automation.codebase.guard_rules.paths import GuardPolicy
from automation.codebase.guard_rules.views import Finding, View
from automation.codebase.patches import split_lines

Ranges = Collection[tuple[int, int]]


def oversized(views: Sequence[View], policy: GuardPolicy) -> list[Finding]:
    """Return a finding when a patch touches too many files or lines."""
    found = []
    if len(views) > policy.max_files:
        message = f"touches {len(views)} files, more than the {policy.max_files} that are allowed"
        found.append(Finding("too-large", views[0].path, 1, message))
    changed = sum(len(old) + len(new) for view in views for old, new in view.change.replaced_lines())
    if changed > policy.max_changed_lines:
        message = f"adds and removes {changed} lines, more than the {policy.max_changed_lines} that are allowed"
        found.append(Finding("too-large", views[0].path, 1, message))
    return found


def outside_scope(views: Sequence[View], allowed: Mapping[str, Ranges], policy: GuardPolicy) -> list[Finding]:
    """Return a finding when more lines than the policy allows lie outside the suspicious lines.

    Added imports, blank lines and comments do not count.
    """
    outside = [(view, line) for view in views for line in _outside(view, allowed.get(view.path, ()))]
    if len(outside) <= policy.max_outside_lines:
        return []
    view, line = outside[0]
    message = f"changes {len(outside)} lines away from the suspicious ones; {policy.max_outside_lines} are allowed"
    return [Finding("outside-scope", view.path, line, message)]


def _outside(view: View, ranges: Ranges) -> list[int]:
    before, after = (split_lines(content) for content in (view.change.before, view.change.after))
    imports = _import_lines(view)
    found = []
    for old, new in view.change.replaced_lines():
        strays = [line for line in old if not _inside(line, ranges) and _counts(before[line - 1])]
        found += strays
        # What is put in the place of suspicious lines, or right beside them, belongs to them.
        near = any(_inside(line, ranges) for line in (*old, old.start, old.start - 1))
        if not near:
            found += [line for line in new if line not in imports and _counts(after[line - 1])]
    return found


def _inside(line: int, ranges: Ranges) -> bool:
    return any(start <= line <= end for start, end in ranges)


def _counts(line: bytes) -> bool:
    return bool(line.strip()) and not line.strip().startswith(b"#")


def _import_lines(view: View) -> frozenset[int]:
    return frozenset(
        line
        for node in view.after.nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )
