"""Numeric functions compiled by numba, where the repository uses numba already."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from automation.tasks.optimize.drafts import Draft
from automation.tasks.optimize.templates.subject import Subject

_MANIFESTS = ("pyproject.toml", "requirements.txt", "setup.cfg", "setup.py")
_ALLOWED = (
    ast.For, ast.While, ast.If, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.BinOp, ast.UnaryOp,
    ast.BoolOp, ast.Compare, ast.IfExp, ast.Name, ast.Constant, ast.Subscript, ast.Attribute, ast.Call, ast.Tuple,
    ast.Slice, ast.Expr, ast.Break, ast.Continue, ast.Pass, ast.expr_context, ast.operator, ast.unaryop, ast.boolop,
    ast.cmpop,
)  # fmt: skip
_CALLS = ("range", "len", "abs", "min", "max", "int", "float", "round")


def compiled(subject: Subject) -> Iterator[Draft]:
    """Yield a draft that compiles a plain function with loops over numbers and arrays."""
    node = subject.node
    plain = "." not in subject.span.name and isinstance(node, ast.FunctionDef) and not node.decorator_list
    has_loop = any(isinstance(each, ast.For | ast.While) for each in subject.nodes)
    if not plain or not has_loop or not _depends_on_numba(subject) or not _is_numeric(subject):
        return
    known = next((name for name, meaning in subject.imports.items() if meaning == "numba"), None)
    imported = None if known else subject.with_import("numba")
    divides = any(isinstance(each, ast.Div | ast.FloorDiv | ast.Mod) for each in subject.nodes)
    # an item of an array divides by zero, a plain number refuses: the proof knows which of them the function is given
    models = {', error_model="numpy"': ", dividing as NumPy does", "": ""} if divides else {"": ""}
    for option, how in models.items():
        decorated = f"@{known or 'numba'}.njit(cache=True{option})"
        told = f"{subject.span.name} is compiled{how}"
        yield from subject.draft("numba", told, node, [imported, subject.before(node, decorated)])


def _depends_on_numba(subject: Subject) -> bool:
    if any(meaning.partition(".")[0] == "numba" for meaning in subject.imports.values()):
        return True
    texts = (subject.root / name for name in _MANIFESTS)
    return any(
        re.search(r"^[^#\n]*\bnumba\b", file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        for file in texts
        if file.is_file()
    )


def _is_numeric(subject: Subject) -> bool:
    body = subject.node.body[1:] if ast.get_docstring(subject.node) is not None else subject.node.body
    for statement in body:
        for each in ast.walk(statement):
            if not isinstance(each, _ALLOWED):
                return False
            if isinstance(each, ast.Constant) and not isinstance(each.value, int | float | bool):
                return False
            if isinstance(each, ast.Call) and not _is_numeric_call(subject, each):
                return False
    return True


def _is_numeric_call(subject: Subject, node: ast.Call) -> bool:
    if isinstance(node.func, ast.Attribute):
        return subject.is_module(node.func.value) and subject.imports[ast.unparse(node.func.value)] in ("math", "numpy")
    return subject.is_builtin(node.func, *_CALLS)
