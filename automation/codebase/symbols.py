"""What a source file defines: functions, classes, methods and constants, read from its syntax tree."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from automation.codebase.sources import SourceFile
from automation.errors import EditRefused

SymbolKind = Literal["function", "class", "method", "constant"]

_MAX_SIGNATURE = 400


@dataclass(frozen=True, slots=True)
class Symbol:
    """One definition.

    Parameters
    ----------
    path : str
        File, relative to the repository.
    name : str
        Qualified inside the file: ``"Grid.decide"``; a function inside a function is ``"outer.inner"``.
    kind : str
        ``"function"``, ``"class"``, ``"method"`` or ``"constant"`` (an assignment at module or class level).
    line, end_line : int
        First and last line, from 1, with decorators.
    signature : str
        Header without decorators and colon: ``"def decide(self, price: int) -> int"``.
    doc : str
        First line of the docstring, ``""`` without one.
    public : bool
        No part of the name begins with an underscore and nothing around it is a function.
    """

    path: str
    name: str
    kind: SymbolKind
    line: int
    end_line: int
    signature: str
    doc: str
    public: bool

    @property
    def own_name(self) -> str:
        """The last part of the qualified name."""
        return self.name.rpartition(".")[2]


def tree_of(source: SourceFile) -> ast.Module:
    """Parse a file for this interpreter.

    Raises
    ------
    EditRefused
        When the file does not parse.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text, source.path)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise EditRefused(f"{source.path} does not parse: {error}; repair its syntax first") from error


def symbols_of(source: SourceFile) -> tuple[Symbol, ...]:
    """List what a file defines, in the order of its lines.

    Raises
    ------
    EditRefused
        When the file does not parse.
    """
    return symbols_of_tree(source.path, tree_of(source))


def symbols_of_tree(path: str, tree: ast.Module) -> tuple[Symbol, ...]:
    """List what a parsed file defines, in the order of its lines."""
    return tuple(_definitions(path, tree, "", "module"))


def qualified(name: str) -> str:
    """Return a dotted name as this package writes it: ``outer.<locals>.inner`` becomes ``outer.inner``."""
    return name.replace(".<locals>.", ".")


def _definitions(path: str, node: ast.AST, prefix: str, around: str) -> Iterator[Symbol]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _definition(path, child, prefix, around)
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            if around != "function":
                yield from _constants(path, child, prefix)
        elif isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _definitions(path, child, prefix, around)


def _definition(
    path: str, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, prefix: str, around: str
) -> Iterator[Symbol]:
    name = prefix + node.name
    is_class = isinstance(node, ast.ClassDef)
    kind: SymbolKind = "class" if is_class else "method" if around == "class" else "function"
    yield Symbol(
        path=path,
        name=name,
        kind=kind,
        line=min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]),
        end_line=node.end_lineno or node.lineno,
        signature=_signature(node),
        doc=_first_doc_line(node),
        public=around != "function" and _is_public(name),
    )
    inside = "class" if is_class and around != "function" else "function"
    yield from _definitions(path, node, f"{name}.", inside)


def _constants(path: str, node: ast.Assign | ast.AnnAssign, prefix: str) -> Iterator[Symbol]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [leaf.id for target in targets for leaf in _leaves(target) if isinstance(leaf, ast.Name)]
    for own in names:
        name = prefix + own
        annotation = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
        end = node.end_lineno or node.lineno
        yield Symbol(path, name, "constant", node.lineno, end, own + annotation, "", _is_public(name))


def _leaves(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for element in target.elts:
            yield from _leaves(element)
    else:
        yield target.value if isinstance(target, ast.Starred) else target


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        bases = [ast.unparse(base) for base in node.bases]
        bases += [f"{keyword.arg}={ast.unparse(keyword.value)}" for keyword in node.keywords if keyword.arg]
        return f"class {node.name}({', '.join(bases)})"[:_MAX_SIGNATURE] if bases else f"class {node.name}"
    prefix = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{prefix} {node.name}({ast.unparse(node.args)}){result}"[:_MAX_SIGNATURE]


def _first_doc_line(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    doc = ast.get_docstring(node) or ""
    return doc.partition("\n")[0].strip()


def _is_public(name: str) -> bool:
    return not any(part.startswith("_") and not _is_dunder(part) for part in name.split("."))


def _is_dunder(part: str) -> bool:
    return part.startswith("__") and part.endswith("__")
