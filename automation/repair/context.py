"""What a model is shown of a function: its text, what it names, how it is called, and the failure it causes."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.codebase.edit_text import LineTable
from automation.codebase.sources import SourceFile
from automation.repair.records import Evidence
from automation.repair.statements import FunctionNode, FunctionSpan, function_named, functions_of

_LONGEST_LINE = 120
_MOST_CONSTANTS = 6
_MOST_CALLEES = 6
_MOST_EXAMPLES = 4
_MOST_VALUES = 8
_LONGEST_INITIALISER = 12


@dataclass(frozen=True, slots=True)
class FunctionContext:
    """A function with what it needs to be understood.

    Parameters
    ----------
    name : str
        Dotted name.
    first, last : int
        Its lines from 1, decorators included.
    text : str
        Those lines as they are in the file.
    preamble : str
        Valid Python that the function relies on, unindented: imports, constants, signatures of callees; for a method
        it ends with the class header and its attributes.
    """

    name: str
    first: int
    last: int
    text: str
    preamble: str


def function_context(source: SourceFile, name: str) -> FunctionContext | None:
    """Gather what one file says about a function.

    Parameters
    ----------
    source : SourceFile
        The file.
    name : str
        Dotted name of the function.

    Returns
    -------
    FunctionContext or None
        None when the file does not parse or has no such function.
    """
    try:
        tree = ast.parse(source.text)
    except SyntaxError:
        return None
    span = function_named(tree, name)
    if span is None:
        return None
    table = LineTable.of(source.text)
    names = {node.id for node in ast.walk(span.node) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(span.node) if isinstance(node, ast.Attribute)}
    parts = [
        *_imports(tree, names),
        *_constants(tree.body, names, _MOST_CONSTANTS),
        *_callees(tree, span, names),
        *_class_lines(span, attributes),
    ]
    text = source.text[table.offset(span.first) : table.after(span.last)]
    return FunctionContext(name, span.first, span.last, text, "\n".join(parts))


def call_texts(root: Path, paths: Iterable[str], name: str, most: int = 3) -> tuple[str, ...]:
    """Return how a function is called elsewhere: the signature of a caller and the call itself.

    Parameters
    ----------
    root : Path
        The repository.
    paths : iterable of str
        Files to look into, relative to it; those that do not parse are passed over.
    name : str
        Dotted name of the function; calls are found by its last part.
    most : int
        Calls to return at most.
    """
    last = name.rsplit(".", 1)[-1]
    found: list[str] = []
    for path in paths:
        if len(found) >= most:
            break
        try:
            text = (root / path).read_text(encoding="utf-8")
            if last in text:
                found += _calls(ast.parse(text), last)
        except (OSError, SyntaxError, ValueError):
            continue
    return tuple(dict.fromkeys(found))[:most]


def examples(evidence: Evidence, name: str) -> tuple[str, ...]:
    """Return what the failing test asserts, as one-line Python.

    Parameters
    ----------
    evidence : Evidence
        Of the failure.
    name : str
        The function's dotted name: assertions that name it come first.
    """
    try:
        tree = ast.parse(textwrap.dedent(evidence.test_source))
    except SyntaxError:
        return ()
    asserted = [ast.unparse(node.test) for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    short = [text for text in asserted if len(text) <= _LONGEST_LINE and "\n" not in text]
    last = name.rsplit(".", 1)[-1]
    short.sort(key=lambda text: last not in text)
    return tuple(dict.fromkeys(short))[:_MOST_EXAMPLES]


def failure_lines(evidence: Evidence, most: int = 8) -> tuple[str, ...]:
    """Return the failure as short lines, the most telling ones kept."""
    lines = [line.strip()[: 2 * _LONGEST_LINE] for line in evidence.failure.splitlines() if line.strip()]
    return tuple(lines if len(lines) <= most else [*lines[: most - 2], *lines[-2:]])


def values_at(evidence: Evidence, path: str, first: int, last: int) -> tuple[str, ...]:
    """Return snapshots of values between two lines of a file, as ``line N: a=1, b=2``."""
    found: list[tuple[int, str]] = []
    for where, values in evidence.values.items():
        file, _, line = where.rpartition(":")
        if file == path and line.isdigit() and first <= int(line) <= last and values:
            found.append((int(line), ", ".join(values)[: 2 * _LONGEST_LINE]))
    found.sort()
    return tuple(f"line {line}: {text}" for line, text in found[:_MOST_VALUES])


def signature(node: FunctionNode) -> str:
    """Return a function's first line as Python prints it, without decorators."""
    keyword = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns is not None else ""
    return f"{keyword} {node.name}({ast.unparse(node.args)}){returns}:"


def _imports(tree: ast.Module, names: set[str]) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
            future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
            if bound & names and not future:
                yield ast.unparse(node)


def _constants(body: Sequence[ast.stmt], names: set[str], most: int) -> Iterator[str]:
    given = 0
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and given < most:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            text = ast.unparse(node)
            if any(isinstance(target, ast.Name) and target.id in names for target in targets):
                given += 1
                yield text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}..."


def _callees(tree: ast.Module, span: FunctionSpan, names: set[str]) -> Iterator[str]:
    known = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in [node for node in known if node.name in names and node is not span.node][:_MOST_CALLEES]:
        yield f"{signature(node)} ...{_summary(node)}"


def _summary(node: FunctionNode) -> str:
    text = (ast.get_docstring(node) or "").split("\n", 1)[0][:80]
    return f"  # {text}" if text else ""


def _class_lines(span: FunctionSpan, attributes: set[str]) -> Iterator[str]:
    owner = span.owner
    if owner is None:
        return
    bases = ", ".join(ast.unparse(base) for base in [*owner.bases, *owner.keywords])
    yield ""
    yield f"class {owner.name}({bases}):" if bases else f"class {owner.name}:"
    fields = {
        node.target.id for node in owner.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for line in _constants(owner.body, attributes | fields, 2 * _MOST_CONSTANTS):
        yield f"    {line}"
    for node in owner.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node is span.node:
            continue
        if node.name == "__init__" and (node.end_lineno or 0) - node.lineno <= _LONGEST_INITIALISER:
            yield textwrap.indent(ast.unparse(node), "    ")
        elif node.name in attributes:
            yield f"    {signature(node)} ...{_summary(node)}"


def _calls(tree: ast.Module, name: str) -> Iterator[str]:
    for span in functions_of(tree):
        for node in ast.walk(span.node):
            if isinstance(node, ast.Call) and _last_name(node.func) == name and span.node.name != name:
                text = ast.unparse(node)
                if len(text) <= _LONGEST_LINE:
                    yield f"{signature(span.node)} calls {text}"


def _last_name(function: ast.expr) -> str:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
