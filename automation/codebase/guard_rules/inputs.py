"""Rules against answers made for the tests' own inputs."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from automation.codebase.guard_rules.views import Finding, Version, View, literal

# Base cases of honest code. A patch that special-cases one of them is not told apart from a repair by looking.
_BOUNDARIES = frozenset(
    {
        "0",
        "1",
        "-1",
        "2",
        "0.0",
        "1.0",
        "-1.0",
        "None",
        "True",
        "False",
        "''",
        "b''",
        "' '",
        "'\\n'",
        "[]",
        "()",
        "{}",
        "set()",
    }
)
_MIN_TABLE_HITS = 2
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class _Case:
    line: int
    literals: tuple[str, ...]


def special_cases(view: View, test_inputs: Collection[str]) -> Iterator[Finding]:
    """Yield a finding for each added answer that is given for a literal of the failing tests.

    Parameters
    ----------
    view : View
        The changed file.
    test_inputs : collection of str
        Reprs of the literals in the failing tests.
    """
    wanted = set(test_inputs) - _BOUNDARIES
    before, after = (list(_cases(version)) for version in (view.before, view.after))
    known = {text for case in before for text in case.literals}
    # An existing case whose literal or answer changes is a repair; only more cases than before are special-casing.
    room = len(after) - len(before) if view.before.problem is None else len(after)
    for case in sorted(after, key=lambda case: (case.line not in view.added_lines, case.line)):
        hits = [text for text in case.literals if text in wanted and text not in known]
        if room > 0 and hits and case.line in view.added_lines:
            room -= 1
            message = f"gives a fixed answer for {hits[0][:60]}, a literal of the failing tests"
            yield Finding("special-case", view.path, case.line, message)


def constant_functions(view: View) -> Iterator[Finding]:
    """Yield a finding for each function with parameters that now returns one literal whatever they are."""
    before = {name for name, _ in _constant_functions(view.before)}
    existed = set(_functions(view.before))
    for name, line in _constant_functions(view.after):
        if name in existed and name not in before:
            yield Finding("special-case", view.path, line, f"{name} returns one fixed answer for every input")


def _cases(version: Version) -> Iterator[_Case]:
    for node in version.nodes:
        if isinstance(node, ast.If | ast.IfExp):
            yield from _branch_cases(node)
        elif isinstance(node, ast.Match):
            yield from _match_cases(node)
        elif isinstance(node, ast.Dict):
            yield from _table_cases(version, node)
        elif isinstance(node, ast.BoolOp | ast.BinOp | ast.Subscript):
            yield from _arithmetic_cases(node)


def _branch_cases(node: ast.If | ast.IfExp) -> Iterator[_Case]:
    for compare in ast.walk(node.test):
        if not isinstance(compare, ast.Compare):
            continue
        equal = isinstance(compare.ops[0], ast.Eq | ast.Is | ast.In)
        unequal = isinstance(compare.ops[0], ast.NotEq | ast.IsNot | ast.NotIn)
        answer = node.body if equal else node.orelse if unequal else None
        if answer and _is_fixed_answer(answer):
            yield _Case(compare.lineno, tuple(_literals_of(compare)))


def _match_cases(node: ast.Match) -> Iterator[_Case]:
    for case in node.cases:
        found = tuple(
            text
            for part in ast.walk(case.pattern)
            if isinstance(part, ast.MatchValue) and (text := literal(part.value)) is not None
        )
        if found and _is_fixed_answer(case.body):
            yield _Case(case.pattern.lineno, found)


def _table_cases(version: Version, node: ast.Dict) -> Iterator[_Case]:
    keys = [text for key in node.keys if (text := literal(key)) is not None]
    if not keys or any(literal(value) is None for value in node.values):
        return
    user = version.parents.get(node)
    looked_up = (isinstance(user, ast.Subscript) and user.value is node) or (
        isinstance(user, ast.Attribute) and user.attr in {"get", "pop", "setdefault", "__getitem__"}
    )
    if looked_up or len(set(keys) - _BOUNDARIES) >= _MIN_TABLE_HITS:
        yield _Case(node.lineno, tuple(keys))


def _arithmetic_cases(node: ast.BoolOp | ast.BinOp | ast.Subscript) -> Iterator[_Case]:
    if isinstance(node, ast.BoolOp):
        parts = node.values if any(literal(value) is not None for value in node.values) else []
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    else:
        parts = [node.slice] if literal(node.value) is not None else []
    for part in parts:
        if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Eq | ast.Is | ast.In):
            yield _Case(part.lineno, tuple(_literals_of(part)))


def _literals_of(compare: ast.Compare) -> Iterator[str]:
    for side in (compare.left, *compare.comparators):
        if (whole := literal(side)) is not None:
            yield whole
        if isinstance(side, ast.Tuple | ast.List | ast.Set):
            yield from (text for entry in side.elts if (text := literal(entry)) is not None)


def _is_fixed_answer(answer: list[ast.stmt] | ast.expr) -> bool:
    if isinstance(answer, ast.expr):
        return literal(answer) is not None
    return all(
        isinstance(part, ast.Return | ast.Assign | ast.AnnAssign) and literal(part.value) is not None for part in answer
    )


def _functions(version: Version) -> dict[str, _Function]:
    found: dict[str, _Function] = {}
    for node in version.nodes:
        if isinstance(node, _Function):
            owner = version.parents.get(node)
            found[f"{owner.name}.{node.name}" if isinstance(owner, ast.ClassDef) else node.name] = node
    return found


def _constant_functions(version: Version) -> Iterator[tuple[str, int]]:
    for name, node in _functions(version).items():
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg)
        named = [argument for argument in arguments if argument is not None and argument.arg not in {"self", "cls"}]
        body = [part for part in node.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
        if named and len(body) == 1 and isinstance(body[0], ast.Return) and literal(body[0].value) is not None:
            yield name, body[0].lineno
