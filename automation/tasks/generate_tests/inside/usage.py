"""What the code of a function says of its parameters: how those without annotations are used."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import typing
from typing import Any, Dict, Optional, Tuple  # noqa: UP035 - read at run time by Python 3.9

_TEXT = frozenset(
    {
        "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "lower", "upper", "title", "casefold", "encode",
        "startswith", "endswith", "partition", "rpartition", "isdigit", "isalpha", "removeprefix", "removesuffix",
    }
)  # fmt: skip
_MAPPING = frozenset({"items", "keys", "values", "setdefault", "get"})
_LIST = frozenset({"append", "extend", "insert", "sort", "reverse"})
_OF_CODE = frozenset({"ast", "tokenize", "libcst", "jedi", "parso", "symtable", "codeop"})
_OF_TABLES = (".ndim", ".shape[", "axis=", ".T\n", ".T ", ".T)", "[:,", "[:, ", " @ ", "[None, :", "[:, None")


def source_of(function: object) -> str:
    """Return the source of a function or class, empty where it cannot be read."""
    try:
        return textwrap.dedent(inspect.getsource(typing.cast("Any", inspect.unwrap(typing.cast("Any", function)))))
    except (OSError, TypeError, ValueError):
        return ""


def used_as(source: str) -> Dict[str, object]:  # noqa: UP006
    """Return the types of parameters, as far as the attributes, items and loops that they are used for tell.

    Parameters
    ----------
    source : str
        Of the function.
    """
    found: Dict[str, object] = {}  # noqa: UP006
    for node in _nodes(source):
        told = _told(node)
        if told is not None and found.get(told[0]) in (None, _LISTED):
            found[told[0]] = told[1]
    return found


_LISTED = typing.List[str]  # noqa: UP006
_PLAIN = {
    "str": str, "int": int, "float": float, "bool": bool, "bytes": bytes,
    "list": typing.List[int], "dict": typing.Dict[str, int], "tuple": typing.Tuple[int, int],  # noqa: UP006
}  # fmt: skip


def asked_for(source: str) -> Dict[str, Tuple[object, ...]]:  # noqa: UP006
    """Return the types that ``isinstance`` asks for, by parameter."""
    found: Dict[str, Dict[object, None]] = {}  # noqa: UP006
    for node in _nodes(source):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "isinstance":
            continue
        if len(node.args) == 2 and isinstance(node.args[0], ast.Name):
            for each in ast.walk(node.args[1]):
                if isinstance(each, ast.Name) and each.id in _PLAIN:
                    found.setdefault(node.args[0].id, {})[_PLAIN[each.id]] = None
    return {name: tuple(types) for name, types in found.items()}


def is_procedure(source: str) -> bool:
    """Say whether a function never returns anything."""
    nodes = list(_nodes(source))
    is_function = any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in nodes)
    given = [node for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    told = [node for node in given if not (isinstance(node.value, ast.Constant) and node.value.value is None)]
    return is_function and not told and not any(isinstance(node, (ast.Yield, ast.YieldFrom)) for node in nodes)


def _nodes(source: str) -> typing.Iterator[ast.AST]:
    try:
        yield from ast.walk(ast.parse(source))
    except SyntaxError:
        return


def _told(node: ast.AST) -> Optional[Tuple[str, object]]:  # noqa: UP006, UP045
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        name = node.value.id
        if node.attr in _TEXT:
            return name, str
        if node.attr in _MAPPING:
            return name, typing.Dict[str, int]  # noqa: UP006
        return (name, typing.List[int]) if node.attr in _LIST else None  # noqa: UP006
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        key = node.slice
        is_text = isinstance(key, ast.Constant) and isinstance(key.value, str)
        return (node.value.id, typing.Dict[str, int]) if is_text else None  # noqa: UP006
    if isinstance(node, (ast.For, ast.comprehension)) and isinstance(node.iter, ast.Name):
        return node.iter.id, _LISTED
    return None


def treats_code(module: str) -> bool:
    """Say whether a module works on Python code, by what it imports."""
    held = vars(sys.modules[module]).values() if module in sys.modules else ()
    return any(getattr(each, "__name__", "") in _OF_CODE for each in held if inspect.ismodule(each))


def treats_tables(source: str) -> bool:
    """Say whether a function works on arrays of two dimensions."""
    return any(part in source for part in _OF_TABLES)
